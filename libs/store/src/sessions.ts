// Once-only requests: the answers kept for each client and sequence, so that a request that is sent again after a lost
// answer is answered again and not done again. Part of the replicated state: every replica keeps and evicts the same ones.

import { refuse, type Once, type Outcome, type StoreReply } from './types';

/** Clients kept; the one unused for longest goes first. A client retries for seconds, so thousands are plenty. */
export const maxClients = 4_096;
/** Answers kept a client; the lowest sequences go first and are then refused, never applied again. */
export const maxAnswersPerClient = 1_024;

export interface SessionSnapshot {
  readonly client: string;
  readonly settledBelow: number;
  readonly answers: readonly (readonly [number, Outcome<StoreReply>])[];
}

interface Session {
  settledBelow: number;
  readonly answers: Map<number, Outcome<StoreReply>>;
}

export class Sessions {
  // Invariant: a Map keeps insertion order and each use moves its client to the end, so the first one is the least recent.
  private readonly clients = new Map<string, Session>();

  /** The kept answer, or a refusal if it is gone for good, or `undefined` if the request is new. */
  recall(once: Once): Outcome<StoreReply> | undefined {
    const session = this.clients.get(once.client);
    if (session === undefined) return undefined;
    const kept = session.answers.get(once.sequence);
    if (kept !== undefined) return kept;
    if (once.sequence >= session.settledBelow) return undefined;
    return refuse('request_superseded', 'The client said that this request had been answered', {
      facts: { client: once.client, sequence: once.sequence, settledBelow: session.settledBelow },
    });
  }

  keep(once: Once, answer: Outcome<StoreReply>): void {
    const session = this.touch(once.client);
    this.settle(session, once.settledBelow ?? 0);
    session.answers.set(once.sequence, answer);
    if (session.answers.size > maxAnswersPerClient) {
      const lowest = Math.min(...session.answers.keys());
      this.settle(session, lowest + 1);
    }
  }

  snapshot(): SessionSnapshot[] {
    return [...this.clients].map(([client, session]) => ({
      client,
      settledBelow: session.settledBelow,
      answers: [...session.answers],
    }));
  }

  static restore(snapshot: readonly SessionSnapshot[]): Sessions {
    const sessions = new Sessions();
    for (const { client, settledBelow, answers } of snapshot) {
      sessions.clients.set(client, { settledBelow, answers: new Map(answers) });
    }
    return sessions;
  }

  private touch(client: string): Session {
    const session = this.clients.get(client) ?? { settledBelow: 0, answers: new Map() };
    this.clients.delete(client);
    this.clients.set(client, session);
    if (this.clients.size > maxClients) {
      const oldest = this.clients.keys().next();
      if (oldest.done !== true) this.clients.delete(oldest.value);
    }
    return session;
  }

  private settle(session: Session, below: number): void {
    if (below <= session.settledBelow) return;
    session.settledBelow = below;
    for (const sequence of session.answers.keys()) {
      if (sequence < below) session.answers.delete(sequence);
    }
  }
}
