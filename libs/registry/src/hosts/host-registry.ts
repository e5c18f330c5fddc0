// Hosts: registration, heartbeats, going down and being removed. Each of these is one transaction on the host's record,
// compared with what this replica last saw of it.

import {
  keys,
  SkeinError,
  type Compare,
  type HostRecord,
  type ParsedRequestOf,
  type ReplyOf,
  type heartbeatContract,
  type registerHostContract,
} from '@skein/contracts';
import type { RequestContext } from '@skein/messaging';
import type { Store } from '@skein/store-client';
import type { Feeds } from '../feeds/feeds';
import type { Fence } from '../ports';
import type { Time } from '@skein/time';
import type { HostEntry } from '../state/entries';
import type { FreshView } from '../state/fresh-view';
import { Turnstile } from '../state/turnstile';
import type { Heartbeat, Roster } from './roster';

export type Registration = ParsedRequestOf<typeof registerHostContract>;

export interface HostRegistryOptions {
  readonly store: Store;
  readonly view: FreshView;
  readonly feeds: Feeds;
  readonly roster: Roster;
  readonly time: Time;
  readonly fence: Fence;
  /** What must hold in the store for this host to be registered; throws a refusal. Absent: nothing. */
  readonly admit?: Admit | undefined;
}

export type Admit = (hostId: string, context: RequestContext) => Promise<readonly Compare[]>;

/** How often a transaction is tried again that was compared with an outdated record. */
const maxAttempts = 4;

export class HostRegistry {
  readonly #options: HostRegistryOptions;
  readonly #turnstile = new Turnstile();

  constructor(options: HostRegistryOptions) {
    this.#options = options;
  }

  /** Commits the host `up`; answers when this replica's own view has it. */
  register(
    registration: Registration,
    context: RequestContext,
  ): Promise<ReplyOf<typeof registerHostContract>> {
    return this.#turnstile.pass(() => this.#register(registration, context));
  }

  heartbeat(heartbeat: Heartbeat): ReplyOf<typeof heartbeatContract> {
    const { view, roster, feeds, time } = this.#options;
    const { revision } = view;
    const known = view.state.host(heartbeat.host);
    if (known?.state !== 'up' || known.bootId !== heartbeat.bootId) {
      return { revision, registerAgain: true };
    }
    roster.heartbeat(heartbeat, time.monotonicMs());
    const { programmed, digest } = heartbeat;
    feeds.feed(heartbeat.host)?.heard({ revision: programmed, digest });
    return { revision, registerAgain: false };
  }

  /** Commits all of them down in one revision, or none if one has changed since. Answers whether it did. */
  async takeDown(hosts: readonly { host: string; reason: string }[]): Promise<boolean> {
    const { store, view, time, fence } = this.#options;
    const entries = hosts.flatMap(({ host, reason }) => {
      const entry = view.state.host(host);
      return entry === undefined ? [] : [{ entry, reason }];
    });
    const { succeeded, revision } = await store.txn({
      compare: [fence(), ...entries.map(({ entry }) => unchanged(entry))],
      success: entries.map(({ entry, reason }) =>
        putHost({ ...recordOf(entry), state: 'down', since: time.wallMs(), reason }),
      ),
    });
    if (succeeded) await view.reached(revision, 1_000);
    return succeeded;
  }

  async #register(
    registration: Registration,
    context: RequestContext,
  ): Promise<ReplyOf<typeof registerHostContract>> {
    const { view, feeds, roster, time } = this.#options;
    const feedBefore = feeds.feed(registration.id);
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      this.#refuseConflict(registration);
      const revision = await this.#commit(registration, context);
      if (revision === undefined) {
        await view.refresh(keys.hosts, context.deadline);
        continue;
      }
      const reached = await view.reached(revision, context.deadline.remainingMs());
      const entry = view.state.host(registration.id);
      if (!reached || entry === undefined) break;
      roster.registered(entry.id, time.monotonicMs());
      const feed = feeds.feed(entry.id);
      if (feed === feedBefore) feed?.resync();
      else feed?.begin();
      return { host: recordOf(entry), revision: entry.revision, peers: this.#peersOf(entry.id) };
    }
    throw new SkeinError('unavailable', 'The host could not be registered in time');
  }

  /** The revision that the registration holds at; undefined if it was compared with an outdated record. */
  async #commit(registration: Registration, context: RequestContext): Promise<number | undefined> {
    const { store, view, time, fence } = this.#options;
    const admitted = (await this.#options.admit?.(registration.id, context)) ?? [];
    const known = view.state.host(registration.id);
    const record = registered(registration, known, time.wallMs());
    if (known !== undefined && JSON.stringify(recordOf(known)) === JSON.stringify(record)) {
      return known.revision;
    }
    const compare = known === undefined ? absent(keys.host(record.id)) : unchanged(known);
    const { succeeded, revision } = await store.txn(
      { compare: [fence(), compare, ...admitted], success: [putHost(record)] },
      { context },
    );
    return succeeded ? revision : undefined;
  }

  #refuseConflict({ id, name, vtep }: Registration): void {
    for (const other of this.#options.view.state.hosts()) {
      if (other.id === id) continue;
      const field = other.name === name ? 'name' : other.vtep === vtep ? 'vtep' : undefined;
      if (field === undefined) continue;
      throw new SkeinError('host_conflict', `Host ${other.id} uses this ${field} already`, {
        field,
        facts: { host: other.id, [field]: other[field] },
      });
    }
  }

  #peersOf(hostId: string): { host: string; gossip: string }[] {
    const others = this.#options.view.state.hosts().filter(({ id }) => id !== hostId);
    const up = others.filter(({ state }) => state === 'up');
    return (up.length > 0 ? up : others).map(({ id, gossip }) => ({ host: id, gossip }));
  }
}

function registered(
  { id, name, vtep, gossip, underlayMtu, bootId, labels }: Registration,
  known: HostEntry | undefined,
  now: number,
): HostRecord {
  const epoch = known === undefined ? 1 : known.epoch + (known.bootId === bootId ? 0 : 1);
  const since = known?.state === 'up' ? known.since : now;
  const state = 'up';
  return { id, name, vtep, gossip, underlayMtu, bootId, epoch, state, since, labels };
}

function recordOf({ revision: _, ...record }: HostEntry): HostRecord {
  const { id, name, vtep, gossip, underlayMtu, bootId, epoch, state, since, labels } = record;
  const { reason } = record;
  const told = { id, name, vtep, gossip, underlayMtu, bootId, epoch, state, since, labels };
  return reason === undefined ? told : { ...told, reason };
}

function putHost(record: HostRecord): { type: 'put'; key: string; value: string } {
  return { type: 'put', key: keys.host(record.id), value: JSON.stringify(record) };
}

export function unchanged(entry: HostEntry): Compare {
  const key = keys.host(entry.id);
  return { key, target: 'modRevision', operator: '=', value: entry.revision };
}

export function absent(key: string): Compare {
  return { key, target: 'version', operator: '=', value: 0 };
}
