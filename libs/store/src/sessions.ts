// Once-only requests: the answers kept for each client and sequence, so that a request that is sent again after a lost
// answer is answered again and not done again. Part of the replicated state: every replica keeps and evicts the same ones.

import { refuse, type Once, type Outcome, type StoreReply } from './types';

/** Clients kept; the one unused for longest goes first. A client retries for seconds, so thousands are plenty. */
export const maxClients = 4_096;
/** Answers kept a client; the first ones go first and are then refused, never applied again. */
export const maxAnswersPerClient = 1_024;
/** Characters of keys and values that a client's kept answers hold; the first ones go first, the last one stays. */
export const maxAnswerCharacters = 4 * 1024 * 1024;

/** A plain write's answer is its revision; anything else is kept whole. */
export type KeptAnswer = number | Outcome<StoreReply>;

export interface Session {
  readonly client: string;
  settledBelow: number;
  // Invariant: in the order in which they were kept.
  readonly answers: Map<number, KeptAnswer>;
  characters: number;
  /** A snapshot holds this very session: it is copied before it changes. */
  isShared: boolean;
}

export class Sessions {
  // Invariant: a Map keeps insertion order and each use moves its client to the end, so the first one is the least recent.
  private readonly clients = new Map<string, Session>();
  private newest: Session | undefined;

  /** The kept answer, or a refusal if it is gone for good, or `undefined` if the request is new. */
  recall(once: Once): Outcome<StoreReply> | undefined {
    const session = this.clients.get(once.client);
    if (session === undefined) return undefined;
    const kept = session.answers.get(once.sequence);
    if (typeof kept === 'number') return { ok: true, reply: { revision: kept } };
    if (kept !== undefined) return kept;
    if (once.sequence >= session.settledBelow) return undefined;
    return refuse('request_superseded', 'The client said that this request had been answered', {
      facts: { client: once.client, sequence: once.sequence, settledBelow: session.settledBelow },
    });
  }

  keep(once: Once, answer: Outcome<StoreReply>): void {
    const session = this.touch(once.client);
    settle(session, once.settledBelow ?? 0);
    const kept = compact(answer);
    session.answers.set(once.sequence, kept);
    session.characters += charactersOf(kept);
    while (
      session.answers.size > maxAnswersPerClient ||
      (session.characters > maxAnswerCharacters && session.answers.size > 1)
    ) {
      evictFirst(session);
    }
  }

  /** All sessions as they are now: whatever happens later leaves them alone. */
  share(): Session[] {
    const sessions = [...this.clients.values()];
    for (const session of sessions) session.isShared = true;
    return sessions;
  }

  /** Adds answers of a client, which come in the order in which they were kept. */
  restore(client: string, settledBelow: number, answers: readonly [number, KeptAnswer][]): void {
    const session = this.touch(client);
    session.settledBelow = settledBelow;
    for (const [sequence, answer] of answers) {
      session.answers.set(sequence, answer);
      session.characters += charactersOf(answer);
    }
  }

  private touch(client: string): Session {
    if (this.newest?.client === client && !this.newest.isShared) return this.newest;
    const session = own(this.clients.get(client), client);
    this.clients.delete(client);
    this.clients.set(client, session);
    this.newest = session;
    if (this.clients.size > maxClients) {
      const oldest = this.clients.keys().next();
      if (oldest.done !== true) this.clients.delete(oldest.value);
    }
    return session;
  }
}

function own(known: Session | undefined, client: string): Session {
  if (known === undefined) {
    return { client, settledBelow: 0, answers: new Map(), characters: 0, isShared: false };
  }
  if (!known.isShared) return known;
  return { ...known, answers: new Map(known.answers), isShared: false };
}

/** Answers are nearly always kept in the order of their numbers; one that was kept late goes a little later. */
function settle(session: Session, below: number): void {
  if (below <= session.settledBelow) return;
  session.settledBelow = below;
  for (const [sequence, answer] of session.answers) {
    if (sequence >= below) return;
    drop(session, sequence, answer);
  }
}

function evictFirst(session: Session): void {
  for (const [sequence, answer] of session.answers) {
    drop(session, sequence, answer);
    settle(session, sequence + 1);
    return;
  }
}

function drop(session: Session, sequence: number, answer: KeptAnswer): void {
  session.answers.delete(sequence);
  session.characters -= charactersOf(answer);
}

function compact(answer: Outcome<StoreReply>): KeptAnswer {
  if (!answer.ok) return answer;
  for (const name in answer.reply) if (name !== 'revision') return answer;
  return answer.reply.revision;
}

/** An estimate, the same on every replica: what an answer carries of keys and values. */
export function charactersOf(answer: KeptAnswer): number {
  if (typeof answer === 'number' || !answer.ok) return 0;
  return weigh(answer.reply);
}

function weigh(part: unknown): number {
  if (typeof part === 'string') return part.length;
  if (typeof part !== 'object' || part === null) return 8;
  let sum = 0;
  for (const value of Object.values(part)) sum += weigh(value);
  return sum;
}
