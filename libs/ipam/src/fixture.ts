// What the tests of this library stand on: the real store's state machine in one process, and keys of their own.

import { createStore, type StoreRequest, type TransactionReply } from '@skein/store';
import { planNetwork, type NetworkWish } from './network-plan';
import { type NetworkContent } from './network-view';
import {
  type AddressRecord,
  type Keyspace,
  type NetworkRecord,
  type SubnetTable,
  type Transaction,
} from './records';
import { defaultPools, type SubnetPools } from './subnet-plan';

export const keys: Keyspace = {
  network: (id) => `/network/${id}`,
  networkName: (name) => `/network-name/${name}`,
  vni: (vni) => `/vni/${vni}`,
  subnetTable: '/subnet-table',
  address: (id, sortable) => `/address/${id}/${sortable}`,
  addresses: (id) => `/address/${id}/`,
  mac: (id, mac) => `/mac/${id}/${mac}`,
  macs: (id) => `/mac/${id}/`,
  endpoint: (id, endpointId) => `/endpoint/${id}/${endpointId}`,
  endpoints: (id) => `/endpoint/${id}/`,
  endpointNames: (id) => `/endpoint-name/${id}/`,
  services: (id) => `/service/${id}/`,
  actor: (kind, id) => `/actor/${kind}/${id}`,
};

export const cause = { request: 'r1', at: 1_000 };

export class FixtureStore {
  private readonly store = createStore();

  get revision(): number {
    return this.store.status.revision;
  }

  apply(request: StoreRequest): TransactionReply {
    const index = this.store.status.appliedIndex + 1;
    const [outcome] = this.store.apply(index, { at: index, requests: [request] });
    if (outcome === undefined || !outcome.ok) throw new Error(JSON.stringify(outcome));
    return outcome.reply as TransactionReply;
  }

  commit({ compare, success }: Transaction): TransactionReply {
    return this.apply({ type: 'txn', compare, success, failure: [] });
  }

  put(key: string, value: unknown): void {
    this.apply({ type: 'put', key, value: JSON.stringify(value) });
  }

  all(prefix: string) {
    const outcome = this.store.range({ key: prefix, prefix: true });
    if (!outcome.ok) throw new Error(outcome.refusal.message);
    return outcome.reply.kvs;
  }

  get(key: string) {
    return this.all(key).find((kv) => kv.key === key);
  }

  addresses(id: string): AddressRecord[] {
    return this.all(keys.addresses(id)).map((kv) => JSON.parse(kv.value) as AddressRecord);
  }

  directory() {
    const table = this.get(keys.subnetTable);
    const networks = this.all('/network/').map((kv) => JSON.parse(kv.value) as NetworkRecord);
    return {
      table: {
        record: table === undefined ? { subnets: [] } : (JSON.parse(table.value) as SubnetTable),
        modRevision: table?.modRevision ?? 0,
      },
      vnis: new Set(networks.map(({ vni }) => vni)),
      nameOf: (id: string) => networks.find((one) => one.id === id)?.name ?? id,
    };
  }

  plan(wish: NetworkWish, pools: SubnetPools = defaultPools) {
    return planNetwork(wish, this.directory(), {
      keys,
      pools,
      cause,
      complete: (part) => part,
    });
  }

  create(wish: Omit<NetworkWish, 'id'>, pools?: SubnetPools): NetworkRecord {
    const plan = this.plan({ id: wish.name, ...wish }, pools);
    if (!plan.ok) throw new Error(plan.refusal.message);
    if (!this.commit(plan.reply.transaction).succeeded) throw new Error('not committed');
    return plan.reply.reply;
  }

  content(id: string): NetworkContent | null {
    const network = this.get(keys.network(id));
    if (network === undefined) return null;
    return {
      network: JSON.parse(network.value) as NetworkRecord,
      networkRevision: network.modRevision,
      addresses: this.all(keys.addresses(id)),
      macs: this.all(keys.macs(id)),
    };
  }
}
