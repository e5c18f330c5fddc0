// A store in which nothing is wrong, and the records that tests put into it. Knows no fault.

import { keys, type EndpointRecord } from '@skein/contracts';
import { planNetwork, type NetworkDirectory, type SubnetSpec } from '@skein/ipam';
import { createMemoryStore, type MemoryStore } from '@skein/store-client';
import { auditFindings, auditStateOf, type Finding } from '../index';

export const limits = { now: 1_000_000, graceMs: 60_000 };
const cause = { request: 'r1', at: 1_000 };
/** Made anew by `soundState`. */
export let store: MemoryStore;

export const put = (key: string, record: unknown) =>
  store.put({ key, value: JSON.stringify(record) });
export const patch = async (key: string, change: object) => {
  const record = JSON.parse((await store.get(key))?.value ?? '{}') as object;
  await put(key, { ...record, ...change });
};
export const drop = (key: string) => store.txn({ success: [{ type: 'delete', key }] });

export async function look(): Promise<Finding[]> {
  const { kvs, revision } = await store.range({ key: '/skein/', prefix: true });
  return auditFindings(auditStateOf(kvs, revision), limits);
}

export async function createNetwork(id: string, vni: number, subnets: SubnetSpec[]): Promise<void> {
  const table = await store.get(keys.subnetTable);
  const directory: NetworkDirectory = {
    table: {
      record: table === undefined ? { subnets: [] } : JSON.parse(table.value),
      modRevision: table?.modRevision ?? 0,
    },
    vnis: new Set(),
    nameOf: (name) => name,
  };
  const flags = { attachable: true, internal: false, multicast: false, encrypted: false };
  const plan = planNetwork({ id, name: id, vni, subnets }, directory, {
    keys,
    pools: { pools: [], excluded: [] },
    cause,
    complete: (part) => ({ ...flags, onHostLoss: 'keep', labels: {}, created: cause, ...part }),
  });
  if (!plan.ok) throw new Error(plan.refusal.message);
  const { compare, success } = plan.reply.transaction;
  await store.txn({ compare: [...compare], success: [...success] });
}

export const endpoint = (id: string, text: string, change: Partial<EndpointRecord> = {}) => ({
  id,
  networkId: 'web',
  host: 'h1',
  name: id,
  aliases: [`${id}-alias`],
  addresses: [`${text}/24`],
  mac: '02:42:0a:00:00:02',
  labels: {},
  created: cause,
  ...change,
});
export const held = (endpointId: string, text: string, change: object = {}) => ({
  address: text,
  networkId: 'web',
  state: 'held',
  kind: 'endpoint',
  endpointId,
  host: 'h1',
  bootId: 'b1',
  cause,
  ...change,
});
export const at = (last: string) => keys.address('web', `4-0a0000${last}`);
export const e1 = keys.endpoint('web', 'e1');
export const mac = '02:00:00:00:00:09';

/** One network with an endpoint, a gateway, a reserved and a resting address, and one host: nothing is wrong with it. */
export async function soundState(): Promise<void> {
  store = createMemoryStore({ now: () => 0 });
  await createNetwork('web', 5_000, [{ cidr: '10.0.0.0/24', reserved: { printer: '10.0.0.9' } }]);
  await put(keys.host('h1'), {
    id: 'h1',
    name: 'h1',
    vtep: '192.168.0.1',
    gossip: '192.168.0.1:7946',
    underlayMtu: 1_500,
    bootId: 'b1',
    epoch: 1,
    state: 'up',
    since: 0,
    labels: {},
    routes: ['192.168.0.0/24'],
  });
  await put(e1, endpoint('e1', '10.0.0.2'));
  await put(keys.endpointName('web', 'e1'), { endpointId: 'e1' });
  await put(keys.endpointName('web', 'e1-alias'), { endpointId: 'e1' });
  await put(at('02'), held('e1', '10.0.0.2'));
  await put(at('03'), held('gone', '10.0.0.3', { state: 'resting', until: 2_000 }));
}

export const record = (kind: string) => JSON.stringify({ kind });
