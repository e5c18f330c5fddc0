// Writes the history down behind the watch: revisions gather while a batch is being written, and each batch is one
// transaction with its progress, so that a restart goes on where the last one ended.

import {
  endpointAttachedEvent,
  type EndpointRecord,
  type HistoryEvent,
  type KeyValue,
  type RevisionEvents,
} from '@skein/contracts';
import { parseAddress, sortableAddress } from '@skein/ip';
import type { Logger } from '@skein/messaging';
import { AddressLedger } from './address-ledger';
import { factsOf, typeOf, type Fact } from './facts';
import type { HistoryBatch, HistoryStore, Named } from './history-store';

export interface HistoryWriterOptions {
  readonly store: HistoryStore;
  readonly logger: Logger;
  /** Name of a network as it is now, for holdings that begin. */
  readonly networkName: (networkId: string) => string | undefined;
}

const retryMs = 500;
/** Under load revisions gather for this long; whoever waits for one is not kept waiting. */
const gatherMs = 250;
/** Revisions of one transaction. */
const maxBatchRevisions = 512;
/** Batches that gathered while one was written, taken together. */
const maxMergedBatches = 64;
/** Progress without events is written down after so many revisions, before the store compacts them. */
const idleRevisions = 1_000;

interface Reading {
  readonly revision: number;
  readonly resolve: () => void;
}

export class HistoryWriter {
  readonly #options: HistoryWriterOptions;
  readonly #ledger: AddressLedger;
  readonly #batches: HistoryBatch[] = [];
  readonly #readers = new Set<Reading>();
  readonly #networkNames = new Map<string, string>();
  #taken: number;
  #written: number;
  /** Progress as the database has it. */
  #persisted: number;
  #writing: Promise<void> | undefined;
  #stopped = false;
  #isClosing = false;
  /** Ends the gathering that is under way. */
  #hurry: () => void = () => undefined;

  private constructor(options: HistoryWriterOptions, ledger: AddressLedger, progress: number) {
    this.#options = options;
    this.#ledger = ledger;
    this.#taken = progress;
    this.#written = progress;
    this.#persisted = progress;
  }

  static async open(options: HistoryWriterOptions): Promise<HistoryWriter> {
    const ledger = new AddressLedger(await options.store.openHoldings());
    return new HistoryWriter(options, ledger, await options.store.progress());
  }

  /** First revision that it has not seen. */
  get resumeAt(): number {
    return this.#taken + 1;
  }

  get written(): number {
    return this.#written;
  }

