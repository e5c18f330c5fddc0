// Networks as the store has them: found by name or id, created, given another subnet, deleted. Each change is one transaction
// that compares what it was decided on; when somebody was faster it is decided anew.

import { randomBytes } from 'node:crypto';
import {
  demandRevision,
  keys,
  SkeinError,
  type AddressRecord,
  type EndpointRecord,
  type HostRecord,
  type NetworkRecord,
  type NetworkSpec,
  type OperationResult,
  type ParsedRequestOf,
  type ReplyOf,
  type SubnetTable,
  type addSubnetContract,
  type deleteNetworkContract,
  type excludeContract,
  type includeContract,
  type listExclusionsContract,
} from '@skein/contracts';
import { cidrText, parseCidr, type Cidr } from '@skein/ip';
import {
  planExclusion,
  planInclusion,
  planNetwork,
  planNetworkDeletion,
  planSubnetAddition,
  type HostRoute,
  type NetworkDirectory,
  type Outcome,
  type Plan,
  type SubnetPools,
  type Transaction,
  type Versioned,
} from '@skein/ipam';
import type { RequestContext } from '@skein/messaging';
import type { CallOptions, KeyValue, Store } from '@skein/store-client';
import { replyOrThrow } from './refusal';
import { parseValue, readAll } from './store-reading';

/** How often a change is decided anew after somebody else's came first. */
const maxAttempts = 10;
/** An address whose endpoint was never registered is taken for abandoned after this long, by a forced deletion only. */
const abandonedAfterMs = 60_000;
const namesInRefusal = 5;

export interface NetworkReply {
  readonly network: NetworkRecord;
  readonly revision: number;
}

export class NetworkCatalog {
  constructor(
    private readonly store: Store,
    private readonly pools: SubnetPools,
  ) {}

  /** By name or id; throws `network_not_found`. */
  async find(reference: string, context: RequestContext): Promise<Versioned<NetworkRecord>> {
    const options = callOptions(context);
    if (/^[A-Za-z0-9_-]+$/.test(reference)) {
      const [named, direct] = await this.read(
        [keys.networkName(reference), keys.network(reference)],
        options,
      );
      if (direct !== undefined) return versioned(direct);
      if (named !== undefined) {
        const { networkId } = parseValue<{ networkId: string }>(named);
        const found = await this.store.get(keys.network(networkId), options);
        if (found !== undefined) return versioned(found);
      }
    }
    const facts = { network: reference };
    throw new SkeinError('network_not_found', `There is no network '${reference}'`, {
      field: 'network',
      facts,
    });
  }

  async create(spec: NetworkSpec, context: RequestContext): Promise<NetworkReply> {
    const { name, subnets, vni, families, allowOverlap, ...rest } = spec;
    const overlap = allowOverlap === true ? { allowOverlap } : {};
    const id = `n${randomBytes(9).toString('hex')}`;
    const cause = causeOf(context);
    const { reply: network, revision } = await this.change(context, async (options) => {
      const taken = await this.store.get(keys.networkName(name), options);
      if (taken !== undefined) {
        const { networkId } = parseValue<{ networkId: string }>(taken);
        const facts = { name, networkId };
        const message = `A network is named '${name}' already`;
        throw new SkeinError('network_name_taken', message, { field: 'name', facts });
      }
      return this.decide(options, (directory) =>
        planNetwork({ id, name, subnets, vni, families, ...overlap }, directory, {
          keys,
          pools: this.pools,
          cause,
          complete: (part) => ({
            ...rest,
            ...part,
            subnets: part.subnets as NetworkRecord['subnets'],
            created: cause,
          }),
        }),
      );
    });
    return { network, revision };
  }

  async addSubnet(
    { network: reference, subnet, ifRevisions }: ParsedRequestOf<typeof addSubnetContract>,
    context: RequestContext,
  ): Promise<NetworkReply> {
    const cause = causeOf(context);
    const { reply, revision } = await this.change(context, async (options) => {
      const network = await this.find(reference, context);
      demandRevision(network.modRevision, ifRevisions);
      return this.decide(options, (directory) =>
        planSubnetAddition(subnet, network, { keys, pools: this.pools, cause, directory }),
      );
    });
    return { network: reply, revision };
  }

