// Who holds which address, followed event by event: what begins to be held and what ends. Keeps only the holdings that are
// open. Pure but for being kept.

import {
  keys,
  parseStateKey,
  type AddressRecord,
  type RevisionEvents,
  type StoreEvent,
} from '@skein/contracts';

type HeldRecord = Pick<
  AddressRecord,
  'address' | 'state' | 'kind' | 'endpointId' | 'reservedAs' | 'host' | 'cause'
>;

export interface HoldingKey {
  readonly networkId: string;
  readonly sortable: string;
  readonly sinceRevision: number;
}

export interface OpenHolding extends HoldingKey {
  readonly kind: string;
  readonly holder: string;
}

export interface Opened extends HoldingKey {
  readonly address: string;
  readonly kind: string;
  readonly endpointId: string | null;
  readonly endpointName: string | null;
  readonly host: string | null;
  readonly request: string;
  readonly since: number;
}

export interface Closed extends HoldingKey {
  readonly until: number;
  readonly untilRevision: number;
}

export interface LedgerEntries {
  readonly opened: Opened[];
  readonly closed: Closed[];
}

interface Moment {
  readonly revision: number;
  readonly at: number;
}

export class AddressLedger {
  readonly #open = new Map<string, OpenHolding>();

  constructor(open: Iterable<OpenHolding> = []) {
    for (const holding of open) this.#open.set(keyOf(holding), holding);
  }

  /** What the revisions begin and end, in order: an entry may both begin and end within them. */
  follow(revisions: readonly RevisionEvents[]): LedgerEntries {
    const entries: LedgerEntries = { opened: [], closed: [] };
    for (const { revision, at, events } of revisions) {
      for (const event of events) this.#take(event, { revision, at }, entries);
    }
    return entries;
  }

  /** After a gap: `records` are all there are at `moment`, and everything else has ended. */
  reconcile(records: readonly StoreEvent['kv'][], moment: Moment): LedgerEntries {
    const entries: LedgerEntries = { opened: [], closed: [] };
    const present = new Set(records.map((kv) => kv.key));
    for (const holding of [...this.#open.values()]) {
      const key = keys.address(holding.networkId, holding.sortable);
      if (!present.has(key)) this.#close(keyOf(holding), moment, entries);
    }
    for (const kv of records) this.#take({ type: 'put', kv }, moment, entries);
    return entries;
  }

  #take(event: StoreEvent, moment: Moment, entries: LedgerEntries): void {
    const key = parseStateKey(event.kv.key);
    if (key.kind !== 'address') return;
    const place = keyOf(key);
    const record = event.type === 'delete' ? undefined : recordOf(event.kv.value);
    if (record === undefined || record.state !== 'held') {
      this.#close(place, moment, entries);
      return;
    }
    const holder = holderOf(record);
    const known = this.#open.get(place);
    if (known?.holder === holder && known.kind === record.kind) return;
    this.#close(place, moment, entries);
    const { networkId, sortable } = key;
    const sinceRevision = moment.revision;
    this.#open.set(place, { networkId, sortable, sinceRevision, kind: record.kind, holder });
    entries.opened.push({
      networkId,
      sortable,
      sinceRevision,
      address: record.address,
      kind: record.kind,
      endpointId: record.endpointId ?? null,
      endpointName: record.reservedAs ?? null,
      host: record.host ?? null,
      request: record.cause.request,
      since: moment.at,
    });
  }

  #close(place: string, { revision, at }: Moment, entries: LedgerEntries): void {
    const known = this.#open.get(place);
    if (known === undefined) return;
    this.#open.delete(place);
    const { networkId, sortable, sinceRevision } = known;
    entries.closed.push({ networkId, sortable, sinceRevision, until: at, untilRevision: revision });
  }
}

export function holderOf(record: {
  endpointId?: string | undefined;
  reservedAs?: string | undefined;
}): string {
  return record.endpointId ?? record.reservedAs ?? '';
}

function keyOf(place: { networkId: string; sortable: string }): string {
  return `${place.networkId}/${place.sortable}`;
}

/** As much of a record as a holding tells; undefined where it is none. Every address that anyone gets passes here. */
function recordOf(value: string): HeldRecord | undefined {
  try {
    const record = JSON.parse(value) as HeldRecord;
    const { address, state, kind, cause } = record;
    const isWhole = [address, state, kind, cause.request].every((text) => typeof text === 'string');
    return isWhole ? record : undefined;
  } catch {
    return undefined;
  }
}
