// Tokens with which people and programs come to the gateway: what is kept of each, and what is shown. The secret is shown once and
// kept nowhere; a digest of it is.

import { z } from 'zod';
import { idSchema, timeSchema } from './names';
import { causeSchema } from './state';

/** From the least to the most: each may do what those before it may. */
export const roles = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

/** SHA-256 of a token, in hexadecimal. */
export const tokenDigestSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'expected the SHA-256 digest of a token in hexadecimal');

export const maxTokenRequestsPerSecond = 100_000;
const accessShape = {
  name: z.string().min(1).max(64),
  role: z.enum(roles),
  /** More are refused as `overloaded`; absent: as many as the gateway lets anybody. */
  requestsPerSecond: z.int().min(1).max(maxTokenRequestsPerSecond).optional(),
  /** Larger bodies are refused; absent: as large as the gateway takes. */
  maxBodyBytes: z.int().min(64).max(1_048_576).optional(),
};

export const accessRecordSchema = z.object({
  ...accessShape,
  id: idSchema,
  digest: tokenDigestSchema,
  created: causeSchema,
  /** Name of the token that it was made with. */
  by: z.string(),
  /** Absent: it does not expire. */
  expiresAt: timeSchema.optional(),
});
export type AccessRecord = z.output<typeof accessRecordSchema>;

/** Kept apart from the token, so that using one changes nothing about it. */
export const accessUseSchema = z.object({ at: timeSchema });

export const accessRequestSchema = z.strictObject({
  ...accessShape,
  /** Absent: it does not expire. */
  ttlMs: z
    .int()
    .min(1_000)
    .max(10 * 366 * 86_400_000)
    .optional(),
});
export type AccessRequest = z.output<typeof accessRequestSchema>;

export const accessViewSchema = accessRecordSchema.omit({ digest: true }).extend({
  state: z.enum(['usable', 'expired']),
  /** To some ten minutes; absent: never, or not yet told. */
  lastUsedAt: timeSchema.optional(),
});
export type AccessView = z.output<typeof accessViewSchema>;