  async delete(
    { network: reference, force, ifRevisions }: ParsedRequestOf<typeof deleteNetworkContract>,
    context: RequestContext,
  ): Promise<{ revision: number; releasedEndpoints: number }> {
    const options = callOptions(context);
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const network = await this.find(reference, context);
      demandRevision(network.modRevision, ifRevisions);
      const inUse = await this.endpointsOf(network.record.id, options);
      const blocking = force ? await this.notAbandoned(inUse.holders, options) : inUse.holders;
      if (blocking.length > 0) throw networkInUse(network.record, blocking);
      const table = await this.readTable(options);
      const { revision } = inUse;
      const plan = planNetworkDeletion(network, { keys, table, revision });
      const reply = await this.commit(plan, options);
      if (reply.succeeded) {
        return { revision: reply.revision, releasedEndpoints: inUse.holders.length };
      }
    }
    throw tooBusy();
  }

  async listExclusions(context: RequestContext): Promise<ReplyOf<typeof listExclusionsContract>> {
    const options = callOptions(context);
    const [{ record }, routes, { revision }] = await Promise.all([
      this.readTable(options),
      this.readRoutes(options),
      this.store.range({ key: keys.subnetTable, keysOnly: true }, options),
    ]);
    const of = (one: Cidr): { cidr: string } => ({ cidr: cidrText(one) });
    const exclusions = [
      ...this.pools.excluded.map((one) => ({ ...of(one), excludedBy: 'configuration' as const })),
      ...(record.excluded ?? []).map((one) => ({ ...one, excludedBy: 'store' as const })),
      ...routes.map((one) => ({ ...of(one.cidr), excludedBy: 'route' as const, host: one.host })),
    ];
    return { exclusions, revision };
  }

  async exclude(
    wish: { cidr: string; reason?: string | undefined },
    context: RequestContext,
  ): Promise<ReplyOf<typeof excludeContract>> {
    const cause = causeOf(context);
    const { reply: exclusion, revision } = await this.change(context, (options) =>
      this.decide(options, (directory) => planExclusion(wish, directory, { keys, cause })),
    );
    return { exclusion, revision };
  }

  async include(
    { cidr }: { cidr: string },
    context: RequestContext,
  ): Promise<ReplyOf<typeof includeContract>> {
    const { reply: exclusion, revision } = await this.change(context, async (options) => {
      const plan = planInclusion(cidr, { table: await this.readTable(options) }, { keys });
      if (plan !== null) return plan;
      const message = `${cidr} is not excluded by the store`;
      throw new SkeinError('exclusion_not_found', message, { field: 'cidr', facts: { cidr } });
    });
    return { exclusion, revision };
  }

  /** Plans and commits until nobody came in between. */
  private async change<Reply>(
    context: RequestContext,
    plan: (options: CallOptions) => Promise<Plan<Reply>>,
  ): Promise<{ reply: Reply; revision: number }> {
    const options = callOptions(context);
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const { transaction, reply } = await plan(options);
      const { succeeded, revision } = await this.commit(transaction, options);
      if (succeeded) return { reply, revision };
    }
    throw tooBusy();
  }

  /** Names of other networks are read only if a refusal has to tell one. */
  private async decide<Reply>(
    options: CallOptions,
    plan: (directory: NetworkDirectory) => Outcome<Plan<Reply>>,
  ): Promise<Plan<Reply>> {
    const [table, vnis, routes] = await Promise.all([
      this.readTable(options),
      readAll(this.store, { prefix: keys.vnis, keysOnly: true }, options),
      this.readRoutes(options),
    ]);
    const directory = {
      table,
      vnis: new Set(vnis.kvs.map(({ key }) => Number(key.slice(keys.vnis.length)))),
      routes,
      nameOf: (networkId: string) => networkId,
    };
    const outcome = plan(directory);
    if (outcome.ok || outcome.refusal.code !== 'subnet_overlap') return replyOrThrow(outcome);
    const { kvs } = await readAll(this.store, { prefix: keys.networks }, options);
    const names = new Map(
      kvs.map((kv) => parseValue<NetworkRecord>(kv)).map(({ id, name }) => [id, name]),
    );
    return replyOrThrow(plan({ ...directory, nameOf: (id) => names.get(id) ?? id }));
  }

  /** As the agents reported them. One that comes later than a subnet is the audit's to find. */
  private async readRoutes(options: CallOptions): Promise<HostRoute[]> {
    const { kvs } = await readAll(this.store, { prefix: keys.hosts }, options);
    return kvs
      .map((kv) => parseValue<HostRecord>(kv))
      .flatMap(({ name: host, routes = [] }) =>
        routes.flatMap((text) => {
          const parsed = parseCidr(text);
          return parsed.ok ? [{ cidr: parsed.value, host }] : [];
        }),
      );
  }

  private async endpointsOf(networkId: string, options: CallOptions) {
    const addresses = await readAll(this.store, { prefix: keys.addresses(networkId) }, options);
    const { revision } = addresses;
    const endpoints = await readAll(
      this.store,
      { prefix: keys.endpoints(networkId), revision },
      options,
    );
    const holders = new Map<string, Holder>();
    for (const kv of addresses.kvs) {
      const { state, kind, endpointId: id, host, cause } = parseValue<AddressRecord>(kv);
      if (state !== 'held' || kind !== 'endpoint' || id === undefined) continue;
      holders.set(id, { id, name: id, host: host ?? '', since: cause.at, isRegistered: false });
    }
    for (const kv of endpoints.kvs) {
      const { id, name, host, created } = parseValue<EndpointRecord>(kv);
      holders.set(id, { id, name, host, since: created.at, isRegistered: true });
    }
    return { holders: [...holders.values()], revision };
  }

  /** Those whose host is up and that were registered, or may yet be. */
  private async notAbandoned(holders: readonly Holder[], options: CallOptions): Promise<Holder[]> {
    const { kvs } = await readAll(this.store, { prefix: keys.hosts }, options);
    const hosts = kvs.map((kv) => parseValue<HostRecord>(kv));
    const up = new Set(hosts.filter(({ state }) => state === 'up').map(({ id }) => id));
    const now = Date.now();
    return holders.filter(
      ({ host, isRegistered, since }) =>
        up.has(host) && (isRegistered || now - since < abandonedAfterMs),
    );
  }

  private async readTable(options: CallOptions): Promise<Versioned<SubnetTable>> {
    const kv = await this.store.get(keys.subnetTable, options);
    return kv === undefined ? { record: { subnets: [] }, modRevision: 0 } : versioned(kv);
  }

  private commit({ compare, success }: Transaction, options: CallOptions) {
    return this.store.txn({ compare: [...compare], success: [...success], failure: [] }, options);
  }

  /** Several keys in one round trip. */
  private async read(
    wanted: readonly string[],
    options: CallOptions,
  ): Promise<(KeyValue | undefined)[]> {
    const success = wanted.map((key) => ({ type: 'range' as const, key }));
    const { results } = await this.store.txn({ compare: [], success, failure: [] }, options);
    return results.map((result: OperationResult) =>
      result.type === 'range' ? result.kvs[0] : undefined,
    );
  }
}

interface Holder {
  readonly id: string;
  readonly name: string;
  readonly host: string;
  readonly since: number;
  /** False: it has addresses, and the registry knows nothing of it. */
  readonly isRegistered: boolean;
}

export function callOptions(context: RequestContext): CallOptions {
  return { context, timeoutMs: Math.max(1, context.deadline.remainingMs()) };
}

export function causeOf({ requestId }: RequestContext): { request: string; at: number } {
  return { request: requestId, at: Date.now() };
}

function versioned<Record>(kv: KeyValue): Versioned<Record> {
  return { record: parseValue<Record>(kv), modRevision: kv.modRevision };
}

function networkInUse({ name }: NetworkRecord, holders: readonly Holder[]): SkeinError {
  const names = holders.slice(0, namesInRefusal).map((holder) => holder.name);
  const facts = { endpoints: holders.length, names };
  const message = `${name} has ${holders.length} endpoint(s): ${names.join(', ')}`;
  return new SkeinError('network_in_use', message, { field: 'network', facts });
}

function tooBusy(): SkeinError {
  return new SkeinError('overloaded', 'Too many networks are changing at once: try again', {
    facts: { attempts: maxAttempts },
  });
}
