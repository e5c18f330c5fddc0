// Every question that a replica was asked is answered, once, as long as the replica lives. It must not know
// what was asked, nor what the answers mean.
import type { Answer } from '@skein/replica';
import type { ClusterReplica } from './replica';
import type { Violations } from './violations';

/** An answer takes at most this long from a member of a cluster without faults, in milliseconds. */
export const PATIENCE_MS = 12_000;

interface Question {
  readonly replica: ClusterReplica;
  readonly life: number;
  readonly what: string;
  readonly atMs: number;
}

export class Promises {
  private readonly open = new Map<number, Question>();
  private nextId = 0;

  constructor(
    private readonly now: () => number,
    private readonly violations: Violations,
  ) {}

  expect<Reply>(replica: ClusterReplica, what: string, answer: Answer<Reply>): Answer<Reply> {
    const id = this.nextId;
    this.nextId += 1;
    this.open.set(id, { replica, life: replica.life, what, atMs: this.now() });
    return (answered) => {
      if (!this.open.delete(id)) {
        this.violations.report('every call is answered', `${replica.id} answers a ${what} twice`);
      }
      answer(answered);
    };
  }

  /** After faults have been gone for long enough: what these members still owe. */
  check(members: readonly ClusterReplica[]): void {
    for (const { replica, life, what, atMs } of this.open.values()) {
      if (replica.life !== life || !replica.isUp || !members.includes(replica)) continue;
      if (this.now() - atMs < PATIENCE_MS) continue;
      const detail = `${replica.id} owes the answer to a ${what} since ${Math.round(atMs)} ms`;
      this.violations.report('every call is answered', detail);
    }
  }
}
