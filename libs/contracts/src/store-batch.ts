// Several requests to the store in one message. Each keeps its own number, revision, answer and refusal, as if it had come alone;
// they are taken in order. What a client gathers in one turn goes this way.

import { z } from 'zod';
import { defineContract } from './contract';
import { deleteContract, putContract, rangeContract, transactionContract } from './store';

/** The conversations whose requests may share a message, by the `type` that marks each of them. */
export const batchedContracts = {
  put: putContract,
  delete: deleteContract,
  txn: transactionContract,
  range: rangeContract,
} as const;
export type BatchedType = keyof typeof batchedContracts;

export const maxBatchRequests = 512;
/**
 * Text of the requests of a batch, and of its replies: below a payload limit of 1 MiB whatever it is, since a character takes six
 * bytes of JSON at most. One alone may exceed it.
 */
export const maxBatchCharacters = 160 * 1_024;

/** The request of a conversation and its `type`; checked one by one, so that a bad one harms no other. */
const batchedRequestSchema = z.looseObject({ type: z.enum(['put', 'delete', 'txn', 'range']) });

export const batchedReplySchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), reply: z.unknown() }),
  z.object({
    ok: z.literal(false),
    error: z.object({
      code: z.string(),
      message: z.string(),
      field: z.string().optional(),
      facts: z.record(z.string(), z.unknown()).optional(),
    }),
  }),
  /** The answer did not fit with those before it: ask again, alone. A numbered write is done once all the same. */
  z.object({ ok: z.literal('alone') }),
]);
export type BatchedReply = z.output<typeof batchedReplySchema>;

export const batchContract = defineContract({
  service: 'store',
  verb: 'batch',
  description: 'Several puts, deletes, transactions and ranges, each answered by itself.',
  request: z.strictObject({ requests: z.array(batchedRequestSchema).min(1).max(maxBatchRequests) }),
  reply: z.object({ replies: z.array(batchedReplySchema) }),
  idempotent: false,
});
