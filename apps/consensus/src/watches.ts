// The watches of the leader in office: who wants which keys from which revision, and how far each has been served. Decides
// what to send; sending is its caller's. A watch that its owner stops renewing ends.

import { SkeinError, subjectPrefix, type WatchMessage } from '@skein/contracts';
import {
  spanOf,
  type EventFilter,
  type RevisionEvents,
  type Span,
  type SpanRequest,
  type Store,
  type StoreEvent,
} from '@skein/store';

/** A watch lives this long after its opening and each renewal. */
export const watchTtlMs = 10_000;
/** What a client is told: renew at least so often. */
export const renewWithinMs = 3_000;
/** A watch without events is told how far it is this often; the client takes two missed ones for a lost leader. */
export const progressMs = 500;
export const maxWatches = 4_096;
const maxRevisionsPerMessage = 1_000;
/** A watch that is further behind goes on in the next turn. */
const maxLooksPerTurn = 4;
/** Below the server's payload limit of 1 MiB whatever the text: in JSON a character takes six bytes at most. */
const maxMessageCharacters = 160 * 1024;
/** What a message takes of an event that is larger than that, in bytes of JSON. */
const maxPartBytes = 960 * 1024;
/** Where events may go: the leader may publish anywhere, so a caller's word is not enough. */
const deliverPattern = new RegExp(`^${subjectPrefix.replaceAll('.', '\\.')}\\.watch(\\.[-\\w]+)+$`);

export interface WatchOpening extends SpanRequest {
  readonly watch: string;
  readonly fromRevision?: number | undefined;
  readonly deliver: string;
  readonly previous?: boolean | undefined;
  /** Kinds of events that are left out. */
  readonly filters?: readonly EventFilter[] | undefined;
}

interface Watch {
  readonly id: string;
  readonly span: Span;
  readonly deliver: string;
  readonly previous: boolean;
  readonly filters: readonly EventFilter[] | undefined;
  /** First revision not yet looked at. */
  next: number;
  /** Through which revision the receiver was told: what its next message comes after. */
  told: number;
  renewedAt: number;
  toldAt: number;
}

export interface Delivery {
  readonly deliver: string;
  readonly message: WatchMessage;
}

export class Watches {
  private readonly watches = new Map<string, Watch>();

  /** `store`: as of now; another one after a snapshot was installed. */
  constructor(private readonly storeOf: () => Store) {}

  private get store(): Store {
    return this.storeOf();
  }

  get size(): number {
    return this.watches.size;
  }

  /** Opens a watch, or renews the one of this id where it stands. Throws a refusal. */
  open(opening: WatchOpening, nowMs: number): void {
    const known = this.watches.get(opening.watch);
    if (known !== undefined) {
      known.renewedAt = nowMs;
      return;
    }
    if (!deliverPattern.test(opening.deliver)) {
      throw new SkeinError('invalid_request', `Events go to ${subjectPrefix}.watch.<name> only`, {
        field: 'deliver',
      });
    }
    if (this.watches.size >= maxWatches) {
      throw new SkeinError('overloaded', 'Too many watches', { facts: { limit: maxWatches } });
    }
    const { revision, compactRevision } = this.store.status;
    const next = opening.fromRevision || revision + 1;
    if (next <= compactRevision) {
      throw new SkeinError('revision_compacted', 'Events of this revision are compacted', {
        field: 'fromRevision',
        facts: { compactRevision },
      });
    }
    this.watches.set(opening.watch, {
      id: opening.watch,
      span: spanOf(opening),
      deliver: opening.deliver,
      previous: opening.previous === true,
      filters: opening.filters?.length ? opening.filters : undefined,
      next,
      told: Math.min(next - 1, revision),
      renewedAt: nowMs,
      toldAt: nowMs,
    });
  }

  close(id: string): void {
    this.watches.delete(id);
  }

  clear(): void {
    this.watches.clear();
  }

  /** Has `progress` tell this watch at once how far it is. */
  askProgress(id: string): void {
    const watch = this.watches.get(id);
    if (watch !== undefined) watch.toldAt = -Infinity;
  }

  /** Whatever is new for anyone, within limits: a watch that is far behind must not hold up the others or the leader. */
  *deliveries(nowMs: number): Generator<Delivery> {
    const { revision } = this.store;
    for (const watch of this.watches.values()) {
      for (let looks = 0; watch.next <= revision && looks < maxLooksPerTurn; looks += 1) {
        const found = this.look(watch);
        if (found === undefined) {
          yield this.cancel(watch);
          break;
        }
        if (found.length > 0) yield* this.eventsFor(watch, found, nowMs);
      }
    }
  }

