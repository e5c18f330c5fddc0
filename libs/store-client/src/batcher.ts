// Gathers the requests of one turn, and those that come while batches are on their way, into one message. A request alone goes as
// itself. Each has its own deadline, answer and refusal; what is sent again, and when, is its caller's to decide.

import {
  batchContract,
  batchedContracts,
  type BatchedReply,
  type BatchedType,
  maxBatchCharacters,
  maxBatchRequests,
  type Contract,
  type ReplyOf,
  type RequestOf,
  SkeinError,
} from '@skein/contracts';
import { Deadline, onBehalfOf, type OnBehalfOf } from '@skein/messaging';
import { sizeOf } from './request-size';

export interface BatcherPorts {
  /** Sends a request as a message of its own. */
  request<C extends Contract>(
    contract: C,
    body: RequestOf<C>,
    deadline: Deadline,
    onBehalf: OnBehalfOf,
  ): Promise<ReplyOf<C>>;
}

/** Batches of one kind on their way at once: one is worked on while another travels. */
export const maxBatchesInFlight = 2;

interface Waiting {
  readonly type: BatchedType;
  readonly body: object;
  readonly size: number;
  readonly deadline: Deadline;
  readonly onBehalf: OnBehalfOf;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: SkeinError) => void;
  isSent: boolean;
}

/** One for reads and one for writes, so that none waits for what the other does. */
export class Batcher {
  private queue: Waiting[] = [];
  private readonly unanswered = new Set<Waiting>();
  private inFlight = 0;
  private generation = 0;
  private isScheduled = false;
  private timer: NodeJS.Timeout | undefined;
  private timerAt = Infinity;

  constructor(
    private readonly ports: BatcherPorts,
    private readonly isForWrites: boolean,
  ) {}

  send<T extends BatchedType>(
    type: T,
    body: RequestOf<(typeof batchedContracts)[T]>,
    deadline: Deadline,
    onBehalf: OnBehalfOf,
  ): Promise<ReplyOf<(typeof batchedContracts)[T]>> {
    return new Promise((resolve, reject) => {
      const size = sizeOf(body);
      const answered = resolve as (reply: unknown) => void;
      const call = { type, body, size, deadline, onBehalf };
      const waiting = { ...call, resolve: answered, reject, isSent: false };
      this.queue.push(waiting);
      this.unanswered.add(waiting);
      this.watchDeadline(deadline);
      this.schedule();
    });
  }

  /** A new leader: what the old one has not answered, it may never; its batches hold up nobody. */
  leaderChanged(): void {
    this.generation += 1;
    this.inFlight = 0;
    this.schedule();
  }

  private schedule(): void {
    if (this.isScheduled || this.queue.length === 0 || this.inFlight >= maxBatchesInFlight) return;
    this.isScheduled = true;
    // After every microtask of the turn: what the answers of one batch set off goes together.
    queueMicrotask(() => process.nextTick(() => this.flush()));
  }

  private flush(): void {
    this.isScheduled = false;
    while (this.queue.length > 0 && this.inFlight < maxBatchesInFlight) {
      const batch = this.take();
      if (batch.length === 0) continue;
      const { generation } = this;
      this.inFlight += 1;
      void this.deliver(batch).finally(() => {
        if (generation === this.generation) this.inFlight -= 1;
        this.schedule();
      });
    }
  }

  /** In the order in which they came; those that nobody waits for any more are left out. */
  private take(): Waiting[] {
    let size = 0;
    let taken = 0;
    for (const waiting of this.queue) {
      size += waiting.size;
      if (taken > 0 && (size > maxBatchCharacters || taken >= maxBatchRequests)) break;
      taken += 1;
    }
    const batch = this.queue.splice(0, taken).filter((waiting) => this.unanswered.has(waiting));
    for (const waiting of batch) waiting.isSent = true;
    return batch;
  }

  private async deliver(batch: readonly Waiting[]): Promise<void> {
    const [first] = batch;
    if (batch.length === 1 && first !== undefined) return this.sendAlone(first);
    const last = batch.map(({ deadline }) => deadline).reduce(later);
    const requests = batch.map(({ type, body }) => ({ type, ...body }));
    const all = onBehalfOf(
      batch.flatMap(({ onBehalf: { requestId, alsoFor = [] } }) => [requestId, ...alsoFor]),
    );
    try {
      const { replies } = await this.ports.request(batchContract, { requests }, last, all);
      const alone = batch.filter((waiting, at) => !this.takeReply(waiting, replies[at]));
      await Promise.all(alone.map((waiting) => this.sendAlone(waiting)));
    } catch (thrown) {
      for (const waiting of batch) this.refuse(waiting, SkeinError.from(thrown));
    }
  }

  /** False: there is no answer to it, it is to be asked for alone. */
  private takeReply(waiting: Waiting, reply: BatchedReply | undefined): boolean {
    if (reply?.ok === true) this.settle(waiting, () => waiting.resolve(reply.reply));
    else if (reply?.ok === false) this.refuse(waiting, SkeinError.fromBody(reply.error));
    else return false;
    return true;
  }

  private async sendAlone(waiting: Waiting): Promise<void> {
    const { type, body, deadline, onBehalf } = waiting;
    try {
      const contract: Contract = batchedContracts[type];
      const reply = await this.ports.request(contract, body, deadline, onBehalf);
      this.settle(waiting, () => waiting.resolve(reply));
    } catch (thrown) {
      this.refuse(waiting, SkeinError.from(thrown));
    }
  }

  private refuse(waiting: Waiting, error: SkeinError): void {
    // Of a batch as a whole it is said that it may have changed something; of a read never.
    const isOpen = error.code === 'unknown_outcome' && !this.isForWrites;
    this.settle(waiting, () => waiting.reject(isOpen ? noAnswer(false) : error));
  }

  private settle(waiting: Waiting, act: () => void): void {
    if (!this.unanswered.delete(waiting)) return;
    if (this.unanswered.size === 0) this.stopTimer();
    act();
  }

  /** One timer for the earliest deadline of all. */
  private watchDeadline(deadline: Deadline): void {
    const remainingMs = deadline.remainingMs();
    const at = performance.now() + remainingMs;
    if (at >= this.timerAt) return;
    this.stopTimer();
    this.timerAt = at;
    this.timer = setTimeout(() => this.expire(), Math.max(1, Math.ceil(remainingMs)));
  }

  private stopTimer(): void {
    clearTimeout(this.timer);
    this.timerAt = Infinity;
  }

  private expire(): void {
    this.timerAt = Infinity;
    for (const waiting of [...this.unanswered]) {
      if (!waiting.deadline.expired) this.watchDeadline(waiting.deadline);
      else if (waiting.isSent) this.refuse(waiting, noAnswer(this.isForWrites));
      else this.refuse(waiting, new SkeinError('unavailable', 'The request was not sent in time'));
    }
  }
}

function noAnswer(isWrite: boolean): SkeinError {
  return isWrite
    ? new SkeinError('unknown_outcome', 'It is not known whether the request took effect')
    : new SkeinError('deadline_exceeded', 'The answer did not come in time');
}

function later(one: Deadline, other: Deadline): Deadline {
  return Deadline.earlier(one, other) === one ? other : one;
}
