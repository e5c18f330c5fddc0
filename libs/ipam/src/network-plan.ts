// Creating, growing and deleting a network, each as one transaction over what was read. Two replicas that do it at once can't
// both succeed: the transaction compares the table of all subnets, the name and the VNI.

import { address, cidr, cidrText, sortableAddress, type Family } from '@skein/ip';
import { familyNames, type FamilyName } from './allocate';
import { type NetworkDirectory } from './directory';
import { barriersIn } from './exclusions';
import {
  accept,
  networkActorKind,
  put,
  refuse,
  transactionLimit,
  unchanged,
  type AddressRecord,
  type Cause,
  type Keyspace,
  type NetworkRecord,
  type Operation,
  type Outcome,
  type Plan,
  type SubnetRecord,
  type SubnetTable,
  type Transaction,
  type Versioned,
} from './records';
import {
  chooseSubnet,
  planSubnets,
  type SubnetPools,
  type SubnetSpec,
  type Surroundings,
} from './subnet-plan';

export const firstVni = 4_096;
export const lastVni = 0xffffff;
export const maxSubnets = 16;

export interface NetworkWish {
  readonly id: string;
  readonly name: string;
  readonly subnets?: readonly SubnetSpec[] | undefined;
  /** Each of these that no given subnet is of gets one from the default pools; none given, of neither: the first pool's. */
  readonly families?: readonly FamilyName[] | undefined;
  /** Overlaps whatever it likes but itself. */
  readonly allowOverlap?: boolean | undefined;
  readonly vni?: number | undefined;
}

/** `complete` makes the whole record of the part that is decided here. */
export function planNetwork<Whole extends NetworkRecord>(
  wish: NetworkWish,
  directory: NetworkDirectory,
  context: {
    readonly keys: Keyspace;
    readonly pools: SubnetPools;
    readonly cause: Cause;
    readonly complete: (part: NetworkRecord) => Whole;
  },
): Outcome<Plan<Whole>> {
  const { keys, cause } = context;
  const subnets = wantedSubnets(wish, directory, context.pools);
  if (!subnets.ok) return subnets;
  const vni = chooseVni(wish.vni, directory.vnis);
  if (!vni.ok) return vni;

  const part = {
    id: wish.id,
    name: wish.name,
    vni: vni.reply,
    subnets: subnets.reply,
    ...(wish.allowOverlap === true ? { allowOverlap: true as const } : {}),
  };
  const record = context.complete(part);
  const { id, name } = record;
  return fit({
    transaction: {
      compare: [
        unchanged(keys.networkName(name), 0),
        unchanged(keys.vni(record.vni), 0),
        unchanged(keys.network(id), 0),
        unchanged(keys.subnetTable, directory.table.modRevision),
      ],
      success: [
        put(keys.network(id), record),
        put(keys.networkName(name), { networkId: id }),
        put(keys.vni(record.vni), { networkId: id }),
        put(keys.subnetTable, tableWith(directory.table.record, record.subnets, id)),
        ...ownAddresses(record.subnets, { keys, networkId: id, cause }),
      ],
    },
    reply: record,
  });
}

export function planSubnetAddition<Whole extends NetworkRecord>(
  spec: SubnetSpec,
  network: Versioned<Whole>,
  context: {
    readonly keys: Keyspace;
    readonly pools: SubnetPools;
    readonly cause: Cause;
    readonly directory: NetworkDirectory;
  },
): Outcome<Plan<Whole>> {
  const { keys, cause, directory, pools } = context;
  const { id, name, subnets, allowOverlap } = network.record;
  if (subnets.length >= maxSubnets) {
    const facts = { subnets: subnets.length, limit: maxSubnets };
    return refuse('invalid_request', `${name} has ${maxSubnets} subnets already`, { facts });
  }
  const around = surroundings(directory, pools, { allowOverlap, networkId: id });
  const planned = planSubnets([spec], around, {
    network: name,
    field: () => 'subnet',
  });
  if (!planned.ok) return planned;
  const record = { ...network.record, subnets: [...subnets, ...planned.reply] };
  return fit({
    transaction: {
      compare: [
        unchanged(keys.network(id), network.modRevision),
        unchanged(keys.subnetTable, directory.table.modRevision),
      ],
      success: [
        put(keys.network(id), record),
        put(keys.subnetTable, tableWith(directory.table.record, planned.reply, id)),
        ...ownAddresses(planned.reply, { keys, networkId: id, cause }),
      ],
    },
    reply: record,
  });
}

/**
 * Removes every key of the network. It holds only if nothing was allocated or attached since `revision`, at which the caller
 * saw that no endpoint stands in the way; the actor's key goes too, so that no activation can commit afterwards.
 */