  take(revisions: readonly RevisionEvents[]): void {
    const fresh = revisions.filter(({ revision }) => revision > this.#taken);
    for (let start = 0; start < fresh.length; start += maxBatchRevisions) {
      this.#enqueue(this.#batchOf(fresh.slice(start, start + maxBatchRevisions)));
    }
  }

  /** Nothing that matters happened up to `revision`: written down only now and then. */
  progress(revision: number): void {
    if (revision <= this.#taken || this.#writing !== undefined) return;
    this.#taken = revision;
    if (revision - this.#persisted >= idleRevisions) {
      this.#enqueue({ through: revision, opened: [], closed: [], named: [], events: [] });
      return;
    }
    this.#written = revision;
    this.#wakeReaders();
  }

  /** What happened up to `revision` can't be told; `addresses` are as they are then. */
  gap(revision: number, at: number, addresses: readonly KeyValue[]): void {
    if (revision <= this.#taken) return;
    const from = this.#taken + 1;
    const entries = this.#ledger.reconcile(addresses, { revision, at });
    const event: HistoryEvent = {
      revision,
      position: 0,
      at,
      type: 'history.gap',
      subject: 'history',
      body: { from, through: revision },
    };
    this.#taken = revision;
    this.#enqueue({
      through: revision,
      opened: entries.opened.map((row) => ({ ...row, network: this.#nameOf(row.networkId) })),
      closed: entries.closed,
      named: [],
      events: [event],
    });
  }

  /** Resolves once `revision` has been written, or after `timeoutMs`: whether it has. */
  async reached(revision: number, timeoutMs: number): Promise<boolean> {
    if (this.#written >= revision) return true;
    await new Promise<void>((resolve) => {
      const reading: Reading = {
        revision,
        resolve: () => {
          clearTimeout(timer);
          this.#readers.delete(reading);
          resolve();
        },
      };
      const timer = setTimeout(reading.resolve, timeoutMs);
      this.#readers.add(reading);
      this.#hurry();
    });
    return this.#written >= revision;
  }

  /** Writes what has been taken, then no more. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#hurry();
    await this.#writing;
    this.#stopped = true;
  }

  #batchOf(revisions: readonly RevisionEvents[]): HistoryBatch {
    const facts = revisions.flatMap(factsOf);
    this.#learnNames(facts);
    const { opened, closed } = this.#ledger.follow(revisions);
    this.#taken = revisions.at(-1)?.revision ?? this.#taken;
    return {
      through: this.#taken,
      opened: opened.map((row) => ({ ...row, network: this.#nameOf(row.networkId) })),
      closed,
      named: facts.flatMap(namedBy),
      events: facts.map((fact) => ({
        revision: fact.revision,
        position: fact.position,
        at: fact.at,
        type: typeOf(fact),
        subject: fact.subject,
        body: fact.body,
      })),
    };
  }

  /** A network's name is kept from its creation on: when its addresses end, it may be gone. */
  #learnNames(facts: readonly Fact[]): void {
    for (const { event, body } of facts) {
      if (event.noun === 'network') {
        this.#networkNames.set(String(body['networkId']), String(body['name']));
      }
    }
  }

  #nameOf(networkId: string): string {
    return this.#options.networkName(networkId) ?? this.#networkNames.get(networkId) ?? networkId;
  }

  #enqueue(batch: HistoryBatch): void {
    this.#batches.push(batch);
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
  }

  async #write(): Promise<void> {
    while (this.#batches.length > 0 && !this.#stopped) {
      await this.#gather();
      const taken = this.#batches.slice(0, maxMergedBatches);
      try {
        this.#options.store.write(merged(taken));
        this.#batches.splice(0, taken.length);
        this.#persisted = taken.at(-1)?.through ?? this.#persisted;
        this.#written = this.#persisted;
        this.#wakeReaders();
      } catch (thrown) {
        this.#options.logger.error({ error: String(thrown) }, 'the history could not be written');
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }

  async #gather(): Promise<void> {
    if (this.#readers.size > 0 || this.#isClosing) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, gatherMs);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#hurry = () => undefined;
  }

  #wakeReaders(): void {
    for (const reading of this.#readers) {
      if (reading.revision <= this.#written) reading.resolve();
    }
  }
}

type Attached = Pick<EndpointRecord, 'networkId' | 'name' | 'addresses'>;

function namedBy({ event, subject: endpointId, body }: Fact): Named[] {
  if (event !== endpointAttachedEvent) return [];
  const { networkId, name, addresses } = body as unknown as Attached;
  return addresses.flatMap((text) => {
    const parsed = parseAddress(text.split('/', 1).join());
    if (!parsed.ok) return [];
    return [{ networkId, sortable: sortableAddress(parsed.value), endpointId, name }];
  });
}

/** An endpoint's addresses begin in one revision: where they and its name are both here, the rows have the name from the start. */
function merged(batches: readonly HistoryBatch[]): HistoryBatch {
  const named = batches.flatMap((batch) => batch.named);
  const names = new Map(named.map(({ endpointId, name }) => [endpointId, name]));
  const begun = new Set<string>();
  const opened = batches.flatMap((batch) =>
    batch.opened.map((row) => {
      const endpointName = row.endpointId === null ? undefined : names.get(row.endpointId);
      if (row.endpointId === null || endpointName === undefined) return row;
      begun.add(row.endpointId);
      return { ...row, endpointName };
    }),
  );
  return {
    through: batches.at(-1)?.through ?? 0,
    opened,
    closed: batches.flatMap((batch) => batch.closed),
    named: named.filter(({ endpointId }) => !begun.has(endpointId)),
    events: batches.flatMap((batch) => batch.events),
  };
}
