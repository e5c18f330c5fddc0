// The registry's domain over a store in memory, with agents and an ipam that the test plays. Time moves when the test says so.

import {
  keys,
  SkeinError,
  type NetworkRecord,
  type ParsedRequestOf,
  type registerHostContract,
  type Share,
  type ShareDelta,
} from '@skein/contracts';
import { addToAddress, address, formatAddress, macFromAddress, sortableAddress } from '@skein/ip';
import { Deadline, silentLogger, type RequestContext } from '@skein/messaging';
import { KeptShare } from '@skein/share';
import { createMemoryStore, type MemoryStore } from '@skein/store-client';
import { systemTime, type Time } from '@skein/time';
import { domainOf, type Domain } from '../domain';
import type { ProgramReply, ProgramRequest } from '../feeds/host-feed';
import type { Admit } from '../hosts/host-registry';
import type { AddressBook } from '../ports';
import { FreshView } from '../state/fresh-view';
import { StoreFollower } from '../state/store-follower';
import { networkRecord, settled } from './records';

export function context(timeoutMs = 5_000): RequestContext {
  return { requestId: 'request-1', deadline: Deadline.after(timeoutMs), subject: 'test' };
}

/** An agent that obeys, unless it is told to be silent. */
export class PlayedAgent {
  readonly kept = new KeptShare();
  bootId = 'boot-1';
  programmed = 0;
  pushes = 0;
  isSilent = false;
  faults: ProgramReply['faults'] = [];

  constructor(readonly id: string) {}

  program(request: ProgramRequest): ProgramReply {
    if (this.isSilent) throw new SkeinError('unavailable', 'Nobody there');
    this.pushes += 1;
    if (request.kind === 'snapshot') this.kept.replace(request.share as Share);
    const fits = request.kind === 'snapshot' || request.base === this.programmed;
    if (request.kind === 'delta' && fits) this.kept.apply(request.delta as ShareDelta);
    if (fits) this.programmed = request.revision;
    const { id: host, bootId, programmed, kept, faults } = this;
    const { digest } = kept;
    return { host, bootId, programmed, digest, snapshotWanted: !fits, faults };
  }
}

/** Hands out one address after the other, and writes them down as ipam does. */
class PlayedIpam implements AddressBook {
  allocations = 0;
  readonly released: string[] = [];
  refusal: SkeinError | undefined;
  #next = 2n;

  constructor(private readonly store: MemoryStore) {}

  async allocate(...[networkId, requests, asked]: Parameters<AddressBook['allocate']>) {
    this.allocations += 1;
    if (this.refusal !== undefined) throw this.refusal;
    const chosen = requests.map((request) => {
      const text = request.addresses?.[0];
      const first = address('10.1.0.0');
      const next = text === undefined ? addToAddress(first, this.#next++)! : address(text);
      return { ...request, next };
    });
    const { revision } = await this.store.txn({
      success: chosen.map(({ endpointId, host, bootId, next }) => ({
        type: 'put' as const,
        key: keys.address(networkId, sortableAddress(next)),
        value: JSON.stringify({
          address: formatAddress(next),
          networkId,
          state: 'held',
          kind: 'endpoint',
          endpointId,
          host,
          bootId,
          cause: { request: asked.requestId, at: 1 },
        }),
      })),
    });
    const allocations = chosen.map(({ endpointId, next }) => ({
      endpointId,
      addresses: [`${formatAddress(next)}/16`],
      mac: macFromAddress(next) as string,
    }));
    return { allocations, revision };
  }

  async release(networkId: string, endpointIds: string[]): Promise<number> {
    const { kvs } = await this.store.range({ key: keys.addresses(networkId), prefix: true });
    let released = 0;
    for (const { key, value } of kvs) {
      const { endpointId } = JSON.parse(value) as { endpointId: string };
      if (!endpointIds.includes(endpointId)) continue;
      await this.store.delete({ key });
      released += 1;
    }
    this.released.push(...endpointIds);
    return released;
  }
}

/** Its version is the number of registries that were in office before. */
const office = 'none';

export class World {
  readonly store = createMemoryStore();
  readonly agents = new Map<string, PlayedAgent>();
  readonly ipam = new PlayedIpam(this.store);
  now = 1_000_000;
  /** What people's clocks show, beside the monotonic `now`. */
  wallNow: number | undefined;
  isInOffice = true;
  /** What must hold for a host to be registered. */
  admit: Admit | undefined;
  domain!: Domain;
  view!: FreshView;
  #follower!: StoreFollower;
  #time!: Time;
  #ids = 0;
  #term = 0;