  /** Called now and then: ends what was not renewed, tells idle watches how far they are. */
  *progress(nowMs: number): Generator<Delivery> {
    for (const watch of this.watches.values()) {
      if (nowMs - watch.renewedAt > watchTtlMs) this.watches.delete(watch.id);
      else if (nowMs - watch.toldAt >= progressMs) yield tell(watch, nowMs, this.reached(watch));
    }
  }

  /** Invariant: never ahead of what exists, though a watch may wait for a revision that is yet to come (etcd#15220). */
  private reached({ next }: Watch): number {
    return Math.min(next - 1, this.store.revision);
  }

  /** What it has not seen was compacted, as can happen right after its opening. */
  private cancel({ id: watch, deliver }: Watch): Delivery {
    this.watches.delete(watch);
    const { compactRevision } = this.store.status;
    const code = 'revision_compacted';
    return { deliver, message: { kind: 'canceled', watch, code, compactRevision } };
  }

  private look(watch: Watch): RevisionEvents[] | undefined {
    const { next: from, span, previous, filters } = watch;
    const limit = maxRevisionsPerMessage;
    const query = { from, span, previous, limit };
    const outcome = this.store.eventsSince(filters === undefined ? query : { ...query, filters });
    if (!outcome.ok) return undefined;
    watch.next = outcome.reply.through + 1;
    return outcome.reply.revisions;
  }

  /** One message, or several if the events are too large for one; a revision is split only if none could hold it. */
  private *eventsFor(
    watch: Watch,
    found: readonly RevisionEvents[],
    nowMs: number,
  ): Generator<Delivery> {
    let revisions: RevisionEvents[] = [];
    let characters = 0;
    for (const entry of found) {
      const size = sizeOf(entry);
      if (characters + size > maxMessageCharacters && revisions.length > 0) {
        yield tell(watch, nowMs, revisions.at(-1)?.revision ?? 0, revisions);
        [revisions, characters] = [[], 0];
      }
      const parts = size > maxMessageCharacters ? partsOf(entry) : [entry];
      const last = parts.pop() ?? entry;
      // Told through the revision before: whoever misses a part of it asks for all of it again.
      for (const part of parts) yield tell(watch, nowMs, entry.revision - 1, [part]);
      revisions.push(last);
      characters += size;
    }
    yield tell(watch, nowMs, watch.next - 1, revisions);
  }
}

/** Invariant: `after` is what the receiver was told last, so that it sees any message that it missed. */
function tell(
  watch: Watch,
  nowMs: number,
  through: number,
  revisions?: RevisionEvents[],
): Delivery {
  const head = { watch: watch.id, after: watch.told, through };
  watch.told = through;
  watch.toldAt = nowMs;
  const message: WatchMessage =
    revisions === undefined
      ? { kind: 'progress', ...head }
      : { kind: 'events', ...head, revisions };
  return { deliver: watch.deliver, message };
}

/** A large revision in parts that fit into a message each. An event that fits into none loses its previous value. */
function partsOf({ events, ...head }: RevisionEvents): RevisionEvents[] {
  const parts: RevisionEvents[] = [];
  let part: StoreEvent[] = [];
  let characters = 0;
  for (const whole of events) {
    const event = fitting(whole);
    const size = charactersOf(event);
    if (characters + size > maxMessageCharacters && part.length > 0) {
      parts.push({ ...head, events: part });
      [part, characters] = [[], 0];
    }
    part.push(event);
    characters += size;
  }
  return [...parts, { ...head, events: part }];
}

/** Only what could be too large is measured as JSON: most revisions in parts are many small events. */
function fitting(event: StoreEvent): StoreEvent {
  const { previous, ...bare } = event;
  if (previous === undefined || charactersOf(event) <= maxMessageCharacters) return event;
  return Buffer.byteLength(JSON.stringify(event)) > maxPartBytes ? bare : event;
}

function sizeOf({ events }: RevisionEvents): number {
  let characters = 0;
  for (const event of events) characters += charactersOf(event);
  return characters;
}

function charactersOf({ kv, previous }: StoreEvent): number {
  const characters = 150 + kv.key.length + kv.value.length;
  return previous === undefined
    ? characters
    : characters + 150 + previous.key.length + previous.value.length;
}
