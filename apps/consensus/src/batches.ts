// A message with several requests: each goes to the handler of its own conversation, in order, and is answered by itself. What
// the answers are together must fit into a message.

import {
  type batchContract,
  batchedContracts,
  type BatchedReply,
  type BatchedType,
  type Contract,
  maxBatchCharacters,
  type ParsedRequestOf,
  type ReplyOf,
  SkeinError,
} from '@skein/contracts';
import { parseBody, type Handler, type RequestContext } from '@skein/messaging';

type AnyHandler = (request: unknown, context: RequestContext) => unknown;
type Batch = ParsedRequestOf<typeof batchContract>;

export class Batches {
  private readonly handlers = new Map<Contract, AnyHandler>();

  /** Requests of this conversation are answered as a message of their own would be. */
  answeredBy<C extends Contract>(contract: C, handler: Handler<C>): void {
    this.handlers.set(contract, handler as AnyHandler);
  }

  async answer(
    { requests }: Batch,
    context: RequestContext,
  ): Promise<ReplyOf<typeof batchContract>> {
    // All are asked before any is answered: they share an entry of the log, or a round of confirmation.
    const asked = requests.map((request) => this.one(request, context));
    return { replies: fitting(await Promise.all(asked)) };
  }

  private async one(
    { type, ...body }: Batch['requests'][number],
    context: RequestContext,
  ): Promise<BatchedReply> {
    try {
      const contract: Contract = batchedContracts[type satisfies BatchedType];
      const handler = this.handlers.get(contract);
      if (handler === undefined) throw new SkeinError('unavailable', `'${type}' is not served`);
      const reply = await handler(parseBody(contract.request, body, 'The request'), context);
      return { ok: true, reply };
    } catch (thrown) {
      if (!(thrown instanceof SkeinError)) throw thrown;
      return { ok: false, error: thrown.toBody() };
    }
  }
}

/** What does not fit after those before it is to be asked for alone. */
export function fitting(replies: readonly BatchedReply[]): BatchedReply[] {
  let characters = 0;
  return replies.map((reply, at) => {
    const size = reply.ok === true ? charactersOf(reply.reply) : 0;
    if (at > 0 && size > 0 && characters + size > maxBatchCharacters) return { ok: 'alone' };
    characters += size;
    return reply;
  });
}

/** Text in keys and values, wherever in the reply they are; the rest is small. */
function charactersOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  let characters = 0;
  if (Array.isArray(value)) {
    for (const each of value) characters += 150 + charactersOf(each);
    return characters;
  }
  for (const name in value) characters += charactersOf((value as Record<string, unknown>)[name]);
  return characters;
}
