// The events of each revision since the last compaction: what a watch reads. Revisions are dense, so a revision's place is
// its distance from the first kept one. Knows nothing of who watches.

import { spanHolds, type Span } from './span';
import { refuse, type Outcome, type RevisionEvents, type StoreEvent } from './types';

export interface EventsQuery {
  /** First revision wanted. */
  readonly from: number;
  readonly span?: Span;
  /** Keep each event's previous value; they are left out by default. */
  readonly previous?: boolean;
  /** Most revisions to look at in one call. */
  readonly limit?: number;
}

export interface EventsSlice {
  /** Everything up to here was looked at; the next query starts after it. */
  readonly through: number;
  /** Revisions that hold at least one event of the span, ascending. */
  readonly revisions: RevisionEvents[];
}

export class History {
  private log: RevisionEvents[] = [];
  private start = 0;

  /** `first` is the lowest revision that the log can hold: one above the compacted one. */
  constructor(private first = 1) {}

  get next(): number {
    return this.first + this.log.length - this.start;
  }

  get length(): number {
    return this.log.length - this.start;
  }

  add(entry: RevisionEvents): void {
    if (entry.revision !== this.next) {
      throw new Error(`history: revision ${entry.revision} where ${this.next} was due`);
    }
    this.log.push(entry);
  }

  since(query: EventsQuery): Outcome<EventsSlice> {
    if (query.from < this.first) {
      return refuse('revision_compacted', `Events before revision ${this.first} are compacted`, {
        field: 'fromRevision',
        facts: { compactRevision: this.first - 1 },
      });
    }
    const end = Math.min(this.next, query.from + (query.limit ?? Infinity));
    const revisions: RevisionEvents[] = [];
    for (let revision = query.from; revision < end; revision += 1) {
      const entry = this.at(revision);
      const events = entry === undefined ? [] : select(entry.events, query);
      if (entry !== undefined && events.length > 0) revisions.push({ ...entry, events });
    }
    return { ok: true, reply: { through: Math.max(end, query.from) - 1, revisions } };
  }

  /** Drops all up to `revision`, which must be in the log, and hands over what went. */
  compact(revision: number): RevisionEvents[] {
    const dropped = this.log.slice(this.start, this.start + revision - this.first + 1);
    this.start += dropped.length;
    this.first = revision + 1;
    // Copying on each compaction would make many small ones quadratic.
    if (this.start * 2 > this.log.length) {
      this.log = this.log.slice(this.start);
      this.start = 0;
    }
    return dropped;
  }

  entries(): RevisionEvents[] {
    return this.log.slice(this.start);
  }

  private at(revision: number): RevisionEvents | undefined {
    return this.log[this.start + revision - this.first];
  }
}

function select(events: readonly StoreEvent[], query: EventsQuery): StoreEvent[] {
  const chosen: StoreEvent[] = [];
  for (const event of events) {
    if (query.span !== undefined && !spanHolds(query.span, event.kv.key)) continue;
    if (query.previous === true || event.previous === undefined) chosen.push(event);
    else chosen.push({ type: event.type, kv: event.kv });
  }
  return chosen;
}
