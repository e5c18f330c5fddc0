// Writes on their way through the log: gathers the requests of a turn into one entry, remembers which entry carries whose
// request, and tells each caller what came of it. Says `not_leader` only of what certainly was not and will not be done.

import { SkeinError } from '@skein/contracts';
import type { LogEntry, Proposal, ProposalOutcome } from '@skein/raft';
import {
  decodeCommand,
  encodeCommandOf,
  type Outcome,
  type StoreCommand,
  type StoreReply,
  type StoreRequest,
} from '@skein/store';

/** Entries on their way at once; further requests gather meanwhile and go together. */
const maxEntriesInFlight = 2;
const maxRequestsPerEntry = 512;
/** Text of the requests in one entry, of three bytes a character at most; the core takes 768 KiB. One request may exceed it. */
const maxEntryCharacters = 250 * 1024;
/** Requests waiting for an entry. */
export const maxWaitingRequests = 8_192;
/** Their text: many large ones would take all memory long before they are too many. */
export const maxWaitingCharacters = 64 * 1024 * 1024;

interface Waiting {
  readonly request: StoreRequest;
  readonly text: string;
  readonly resolve: (outcome: Outcome<StoreReply>) => void;
  readonly reject: (error: SkeinError) => void;
}

interface InFlight {
  readonly command: StoreCommand;
  readonly waiting: readonly Waiting[];
  /** Known once the core has accepted it. */
  index: number;
  term: number;
}

export class Proposals {
  private waiting: Waiting[] = [];
  private waitingCharacters = 0;
  private isFlushScheduled = false;
  private nextId = 1;
  private readonly byId = new Map<number, InFlight>();
  private readonly byIndex = new Map<number, InFlight>();

  constructor(
    private readonly propose: (proposals: readonly Proposal[]) => void,
    private readonly now: () => number,
  ) {}

  /** Resolves with the state machine's answer once the request is applied. */
  submit(request: StoreRequest): Promise<Outcome<StoreReply>> {
    const text = JSON.stringify(request);
    const isFull = this.waitingCharacters + text.length > maxWaitingCharacters;
    if (isFull || this.waiting.length >= maxWaitingRequests) {
      const facts = { waiting: this.waiting.length };
      throw new SkeinError('overloaded', 'Too many writes are waiting', { facts });
    }
    this.waitingCharacters += text.length;
    return new Promise((resolve, reject) => {
      this.waiting.push({ request, text, resolve, reject });
      this.scheduleFlush();
    });
  }

  settled(outcome: ProposalOutcome): void {
    const id = outcome.id ?? 0;
    const inFlight = this.byId.get(id);
    this.byId.delete(id);
    if (inFlight === undefined) return;
    if (!outcome.accepted) {
      const { code, message } = refusals[outcome.code];
      for (const { reject } of inFlight.waiting) reject(new SkeinError(code, message));
      return;
    }
    inFlight.index = outcome.index;
    inFlight.term = outcome.term;
    this.byIndex.set(outcome.index, inFlight);
  }

  /** The command of a committed entry; spares decoding what was encoded here. */
  commandOf(entry: LogEntry): StoreCommand {
    const own = this.byIndex.get(entry.index);
    return own?.term === entry.term ? own.command : decodeCommand(entry.data);
  }

  /** An entry was applied: answers those who wait for it, and those whose entry it has replaced. */
  applied(entry: LogEntry, outcomes: readonly Outcome<StoreReply>[]): void {
    const inFlight = this.byIndex.get(entry.index);
    if (inFlight === undefined) return;
    this.byIndex.delete(entry.index);
    for (const [at, { resolve, reject }] of inFlight.waiting.entries()) {
      const outcome = outcomes[at];
      if (inFlight.term === entry.term && outcome !== undefined) resolve(outcome);
      else reject(new SkeinError('not_leader', 'A new leader has replaced the entry'));
    }
    this.scheduleFlush();
  }

  /** Leadership is lost: what is in the log may still be committed by the next leader. */
  abandon(): void {
    for (const { reject } of this.takeWaiting(this.waiting.length)) {
      reject(new SkeinError('not_leader', 'This replica no longer leads'));
    }
    for (const inFlight of this.byIndex.values()) {
      for (const { request, reject } of inFlight.waiting) reject(unknownOutcome(request));
    }
    this.byIndex.clear();
  }

  private scheduleFlush(): void {
    if (this.isFlushScheduled || this.waiting.length === 0) return;
    this.isFlushScheduled = true;
    queueMicrotask(() => {
      this.isFlushScheduled = false;
      this.flush();
    });
  }

  private flush(): void {
    const proposals: Proposal[] = [];
    while (this.waiting.length > 0 && this.byIndex.size + proposals.length < maxEntriesInFlight) {
      const waiting = this.takeWaiting(this.nextBatchSize());
      const at = this.now();
      const command = { at, requests: waiting.map(({ request }) => request) };
      const data = encodeCommandOf(
        at,
        waiting.map(({ text }) => text),
      );
      const id = (this.nextId += 1);
      this.byId.set(id, { command, waiting, index: 0, term: 0 });
      proposals.push({ id, data });
    }
    if (proposals.length > 0) this.propose(proposals);
  }

  private takeWaiting(count: number): Waiting[] {
    const taken = this.waiting.splice(0, count);
    for (const { text } of taken) this.waitingCharacters -= text.length;
    return taken;
  }

  private nextBatchSize(): number {
    let characters = 0;
    const limit = Math.min(this.waiting.length, maxRequestsPerEntry);
    for (let size = 0; size < limit; size += 1) {
      characters += this.waiting[size]?.text.length ?? 0;
      if (characters > maxEntryCharacters && size > 0) return size;
    }
    return limit;
  }
}

/** A client that numbers its requests may simply ask again; for another, asking again might do it twice. */
function unknownOutcome(request: StoreRequest): SkeinError {
  const isRepeatable = 'once' in request && request.once !== undefined;
  const facts = { outcome: 'unknown' };
  return isRepeatable
    ? new SkeinError('unavailable', 'Leadership was lost while the write was on its way', { facts })
    : new SkeinError('unknown_outcome', 'Leadership was lost while the write was on its way', {
        facts,
      });
}

const refusals = {
  not_leader: { code: 'not_leader', message: 'This replica does not lead' },
  transferring: { code: 'unavailable', message: 'Leadership is being handed over' },
  overloaded: { code: 'overloaded', message: 'Too much is waiting to be committed' },
  too_large: { code: 'payload_too_large', message: 'The write does not fit into one log entry' },
  unsupported: { code: 'internal', message: 'The core does not take this' },
} as const;
