// What checkers say when a promise is broken. Collects a few and no more; knows nothing of what is checked.

export type ClusterRule =
  | 'election safety'
  | 'one vote a term'
  | 'log matching'
  | 'leader completeness'
  | 'state machine safety'
  | 'commit on quorum'
  | 'commit in own term'
  | 'committed is immutable'
  | 'monotone'
  | 'durable is monotone'
  | 'order of indices'
  | 'one configuration change'
  | 'quorums overlap'
  | 'recovering is not counted'
  | 'acknowledged is never lost'
  | 'refused is never done'
  | 'done once'
  | 'real time'
  | 'phantom read'
  | 'lease read'
  | 'bounded staleness'
  | 'read your writes'
  | 'lease ends early'
  | 'watch'
  | 'linearizability'
  | 'every call is answered'
  | 'liveness'
  | 'assertion';

export interface ClusterViolation {
  readonly rule: ClusterRule;
  readonly detail: string;
  readonly atMs: number;
}

const MAX_VIOLATIONS = 5;

export class Violations {
  readonly list: ClusterViolation[] = [];

  constructor(private readonly now: () => number) {}

  get isClean(): boolean {
    return this.list.length === 0;
  }

  report(rule: ClusterRule, detail: string): void {
    if (this.list.length >= MAX_VIOLATIONS) return;
    this.list.push({ rule, detail, atMs: Math.round(this.now()) });
  }
}
