// Hosts: registration, heartbeats and leases, going down, draining. Each is one transaction on the host's record, compared
// with what this replica last saw of it.

import {
  keys,
  removedHostRecordSchema,
  SkeinError,
  type Compare,
  type KeyValue,
  type ParsedRequestOf,
  type RemovedHostRecord,
  type ReplyOf,
  type drainHostContract,
  type heartbeatContract,
  type registerHostContract,
} from '@skein/contracts';
import type { RequestContext } from '@skein/messaging';
import type { Store } from '@skein/store-client';
import type { Time } from '@skein/time';
import type { Feeds } from '../feeds/feeds';
import type { Fence } from '../ports';
import type { HostEntry } from '../state/entries';
import type { FreshView } from '../state/fresh-view';
import { Turnstile } from '../state/turnstile';
import type { DownSightings } from './down-sightings';
import { flapsAfterDown, holdBackMs } from './flap-rule';
import { HostReboot } from './host-reboot';
import {
  absent,
  isSameRecord,
  putHost,
  recordOf,
  refuseDeadBoot,
  refuseRemoved,
  registered,
  unchanged,
  type Registration,
} from './host-record';
import type { HostRelease } from './host-release';
import type { Heartbeat, Roster } from './roster';

export interface HostRegistryOptions {
  readonly store: Store;
  readonly view: FreshView;
  readonly feeds: Feeds;
  readonly roster: Roster;
  readonly release: HostRelease;
  readonly sightings: DownSightings;
  readonly time: Time;
  readonly fence: Fence;
  /** Granted with a heartbeat's answer. */
  readonly leaseMs: number;
  /** Whether this process is the active registry, for certain and now. */
  readonly isInOffice: () => boolean;
  /** What must hold in the store for this host to be registered; throws a refusal. Absent: nothing. */
  readonly admit?: Admit | undefined;
}

export type Admit = (hostId: string, context: RequestContext) => Promise<readonly Compare[]>;

type Registered = ReplyOf<typeof registerHostContract>;
type Drain = ParsedRequestOf<typeof drainHostContract>;

/** How often a transaction is tried again that was compared with an outdated record. */
const maxAttempts = 4;

export class HostRegistry {
  readonly #options: HostRegistryOptions;
  readonly #reboot: HostReboot;
  readonly #turnstile = new Turnstile();

  constructor(options: HostRegistryOptions) {
    this.#options = options;
    const { view, release } = options;
    const takeDown = (host: string, reason: string) => this.takeDown([{ host, reason }]);
    this.#reboot = new HostReboot({ view, release, takeDown });
  }

