// Creating, growing and deleting a network, each as one transaction over what was read. Two replicas that do it at once can't
// both succeed: the transaction compares the table of all subnets, the name and the VNI.

import { address, cidr, sortableAddress } from '@skein/ip';
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
  type TakenSubnet,
} from './subnet-plan';
import { cidrText } from '@skein/ip';

export const firstVni = 4_096;
export const lastVni = 0xffffff;
export const maxSubnets = 16;

/** What is in use cluster-wide, as read at one revision. */
export interface NetworkDirectory {
  /** modRevision 0: no network was ever made. */
  readonly table: Versioned<SubnetTable>;
  readonly vnis: ReadonlySet<number>;
  /** Name of a network by its id, for messages; an id stands for itself where it is missing. */
  nameOf(networkId: string): string;
}

export interface NetworkWish {
  readonly id: string;
  readonly name: string;
  readonly subnets?: readonly SubnetSpec[] | undefined;
  readonly vni?: number | undefined;
}

export interface Plan<Reply> {
  readonly transaction: Transaction;
  readonly reply: Reply;
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

  const part = { id: wish.id, name: wish.name, vni: vni.reply, subnets: subnets.reply };
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
  { keys, cause, directory }: { keys: Keyspace; cause: Cause; directory: NetworkDirectory },
): Outcome<Plan<Whole>> {
  const { id, name, subnets } = network.record;
  if (subnets.length >= maxSubnets) {
    const facts = { subnets: subnets.length, limit: maxSubnets };
    return refuse('invalid_request', `${name} has ${maxSubnets} subnets already`, { facts });
  }
  const planned = planSubnets([spec], takenSubnets(directory), {
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
  const spans = [keys.addresses(id), keys.macs(id), keys.endpoints(id), keys.endpointNames(id)];
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
      put(keys.subnetTable, { subnets: remaining }),
    ],
  };
}

/** No key of the span was written after `revision`; those that went since do not matter. */
function untouchedSince(key: string, revision: number): Transaction['compare'][number] {
  return { key, prefix: true, target: 'modRevision', operator: '<', value: revision + 1 };
}

function wantedSubnets(
  { name, subnets }: NetworkWish,
  directory: NetworkDirectory,
  pools: SubnetPools,
): Outcome<SubnetRecord[]> {
  const taken = takenSubnets(directory);
  const field = (index: number): string => `subnets.${index}`;
  if (subnets !== undefined && subnets.length > 0) {
    return planSubnets(subnets, taken, { network: name, field });
  }
  const chosen = chooseSubnet(pools, taken);
  if (!chosen.ok) return chosen;
  return planSubnets([{ cidr: cidrText(chosen.reply) }], taken, { network: name, field });
}

function takenSubnets({ table, nameOf }: NetworkDirectory): TakenSubnet[] {
  return table.record.subnets.map((subnet) => ({
    cidr: cidr(subnet.cidr),
    network: nameOf(subnet.networkId),
  }));
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
