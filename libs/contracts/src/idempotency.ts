// What is kept of a request that carries an `Idempotency-Key`: as much as it takes to know the request again and to give its
// answer once more.

import { z } from 'zod';
import { endpointRecordSchema } from './state';

/** SHA-256 in hexadecimal. */
const digestSchema = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits');

/** A request's key, the request that it stands for, and the lease under which that is remembered. */
export const requestKeySchema = z.strictObject({
  key: digestSchema,
  request: digestSchema,
  lease: z.string().min(1).max(64),
});
export type RequestKey = z.output<typeof requestKeySchema>;

export const idempotencyRecordSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('claimed'), request: z.string(), owner: z.string(), at: z.int() }),
  z.object({
    state: z.literal('answered'),
    request: z.string(),
    answer: z.object({
      status: z.int(),
      headers: z.record(z.string(), z.string()),
      body: z.unknown(),
    }),
  }),
  /** Written by the transaction that attached the endpoint: there is no moment at which one is true without the other. */
  z.object({ state: z.literal('attached'), request: z.string(), endpoint: endpointRecordSchema }),
]);
export type IdempotencyRecord = z.output<typeof idempotencyRecordSchema>;