  /**
   * Commits the host `up`; answers when this replica's own view has it. What another boot of it held is released before. Refuses
   * `host_conflict`, `host_removed`, `boot_replaced`, `host_held_back`.
   */
  async register(registration: Registration, context: RequestContext): Promise<Registered> {
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      refuseDeadBoot(registration, this.#options.view.state.host(registration.id));
      await this.#reboot.releaseBefore(registration, context);
      const reply = await this.#turnstile.pass(() => this.#tryRegister(registration, context));
      if (reply !== undefined) return reply;
      await this.#options.view.refresh(keys.hosts, context.deadline);
    }
    throw new SkeinError('unavailable', 'The host could not be registered in time');
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
    const reply = { revision, registerAgain: false };
    if (!this.#mayGrant(heartbeat)) return reply;
    roster.granted(heartbeat.host, time.monotonicMs());
    return { ...reply, leaseMs: this.#options.leaseMs };
  }

  /** Commits all of them down in one revision, or none if one has changed since. Answers whether it did. */
  async takeDown(hosts: readonly { host: string; reason: string }[]): Promise<boolean> {
    const { store, view, time, roster, fence } = this.#options;
    const entries = hosts.flatMap(({ host, reason }) => {
      const entry = view.state.host(host);
      return entry === undefined ? [] : [{ entry, reason }];
    });
    const now = time.monotonicMs();
    const { succeeded, revision } = await store.txn({
      compare: [fence(), ...entries.map(({ entry }) => unchanged(entry))],
      success: entries.map(({ entry, reason }) =>
        putHost({
          ...recordOf(entry),
          state: 'down',
          since: time.wallMs(),
          reason,
          flaps: flapsAfterDown(entry.flaps ?? 0, now - roster.upSince(entry.id)),
        }),
      ),
    });
    if (succeeded) await view.reached(revision, 1_000);
    return succeeded;
  }

  /** Answers the host as it is then. One that is drained takes no new endpoints; it stays so over restarts. */
  drain(request: Drain, context: RequestContext): Promise<HostEntry> {
    return this.#turnstile.pass(async () => {
      const { store, view, fence } = this.#options;
      for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
        const known = await view.findHost(request.host, context.deadline);
        const isDone = (known.isDraining === true) === request.isDraining;
        const { isDraining: _, ...kept } = recordOf(known);
        const record = request.isDraining ? { ...kept, isDraining: true as const } : kept;
        // That there is nothing to do is compared as well: this view may be old.
        const { succeeded, revision } = await store.txn(
          { compare: [fence(), unchanged(known)], success: isDone ? [] : [putHost(record)] },
          { context },
        );
        if (succeeded && isDone) return known;
        if (succeeded) {
          await view.demandReached(revision, context.deadline);
          return view.findHost(known.id, context.deadline);
        }
        await view.refresh(keys.hosts, context.deadline);
      }
      throw new SkeinError('unavailable', 'The host changes faster than it can be drained');
    });
  }

  /** For how long a host that is down is still kept from coming back. */
  heldBackMs(host: HostEntry): number {
    const { sightings, time } = this.#options;
    if (host.state !== 'down' || host.flaps === undefined) return 0;
    const seenMs = sightings.forMs(host, time.monotonicMs());
    return Math.max(0, Math.ceil(holdBackMs(host.flaps) - seenMs));
  }

  /**
   * Invariant (P1): none once another registry may be in office, and none for a share of before the host last came up: what was
   * taken back from it since is still in there, and would be heard again.
   */
  #mayGrant({ host, programmed, digest }: Heartbeat): boolean {
    const { feeds, isInOffice } = this.#options;
    const isOfNow = feeds.feed(host)?.hasTold({ revision: programmed, digest }) ?? false;
    return isOfNow && isInOffice();
  }

  /** Undefined if it was compared with an outdated record. */
  async #tryRegister(
    registration: Registration,
    context: RequestContext,
  ): Promise<Registered | undefined> {
    const { view, feeds, roster, time } = this.#options;
    const feedBefore = feeds.feed(registration.id);
    const known = view.state.host(registration.id);
    this.#refuseConflict(registration);
    this.#refuseFlapping(known);
    const revision = await this.#commit(registration, known, context);
    if (revision === undefined) return undefined;
    const reached = await view.reached(revision, context.deadline.remainingMs());
    const entry = view.state.host(registration.id);
    if (!reached || entry === undefined) {
      throw new SkeinError('unavailable', 'The host could not be registered in time');
    }
    roster.registered(entry.id, time.monotonicMs(), known?.state !== 'up');
    const feed = feeds.feed(entry.id);
    if (feed === feedBefore) feed?.resync();
    else feed?.begin();
    return { host: recordOf(entry), revision: entry.revision, peers: this.#peersOf(entry.id) };
  }

  /** The revision that the registration holds at; undefined if it was compared with an outdated record. */
  async #commit(
    registration: Registration,
    known: HostEntry | undefined,
    context: RequestContext,
  ): Promise<number | undefined> {
    const { store, time, fence } = this.#options;
    const removed = known === undefined ? await this.#removed(registration.id, context) : undefined;
    refuseRemoved(registration, removed?.record);
    refuseDeadBoot(registration, known ?? removed?.record);
    const admitted = (await this.#options.admit?.(registration.id, context)) ?? [];
    const record = registered(registration, known, removed?.record, time.wallMs());
    if (known !== undefined && isSameRecord(recordOf(known), record)) return known.revision;
    if (known !== undefined && known.bootId !== record.bootId) {
      if (known.state === 'up' || !this.#reboot.isReleased(known.id)) return undefined;
    }
    const tombstone = keys.removedHost(record.id);
    const { succeeded, revision } = await store.txn(
      {
        compare: [
          fence(),
          known === undefined ? absent(keys.host(record.id)) : unchanged(known),
          ...(known === undefined ? [asRead(tombstone, removed)] : []),
          ...admitted,
        ],
        success: [
          putHost(record),
          ...(removed === undefined ? [] : [{ type: 'delete' as const, key: tombstone }]),
        ],
      },
      { context },
    );
    return succeeded ? revision : undefined;
  }

  async #removed(hostId: string, context: RequestContext): Promise<Tombstone | undefined> {
    const kv = await this.#options.store.get(keys.removedHost(hostId), { context });
    return kv === undefined ? undefined : tombstoneOf(kv);
  }

  #refuseFlapping(known: HostEntry | undefined): void {
    const retryInMs = known === undefined ? 0 : this.heldBackMs(known);
    if (known === undefined || retryInMs === 0) return;
    const { id, flaps } = known;
    const message = `Host ${id} went down ${flaps} times lately: it is kept down for ${retryInMs} ms`;
    throw new SkeinError('host_held_back', message, { facts: { host: id, flaps, retryInMs } });
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

export interface Tombstone {
  readonly record: RemovedHostRecord;
  readonly revision: number;
}

export function tombstoneOf({ value, modRevision: revision }: KeyValue): Tombstone {
  return { record: removedHostRecordSchema.parse(JSON.parse(value)), revision };
}

function asRead(key: string, found: Tombstone | undefined): Compare {
  return { key, target: 'modRevision', operator: '=', value: found?.revision ?? 0 };
}
