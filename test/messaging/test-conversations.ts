// The conversations that the messaging tests hold: one of each kind that the library tells apart.

import { defineContract, defineEvent } from '@skein/contracts';
import { z } from 'zod';

export const service = 'test';
const reply = z.object({ text: z.string() });
export const echo = defineContract({
  service,
  verb: 'echo',
  description: 'Answers with the text.',
  request: z.strictObject({
    text: z.string().max(10),
    nested: z.object({ n: z.int() }).optional(),
  }),
  reply,
  idempotent: true,
});
export const bulk = defineContract({
  service,
  verb: 'bulk',
  description: 'Takes and gives any length.',
  request: z.strictObject({ text: z.string(), replyLength: z.int().optional() }),
  reply,
  idempotent: true,
});
export const write = defineContract({
  service,
  verb: 'write',
  description: 'May take effect once.',
  request: z.strictObject({}),
  reply: z.object({}),
  idempotent: false,
});
export const perHost = defineContract({
  service,
  verb: 'status',
  description: 'Says who it is.',
  request: z.strictObject({}),
  reply,
  idempotent: true,
  perInstance: true,
});
export const report = defineContract({
  service,
  verb: 'report',
  description: 'Says who reported.',
  request: z.strictObject({ host: z.string() }),
  speaker: 'host',
  reply,
  idempotent: true,
});
export const told = defineEvent({
  noun: 'test',
  verb: 'told',
  speaker: 'host',
  body: z.object({ host: z.string() }),
});
export const happened = defineEvent({
  noun: 'test',
  verb: 'happened',
  body: z.object({ n: z.int() }),
});
