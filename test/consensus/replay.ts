// The committed log applied once more, entry by entry: what each request came to, every event with the value that it replaced,
// and when each lease was ended. What clients and watches saw is judged against this.

import type { LogEntry } from '@skein/raft';
import {
  createStore,
  decodeCommand,
  type KeyValue,
  type Outcome,
  type RevisionEvents,
  type Store,
  type StoreReply,
  type StoreRequest,
} from '@skein/store';

export interface AppliedWrite {
  readonly request: StoreRequest;
  readonly outcome: Outcome<StoreReply>;
  /** The store's revision before and after it. */
  readonly before: number;
  readonly revision: number;
}

export interface Replay {
  readonly store: Store;
  /** By `client/sequence`. */
  readonly writes: ReadonlyMap<string, AppliedWrite>;
  /** Events of all revisions, in order. */
  readonly events: readonly RevisionEvents[];
  /** What a key held from each revision at which it changed. */
  readonly versions: ReadonlyMap<string, readonly KeyValue[]>;
  /** When the leader of the time asked for the end of each lease that ran out. */
  readonly expiredAt: ReadonlyMap<string, number>;
  readonly faults: readonly string[];
}

export function replay(entries: readonly LogEntry[]): Replay {
  const run = new ReplayRun();
  for (const entry of entries) run.apply(entry);
  return run;
}

class ReplayRun implements Replay {
  readonly store = createStore();
  readonly writes = new Map<string, AppliedWrite>();
  readonly events: RevisionEvents[] = [];
  readonly versions = new Map<string, KeyValue[]>();
  readonly expiredAt = new Map<string, number>();
  readonly faults: string[] = [];
  private revision = 0;

  apply(entry: LogEntry): void {
    if (entry.kind !== 'command') {
      this.store.apply(entry.index, null);
      return;
    }
    const { at, requests } = decodeCommand(entry.data);
    // History is never cut here: watches are judged against all of it.
    const kept = requests.filter(({ type }) => type !== 'compact');
    const outcomes = this.store.apply(entry.index, { at, requests: kept });
    for (const [n, request] of kept.entries()) {
      const outcome = outcomes[n];
      if (outcome !== undefined) this.note(request, outcome, at);
    }
    this.readEvents();
  }

  private note(request: StoreRequest, outcome: Outcome<StoreReply>, at: number): void {
    const before = this.revision;
    if (outcome.ok) this.revision = Math.max(before, outcome.reply.revision);
    if (request.type === 'expireLease' && outcome.ok) this.expiredAt.set(request.lease, at);
    if (!('once' in request) || request.once === undefined) return;
    const name = `${request.once.client}/${request.once.sequence}`;
    if (this.writes.has(name)) return;
    this.writes.set(name, { request, outcome, before, revision: this.revision });
  }

  private readEvents(): void {
    const found = this.store.eventsSince({ from: this.events.length + 1, previous: true });
    if (!found.ok) throw new Error(found.refusal.message);
    for (const revision of found.reply.revisions) {
      this.events.push(revision);
      if (revision.revision !== this.events.length) {
        this.faults.push(`revision ${revision.revision} where ${this.events.length} was due`);
      }
      for (const { kv, previous } of revision.events) this.noteVersion(kv, previous);
    }
  }

  private noteVersion(kv: KeyValue, previous: KeyValue | undefined): void {
    const versions = this.versions.get(kv.key) ?? [];
    this.versions.set(kv.key, versions);
    const last = versions.at(-1);
    const live = last === undefined || last.version === 0 ? undefined : last;
    if (JSON.stringify(live) !== JSON.stringify(previous)) {
      this.faults.push(`revision ${kv.modRevision} tells a wrong previous value of ${kv.key}`);
    }
    versions.push(kv);
  }
}
