// The one history that a run may have: every entry that any replica has ever held as committed, applied in
// order to a store of its own. Replicas, answers and watches are compared with it. It must not know who
// committed what, nor how.
import { decodeConfiguration, type Configuration, type LogEntry } from '@skein/raft';
import {
  createStore,
  decodeCommand,
  spanHolds,
  type KeyValue,
  type Once,
  type Outcome,
  type RevisionEvents,
  type Span,
  type Store,
  type StoreReply,
  type StoreRequest,
} from '@skein/store';

/** What became of one numbered request, the first time that it was applied. */
export interface Effect {
  readonly index: number;
  readonly atMs: number;
  readonly position: number;
  readonly request: StoreRequest;
  readonly outcome: Outcome<StoreReply>;
}

/** A revision, who asked for it, and its place in the order of what was seen. */
export interface CommittedWrite {
  readonly revision: number;
  readonly position: number;
  readonly once: string | null;
  readonly events: RevisionEvents['events'];
}

export interface LeaseEnd {
  readonly lease: string;
  readonly atMs: number;
}

interface Version {
  readonly revision: number;
  /** Null where it was deleted. */
  readonly kv: KeyValue | null;
}

export class CommittedLog {
  /** Entry i has index i + 1. */
  readonly entries: LogEntry[] = [];
  /** The term of the leader that was first seen to commit the entry. */
  readonly committedInTerm: number[] = [];
  /** Revision i + 1, with previous values. */
  readonly events: RevisionEvents[] = [];
  readonly configurations: { readonly index: number; readonly configuration: Configuration }[] = [];
  readonly effects = new Map<string, Effect>();
  readonly writes: CommittedWrite[] = [];
  readonly leaseEnds: LeaseEnd[] = [];
  /** Values that were put at more than one revision though they are unique. */
  readonly repeatedValues: string[] = [];
  private readonly store: Store = createStore();
  private readonly hashes: string[] = [];
  private readonly revisionAtIndex: number[] = [0];
  private readonly committedAtMs: number[] = [];
  private readonly versions = new Map<string, Version[]>();
  private readonly values = new Map<string, number>();

  get lastIndex(): number {
    return this.entries.length;
  }

  get revision(): number {
    return this.store.status.revision;
  }

  add(entry: LogEntry, term: number, atMs: number, position: number): void {
    this.entries.push(entry);
    this.committedInTerm.push(term);
    this.committedAtMs.push(atMs);
    if (entry.kind === 'configuration') this.addConfiguration(entry);
    const command = entry.kind === 'command' ? decodeCommand(entry.data) : null;
    const outcomes = this.store.apply(entry.index, command);
    command?.requests.forEach((request, at) => {
      const outcome = outcomes[at] as Outcome<StoreReply>;
      const effect = { index: entry.index, atMs, position, request, outcome };
      if ('once' in request && request.once !== undefined) {
        const name = nameOf(request.once);
        if (!this.effects.has(name)) this.effects.set(name, effect);
      }
      if (request.type === 'expireLease' && outcome.ok) {
        this.leaseEnds.push({ lease: request.lease, atMs });
      }
    });
    this.takeEvents(position, askersOf(command?.requests ?? [], outcomes));
    this.hashes.push(hashOf(this.store));
    this.revisionAtIndex.push(this.revision);
  }

  private addConfiguration(entry: LogEntry): void {
    const configuration = configurationIn(entry);
    this.configurations.push({ index: entry.index, configuration });
  }

  private takeEvents(position: number, askers: ReadonlyMap<number, string>): void {
    const from = this.events.length + 1;
    const outcome = this.store.eventsSince({ from, previous: true });
    if (!outcome.ok) throw new Error('the history was compacted in the entry that wrote it');
    for (const revision of outcome.reply.revisions) {
      this.events.push(revision);
      const once = askers.get(revision.revision) ?? null;
      const { events } = revision;
      this.writes.push({ revision: revision.revision, position, once, events });
      for (const { type, kv } of revision.events) this.takeEvent(type, kv, revision.revision);
    }
  }

  private takeEvent(type: 'put' | 'delete', kv: KeyValue, revision: number): void {
    const versions = this.versions.get(kv.key);
    const version = { revision, kv: type === 'put' ? kv : null };
    if (versions === undefined) this.versions.set(kv.key, [version]);
    else versions.push(version);
    if (type !== 'put') return;
    const place = `${kv.key}=${kv.value}`;
    const before = this.values.get(place);
    if (before !== undefined && before !== revision) this.repeatedValues.push(place);
    this.values.set(place, revision);
  }

  hashAt(index: number): string | undefined {
    return this.hashes[index - 1];
  }

  revisionAfter(index: number): number {
    return this.revisionAtIndex[index] ?? 0;
  }

  /** The newest revision that was committed at that time. */
  revisionAtTime(atMs: number): number {
    let low = 0;
    let high = this.committedAtMs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.committedAtMs[middle] as number) <= atMs) low = middle + 1;
      else high = middle;
    }
    return this.revisionAfter(low);
  }

  /** The keys of a span as of a revision, ascending. */
  stateAt(revision: number, span: Span): KeyValue[] {
    const found: KeyValue[] = [];
    for (const key of [...this.versions.keys()].sort()) {
      if (!spanHolds(span, key)) continue;
      const kv = this.versionAt(key, revision);
      if (kv !== null) found.push(kv);
    }
    return found;
  }

  private versionAt(key: string, revision: number): KeyValue | null {
    const versions = this.versions.get(key) ?? [];
    for (let at = versions.length - 1; at >= 0; at -= 1) {
      const version = versions[at] as Version;
      if (version.revision <= revision) return version.kv;
    }
    return null;
  }

  /** What a watch over the span must show of the revisions after one and through another. */
  eventsBetween(after: number, through: number, span: Span): RevisionEvents[] {
    return this.events.slice(after, through).flatMap(({ revision, at, events }) => {
      const chosen = events.filter(({ kv }) => spanHolds(span, kv.key));
      return chosen.length === 0 ? [] : [{ revision, at, events: chosen }];
    });
  }

  effectOf(once: Once): Effect | undefined {
    return this.effects.get(nameOf(once));
  }
}

/** Which numbered request has made which revision: the last one that was answered with it first. */
function askersOf(
  requests: readonly StoreRequest[],
  outcomes: readonly Outcome<StoreReply>[],
): Map<number, string> {
  const askers = new Map<number, string>();
  requests.forEach((request, at) => {
    const outcome = outcomes[at];
    if (outcome?.ok !== true || !('once' in request) || request.once === undefined) return;
    const { revision } = outcome.reply;
    if (!askers.has(revision)) askers.set(revision, nameOf(request.once));
  });
  return askers;
}

/** Equal on replicas that applied the same entries. */
export function hashOf(store: Store): string {
  return store.status.stateHash;
}

export function nameOf({ client, sequence }: Once): string {
  return `${client}:${sequence}`;
}

export function configurationIn(entry: LogEntry): Configuration {
  const decoded = decodeConfiguration(entry.data);
  if (decoded === null) throw new Error('an unreadable configuration');
  return decoded;
}
