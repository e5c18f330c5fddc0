// Writes on their way through the log: gathers the requests of a turn into one entry, remembers which entry carries whose
// request, and tells each caller what came of it. Says `not_leader` only of what certainly was not and will not be done.

import type { LogEntry, Proposal, ProposalOutcome } from '@skein/raft';
import {
  decodeCommand,
  encodeCommandOf,
  type Outcome,
  type StoreCommand,
  type StoreReply,
  type StoreRequest,
} from '@skein/store';
import { refused, type Answer, type ReplicaRefusal } from './types';

/** Entries on their way at once; further requests gather meanwhile and go together. */
const maxEntriesInFlight = 2;
const maxRequestsPerEntry = 512;
/** Text of the requests in one entry, of three bytes a character at most; the core takes 768 KiB. One request may exceed it. */
const maxEntryCharacters = 250 * 1024;
/** Requests waiting for an entry. */
export const maxWaitingRequests = 8_192;
/** Their text: many large ones would take all memory long before they are too many. */
export const maxWaitingCharacters = 64 * 1024 * 1024;
/** After leadership is lost, how long it may take the next leader to say what became of an entry. */
export const orphanPatienceMs = 1_500;

interface Waiting {
  readonly request: StoreRequest;
  readonly text: string;
  readonly answer: Answer<StoreReply>;
}

interface InFlight {
  readonly command: StoreCommand;
  readonly waiting: readonly Waiting[];
  /** Known once the core has accepted it. */
  index: number;
  term: number;
}

export interface ProposalPorts {
  propose(proposals: readonly Proposal[]): void;
  wallMs(): number;
  /** Something waits: `flush` is to be called at the end of the turn. */
  defer(): void;
}

export class Proposals {
  private waiting: Waiting[] = [];
  private waitingCharacters = 0;
  private nextId = 1;
  private readonly byId = new Map<number, InFlight>();
  /** Proposed in this leadership and not yet applied. */
  private byIndex = new Map<number, InFlight>();
  /** Left in the log when leadership was lost, until somebody tells what became of them or `orphansUntil`. */
  private readonly orphans = new Map<number, InFlight>();
  private orphansUntil = Infinity;

  constructor(private readonly ports: ProposalPorts) {}

  /** Entries whose callers are not answered yet. */
  get inFlight(): number {
    return this.byIndex.size + this.orphans.size;
  }

  /** Answers with what the state machine said once the request is applied. */
  submit(request: StoreRequest, answer: Answer<StoreReply>): void {
    const text = JSON.stringify(request);
    const isFull = this.waitingCharacters + text.length > maxWaitingCharacters;
    if (isFull || this.waiting.length >= maxWaitingRequests) {
      const facts = { waiting: this.waiting.length };
      answer(refused('overloaded', 'Too many writes are waiting', { facts }));
      return;
    }
    this.waitingCharacters += text.length;
    this.waiting.push({ request, text, answer });
    this.ports.defer();
  }

  settled(outcome: ProposalOutcome): void {
    const id = outcome.id ?? 0;
    const inFlight = this.byId.get(id);
    this.byId.delete(id);
    if (inFlight === undefined) return;
    if (!outcome.accepted) {
      const refusal = refusalFor(outcome.code);
      for (const { answer } of inFlight.waiting) answer({ ok: false, refusal });
      return;
    }
    inFlight.index = outcome.index;
    inFlight.term = outcome.term;
    this.byIndex.set(outcome.index, inFlight);
  }

  /** The command of a committed entry; spares decoding what was encoded here. */
  commandOf(entry: LogEntry): StoreCommand {
    const own = this.byIndex.get(entry.index) ?? this.orphans.get(entry.index);
    return own?.term === entry.term ? own.command : decodeCommand(entry.data);
  }

