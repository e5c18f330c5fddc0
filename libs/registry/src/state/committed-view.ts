// The committed state as this replica has followed it: look-ups by id or name, and waiting for a revision. It may be behind
// the store, never ahead of it and never of its own making (P2).

import type { KeyValue, RevisionEvents } from '@skein/contracts';
import type { Logger } from '@skein/messaging';
import { CommittedState, type Touched } from '@skein/share';
import type { Time } from '@skein/time';
import {
  changeOf,
  type EndpointEntry,
  type EntryChange,
  type HostEntry,
  type NetworkEntry,
} from './entries';
import { NameIndex } from './name-index';

export interface ViewChange {
  /** The view's revision after it. */
  readonly revision: number;
  /** First revision among what changed. */
  readonly since: number;
  readonly touched: ReadonlyMap<string, Touched>;
  readonly hosts: readonly string[];
}

interface Waiting {
  readonly revision: number;
  readonly resolve: (reached: boolean) => void;
}

export class CommittedView {
  readonly state = new CommittedState<NetworkEntry, HostEntry, EndpointEntry>();
  readonly #names = new NameIndex();
  readonly #time: Time;
  readonly #logger: Logger;
  readonly #listeners = new Set<(change: ViewChange) => void>();
  readonly #waiting = new Set<Waiting>();
  #revision = 0;

  constructor({ time, logger }: { time: Time; logger: Logger }) {
    this.#time = time;
    this.#logger = logger;
  }

  get revision(): number {
    return this.#revision;
  }

  network(reference: string): NetworkEntry | undefined {
    const id = this.#names.network(reference);
    return this.state.network(reference) ?? (id === undefined ? undefined : this.state.network(id));
  }

  host(reference: string): HostEntry | undefined {
    const id = this.#names.host(reference);
    return this.state.host(reference) ?? (id === undefined ? undefined : this.state.host(id));
  }

  /** By id, name or alias. */
  endpoint(networkId: string, reference: string): EndpointEntry | undefined {
    const endpoints = this.state.endpointsOf(networkId);
    const id = this.#names.endpoint(networkId, reference);
    return endpoints.get(reference) ?? (id === undefined ? undefined : endpoints.get(id));
  }

  /** Who has this name or alias on the network. */
  endpointNamed(networkId: string, name: string): EndpointEntry | undefined {
    const id = this.#names.endpoint(networkId, name);
    return id === undefined ? undefined : this.state.endpoint(id);
  }

  /** Called after each change, before those who wait for its revision go on. */
  onChange(listener: (change: ViewChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** True once the view has this revision; false if that takes longer than `timeoutMs`. */
  reached(revision: number, timeoutMs: number): Promise<boolean> {
    if (this.#revision >= revision) return Promise.resolve(true);
    return new Promise((resolve) => {
      const cancel = this.#time.after(Math.max(0, timeoutMs), () => done(false));
      const done = (reached: boolean): void => {
        cancel();
        this.#waiting.delete(waiting);
        resolve(reached);
      };
      const waiting: Waiting = { revision, resolve: done };
      this.#waiting.add(waiting);
    });
  }

  /** Puts the whole state as of `revision` in place of what is known. */
  reset(revision: number, kvs: readonly KeyValue[]): void {
    const present = kvs.flatMap((kv) => this.#parse(kv, 'put') ?? []);
    const keep = new Set(present.map((change) => `${change.kind}/${change.id}`));
    const gone = this.#all().filter((change) => !keep.has(`${change.kind}/${change.id}`));
    this.#apply([...gone, ...present], this.#revision + 1, revision);
  }

  advance(revisions: readonly RevisionEvents[]): void {
    const fresh = revisions.filter(({ revision }) => revision > this.#revision);
    const [first] = fresh;
    const last = fresh.at(-1);
    if (first === undefined || last === undefined) return;
    const changes = fresh
      .flatMap(({ events }) => events)
      .flatMap(({ kv, type }) => this.#parse(kv, type) ?? []);
    this.#apply(changes, first.revision, last.revision);
  }

  /** Nothing of concern happened up to `revision`. */
  progress(revision: number): void {
    if (revision > this.#revision) this.#apply([], revision, revision);
  }

  #apply(changes: readonly EntryChange[], since: number, revision: number): void {
    this.#names.apply(changes, this.state);
    const touched = this.state.apply(changes);
    this.#revision = revision;
    const hosts = changes.flatMap((change) => (change.kind === 'host' ? [change.id] : []));
    for (const listener of this.#listeners) listener({ revision, since, touched, hosts });
    for (const waiting of this.#waiting) {
      if (waiting.revision <= revision) waiting.resolve(true);
    }
  }

  #parse(kv: KeyValue, type: 'put' | 'delete'): EntryChange | null {
    try {
      return changeOf(kv, type);
    } catch (thrown) {
      this.#logger.error({ key: kv.key, error: String(thrown) }, 'a record is malformed');
      return null;
    }
  }

  #all(): EntryChange[] {
    const gone = { record: null };
    const { state } = this;
    return [
      ...[...state.endpoints()].map(({ id }): EntryChange => ({ kind: 'endpoint', id, ...gone })),
      ...state.networks().map(({ id }): EntryChange => ({ kind: 'network', id, ...gone })),
      ...state.hosts().map(({ id }): EntryChange => ({ kind: 'host', id, ...gone })),
    ];
  }
}