  static async open(): Promise<World> {
    const world = new World();
    await world.#open();
    return world;
  }

  async close(): Promise<void> {
    this.domain.feeds.stop();
    this.#follower.stop();
  }

  agent(id: string): PlayedAgent {
    return this.agents.get(id)!;
  }

  async network(id: string, name: string, fields: Partial<NetworkRecord> = {}): Promise<void> {
    const value = JSON.stringify(networkRecord(id, name, fields));
    await this.store.txn({
      success: [
        { type: 'put', key: keys.network(id), value },
        { type: 'put', key: keys.networkName(name), value: JSON.stringify({ networkId: id }) },
      ],
    });
  }

  async host(id: string, fields: Partial<ParsedRequestOf<typeof registerHostContract>> = {}) {
    if (!this.agents.has(id)) this.agents.set(id, new PlayedAgent(id));
    const number = id.replace(/\D/g, '');
    const registration = {
      id,
      name: id,
      vtep: `192.0.2.${number}`,
      gossip: `192.0.2.${number}:7946`,
      underlayMtu: 1_500,
      bootId: 'boot-1',
      labels: {},
      ...fields,
    };
    this.agent(id).bootId = registration.bootId;
    const reply = await this.domain.registry.register(registration, context());
    await settled();
    return reply;
  }

  /** A heartbeat that agrees with what the agent has programmed. */
  heartbeat(id: string, dead: string[] = [], bootId = 'boot-1', alive: string[] = []) {
    const { programmed, kept } = this.agent(id);
    return this.domain.registry.heartbeat({
      host: id,
      bootId,
      programmed,
      digest: kept.digest,
      repairs: {},
      opinions: [
        ...dead.map((host) => ({ host, state: 'dead' as const, incarnation: 1 })),
        ...alive.map((host) => ({ host, state: 'alive' as const, incarnation: 1 })),
      ],
    });
  }

  attach(network: string, host: string, fields: object = {}) {
    const endpoints = [{ host, ...fields }];
    return this.domain.attachments.create({ network, endpoints, waitMs: 300 }, context());
  }

  async #open(): Promise<void> {
    const { store } = this;
    const time: Time = {
      ...systemTime,
      wallMs: () => this.wallNow ?? this.now,
      monotonicMs: () => this.now,
    };
    const logger = silentLogger;
    const view = new FreshView({ store, time, logger });
    this.view = view;
    this.#follower = new StoreFollower(
      { store, time, logger },
      {
        onState: (revision, kvs) => view.reset(revision, kvs),
        onEvents: (revisions) => view.advance(revisions),
        onProgress: (revision) => view.progress(revision),
        resumeAt: () => undefined,
        onGap: () => undefined,
      },
    );
    await this.#follower.start();
    this.#time = time;
    this.#openDomain();
  }

  /** Another registry takes the office; answers the one that had it and does not know yet. */
  async takeOver(): Promise<Domain> {
    const deposed = this.domain;
    await this.store.put({ key: office, value: 'taken' });
    this.#term += 1;
    await settled();
    this.#openDomain();
    return deposed;
  }

  #openDomain(): void {
    const { store, view } = this;
    const time = this.#time;
    const logger = silentLogger;
    const term = this.#term;
    this.domain = domainOf(
      {
        config: { holdDownMs: 0 },
        messenger: { request: () => Promise.reject(new SkeinError('unavailable', 'none')) },
        logger,
        store,
        view,
        addresses: this.ipam,
        program: async (id, request) => this.agent(id).program(request),
        admit: async (id, context) => (await this.admit?.(id, context)) ?? [],
        time,
        isInOffice: () => this.isInOffice,
        chance: { id: () => `${String(++this.#ids).padStart(8, '0')}-endpoint` },
      },
      () => ({ key: office, target: 'version', operator: '=', value: term }),
    );
    this.domain.feeds.start();
  }
}
