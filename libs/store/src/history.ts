// The writes of each revision since the last compaction: what a watch reads. Revisions are dense, so a revision's place is its
// distance from the first kept one; three plain lists hold what it wrote, when, and how much it made obsolete. Events are made
// when somebody asks. Knows nothing of who watches.

import { type KeyIndex } from './key-index';
import { spanHolds, type Span } from './span';
import { refuse, type KeyValue, type Outcome, type RevisionEvents, type StoreEvent } from './types';

export type EventFilter = 'noput' | 'nodelete';

export interface EventsQuery {
  /** First revision wanted. */
  readonly from: number;
  readonly span?: Span;
  /** Keep each event's previous value; they are left out by default. */
  readonly previous?: boolean;
  /** Most revisions to look at in one call. */
  readonly limit?: number;
  /** Kinds of events to leave out. */
  readonly filters?: readonly EventFilter[];
}

export interface EventsSlice {
  /** Everything up to here was looked at; the next query starts after it. */
  readonly through: number;
  /** Revisions that hold at least one event of the span, ascending. */
  readonly revisions: RevisionEvents[];
}

/** What a revision wrote: a list only if it is more than one key. */
export type Written = KeyValue | KeyValue[];

/** A part of the history as it was at one moment; later writes and compactions leave it alone. */
export interface HistoryView {
  readonly first: number;
  readonly next: number;
  at(revision: number): { readonly at: number; readonly written: Written };
}

/** Lists are cut when this much, and half of them, has gone: cutting at each compaction would make many small ones quadratic. */
const leastCut = 4_096;

export class History {
  // Place 0 of the lists is revision `base`; below `swept` they hold nothing any more.
  private writes: (Written | undefined)[] = [];
  private times: number[] = [];
  private obsolete: number[] = [];
  private base: number;
  private swept: number;

  /** `first` is the lowest revision that can be read: one above the compacted one. */
  constructor(private first = 1) {
    this.base = first;
    this.swept = first;
  }

  get next(): number {
    return this.base + this.writes.length;
  }

  get length(): number {
    return this.next - this.first;
  }

  /** `obsoleteBytes` is the sum, over all revisions so far, of what they replaced. */
  add(revision: number, at: number, written: Written, obsoleteBytes: number): void {
    if (revision !== this.next) {
      throw new Error(`history: revision ${revision} where ${this.next} was due`);
    }
    this.writes.push(written);
    this.times.push(at);
    this.obsolete.push(obsoleteBytes);
  }

  since(query: EventsQuery, index: KeyIndex): Outcome<EventsSlice> {
    if (query.from < this.first) {
      return refuse('revision_compacted', `Events before revision ${this.first} are compacted`, {
        field: 'fromRevision',
        facts: { compactRevision: this.first - 1 },
      });
    }
    const end = Math.min(this.next, query.from + (query.limit ?? Infinity));
    const revisions: RevisionEvents[] = [];
    for (let revision = query.from; revision < end; revision += 1) {
      const { at, written } = this.at(revision);
      const events = eventsOf(written, query, index);
      if (events.length > 0) revisions.push({ revision, at, events });
    }
    return { ok: true, reply: { through: Math.max(end, query.from) - 1, revisions } };
  }

  /** What had become obsolete by the end of a kept revision. */
  obsoleteAt(revision: number): number {
    return this.obsolete[revision - this.base] ?? 0;
  }

  /** The newest kept revision that was committed at `timeMs` or before. */
  revisionAt(timeMs: number): number | undefined {
    let low = this.first - this.base;
    const start = low;
    let high = this.times.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.times[middle] ?? 0) <= timeMs) low = middle + 1;
      else high = middle;
    }
    return low === start ? undefined : this.base + low - 1;
  }

  /** Nobody sees the revisions up to this one any more; `sweep` forgets them. */
  compact(revision: number): void {
    this.first = revision + 1;
  }

  /** Takes out one compacted revision that is still held, the oldest; `undefined` if there is none. */
  sweep(): Written | undefined {
    if (this.swept >= this.first) return undefined;
    const place = this.swept - this.base;
    const written = this.writes[place];
    this.writes[place] = undefined;
    this.swept += 1;
    if (place > leastCut && place * 2 > this.writes.length) this.cut(place + 1);
    return written;
  }

  view(): HistoryView {
    const { writes, times, base } = this;
    return {
      first: this.first,
      next: this.next,
      at: (revision) => {
        const place = revision - base;
        return { at: times[place]!, written: writes[place]! };
      },
    };
  }

  private cut(count: number): void {
    this.writes = this.writes.slice(count);
    this.times = this.times.slice(count);
    this.obsolete = this.obsolete.slice(count);
    this.base += count;
  }

  private at(revision: number): { at: number; written: Written } {
    const place = revision - this.base;
    return { at: this.times[place]!, written: this.writes[place]! };
  }
}

function eventsOf(written: Written, query: EventsQuery, index: KeyIndex): StoreEvent[] {
  if (!Array.isArray(written)) {
    return isWanted(written, query) ? [eventOf(written, query, index)] : [];
  }
  const events: StoreEvent[] = [];
  for (const kv of written) if (isWanted(kv, query)) events.push(eventOf(kv, query, index));
  return events;
}

function isWanted(kv: KeyValue, { span, filters }: EventsQuery): boolean {
  if (span !== undefined && !spanHolds(span, kv.key)) return false;
  return filters === undefined || !filters.includes(kv.version === 0 ? 'nodelete' : 'noput');
}

/** What a revision replaced is still in the index as long as the revision itself is not compacted. */
function eventOf(kv: KeyValue, query: EventsQuery, index: KeyIndex): StoreEvent {
  const type = kv.version === 0 ? 'delete' : 'put';
  const before = query.previous === true ? index.get(kv.key, kv.modRevision - 1) : undefined;
  return before === undefined ? { type, kv } : { type, kv, previous: before };
}