export function planNetworkDeletion(
  network: Versioned<NetworkRecord>,
  { keys, table, revision }: { keys: Keyspace; table: Versioned<SubnetTable>; revision: number },
): Transaction {
  const { id, name, vni } = network.record;
  const spans = [
    keys.addresses(id),
    keys.macs(id),
    keys.endpoints(id),
    keys.endpointNames(id),
    keys.services(id),
  ];
  const remaining = table.record.subnets.filter((subnet) => subnet.networkId !== id);
  return {
    compare: [
      unchanged(keys.network(id), network.modRevision),
      unchanged(keys.subnetTable, table.modRevision),
      untouchedSince(keys.addresses(id), revision),
      untouchedSince(keys.endpoints(id), revision),
    ],
    success: [
      ...[
        keys.network(id),
        keys.networkName(name),
        keys.vni(vni),
        keys.actor(networkActorKind, id),
      ].map((key): Operation => ({ type: 'delete', key })),
      ...spans.map((key): Operation => ({ type: 'delete', key, prefix: true })),
      put(keys.subnetTable, { ...table.record, subnets: remaining }),
    ],
  };
}

/** No key of the span was written after `revision`; those that went since do not matter. */
function untouchedSince(key: string, revision: number): Transaction['compare'][number] {
  return { key, prefix: true, target: 'modRevision', operator: '<', value: revision + 1 };
}

function wantedSubnets(
  { name, subnets = [], families, allowOverlap }: NetworkWish,
  directory: NetworkDirectory,
  pools: SubnetPools,
): Outcome<SubnetRecord[]> {
  const around = surroundings(directory, pools, { allowOverlap });
  const field = (index: number): string => `subnets.${index}`;
  const given = planSubnets(subnets, around, { network: name, field });
  if (!given.ok) return given;
  const has = new Set(given.reply.map((subnet) => cidr(subnet.cidr).family));
  const specs: SubnetSpec[] = [];
  // Even a network that may overlap others is cut from what is free, if the choice is left to us.
  const all = surroundings(directory, pools, {});
  for (const family of wantedFamilies(families, subnets.length, pools)) {
    if (has.has(family)) continue;
    const own = given.reply.map((subnet) => ({ cidr: cidr(subnet.cidr), network: name }));
    const chosen = chooseSubnet(pools, { ...all, taken: [...all.taken, ...own] }, family);
    if (!chosen.ok) return chosen;
    specs.push({ cidr: cidrText(chosen.reply) });
  }
  const chosen = planSubnets(specs, all, { network: name, field });
  return chosen.ok ? accept([...given.reply, ...chosen.reply]) : chosen;
}

function wantedFamilies(
  wanted: readonly FamilyName[] | undefined,
  given: number,
  { pools }: SubnetPools,
): readonly Family[] {
  if (wanted !== undefined)
    return ([4, 6] as const).filter((one) => wanted.includes(familyNames[one]));
  return given > 0 ? [] : [pools[0]?.cidr.family ?? 4];
}

/** What a subnet may not overlap; with `allowOverlap` that is its own network's subnets alone. */
function surroundings(
  { table, nameOf, routes = [] }: NetworkDirectory,
  pools: SubnetPools,
  { allowOverlap, networkId }: { allowOverlap?: boolean | undefined; networkId?: string },
): Surroundings {
  const rows = table.record.subnets.filter(
    (subnet) => allowOverlap !== true || subnet.networkId === networkId,
  );
  const taken = rows.map((row) => ({ cidr: cidr(row.cidr), network: nameOf(row.networkId) }));
  const barriers = allowOverlap === true ? [] : barriersIn(table.record, pools, routes);
  return { taken, barriers };
}

function chooseVni(wanted: number | undefined, taken: ReadonlySet<number>): Outcome<number> {
  if (wanted !== undefined) {
    if (!taken.has(wanted)) return accept(wanted);
    return refuse('vni_taken', `VNI ${wanted} is in use`, { field: 'vni', facts: { vni: wanted } });
  }
  for (let vni = firstVni; vni <= lastVni; vni += 1) {
    if (!taken.has(vni)) return accept(vni);
  }
  return refuse('vni_taken', 'every VNI is in use', { facts: { taken: taken.size } });
}

function tableWith(
  table: SubnetTable,
  subnets: readonly SubnetRecord[],
  networkId: string,
): SubnetTable {
  return {
    ...table,
    subnets: [...table.subnets, ...subnets.map(({ cidr: text }) => ({ cidr: text, networkId }))],
  };
}

/** Gateways and reserved addresses are held like any other, so that one place tells who has an address. */
function ownAddresses(
  subnets: readonly SubnetRecord[],
  { keys, networkId, cause }: { keys: Keyspace; networkId: string; cause: Cause },
): Operation[] {
  const hold = (text: string, rest: Pick<AddressRecord, 'kind' | 'reservedAs'>): Operation => {
    const record: AddressRecord = { address: text, networkId, state: 'held', ...rest, cause };
    return put(keys.address(networkId, sortableAddress(address(text))), record);
  };
  return subnets.flatMap((subnet) => [
    hold(subnet.gateway, { kind: 'gateway', reservedAs: 'gateway' }),
    ...Object.entries(subnet.reserved).map(([name, text]) =>
      hold(text, { kind: 'reserved', reservedAs: name }),
    ),
  ]);
}

function fit<Reply>(plan: Plan<Reply>): Outcome<Plan<Reply>> {
  const operations = plan.transaction.success.length;
  if (operations <= transactionLimit) return accept(plan);
  const facts = { operations, limit: transactionLimit };
  return refuse('invalid_request', 'too many reserved addresses at once', {
    field: 'subnets',
    facts,
  });
}