  /** An entry was applied: answers those who wait for it, and those whose entry it has replaced. */
  applied(entry: LogEntry, outcomes: readonly Outcome<StoreReply>[]): void {
    if (this.byIndex.size > 0) this.answerFrom(this.byIndex, entry, outcomes);
    if (this.orphans.size > 0) this.answerFrom(this.orphans, entry, outcomes);
    if (this.waiting.length > 0) this.ports.defer();
  }

  /**
   * Leadership is lost. What was not proposed never will be; what is in the log may still be committed by the next leader,
   * who will soon tell: the entry itself, or another in its place.
   */
  leadershipLost(nowMs: number): void {
    for (const { answer } of this.takeWaiting(this.waiting.length)) {
      answer(refused('not_leader', 'This replica no longer leads'));
    }
    const left = this.byIndex;
    this.byIndex = new Map();
    for (const [index, inFlight] of left) {
      const earlier = this.orphans.get(index);
      this.orphans.set(index, inFlight);
      if (earlier !== undefined) answerUnknown(earlier);
    }
    this.orphansUntil = nowMs + orphanPatienceMs;
  }

  tick(nowMs: number): void {
    if (this.orphans.size > 0 && nowMs >= this.orphansUntil) this.giveUp(Infinity);
  }

  /** Nobody will tell any more what became of orphans up to here: a snapshot covers them, or patience has run out. */
  giveUp(throughIndex: number): void {
    for (const [index, inFlight] of this.orphans) {
      if (index > throughIndex) continue;
      this.orphans.delete(index);
      answerUnknown(inFlight);
    }
  }

  private answerFrom(
    kept: Map<number, InFlight>,
    entry: LogEntry,
    outcomes: readonly Outcome<StoreReply>[],
  ): void {
    const inFlight = kept.get(entry.index);
    if (inFlight === undefined) return;
    kept.delete(entry.index);
    const isOwn = inFlight.term === entry.term;
    for (let at = 0; at < inFlight.waiting.length; at += 1) {
      const outcome = outcomes[at];
      const answered = isOwn && outcome !== undefined ? outcome : replaced;
      inFlight.waiting[at]?.answer(answered);
    }
  }

  flush(): void {
    if (this.waiting.length === 0) return;
    const proposals: Proposal[] = [];
    while (this.waiting.length > 0 && this.byIndex.size + proposals.length < maxEntriesInFlight) {
      const waiting = this.takeWaiting(this.nextBatchSize());
      const at = this.ports.wallMs();
      const command = { at, requests: waiting.map(({ request }) => request) };
      const data = encodeCommandOf(
        at,
        waiting.map(({ text }) => text),
      );
      const id = (this.nextId += 1);
      this.byId.set(id, { command, waiting, index: 0, term: 0 });
      proposals.push({ id, data });
    }
    if (proposals.length > 0) this.ports.propose(proposals);
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

const replaced = refused('not_leader', 'A new leader has replaced the entry');

function answerUnknown({ waiting }: InFlight): void {
  for (const { request, answer } of waiting) {
    answer({ ok: false, refusal: unknownOutcome(request) });
  }
}

/** A client that numbers its requests may simply ask again; for another, asking again might do it twice. */
function unknownOutcome(request: StoreRequest): ReplicaRefusal {
  const isRepeatable = 'once' in request && request.once !== undefined;
  return {
    code: isRepeatable ? 'unavailable' : 'unknown_outcome',
    message: 'Leadership was lost while the write was on its way',
    facts: { outcome: 'unknown' },
  };
}

function refusalFor(code: Extract<ProposalOutcome, { accepted: false }>['code']): ReplicaRefusal {
  switch (code) {
    case 'not_leader':
      return { code, message: 'This replica does not lead' };
    case 'transferring':
      return { code: 'unavailable', message: 'Leadership is being handed over' };
    case 'overloaded':
      return { code, message: 'Too much is waiting to be committed' };
    case 'too_large':
      return { code: 'payload_too_large', message: 'The write does not fit into one log entry' };
    default:
      return { code: 'internal', message: 'The core does not take this' };
  }
}
