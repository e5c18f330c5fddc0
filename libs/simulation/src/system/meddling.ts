// What somebody at a host's keyboard may do to its kernel: rows deleted or changed, devices taken down. It must not know who puts it
// right.

import type { Random } from '../random';
import type { KernelNetwork } from './kernel';

export const meddlings = ['fdb', 'neighbor', 'mtu', 'down', 'extra', 'vtep', 'port'] as const;
export type Meddling = (typeof meddlings)[number];

export interface MeddledPlace {
  readonly network: KernelNetwork;
  readonly random: Random;
}

/** Null: there was nothing of this kind to lay hands on. */
export function meddleWith(kind: Meddling, place: MeddledPlace): string | null {
  const { network, random } = place;
  const pick = <T>(all: Iterable<T>): T | null => {
    const list = [...all];
    return list.length === 0 ? null : random.pick(list);
  };
  switch (kind) {
    case 'fdb': {
      const mac = pick(network.fdb.keys());
      if (mac !== null) network.fdb.delete(mac);
      return mac === null ? null : `row of ${mac} deleted`;
    }
    case 'neighbor': {
      const address = pick(network.neighbors.keys());
      if (address !== null) network.neighbors.set(address, '02:00:00:00:00:01');
      return address === null ? null : `neighbor ${address} changed`;
    }
    case 'mtu':
      if (network.vxlan !== null) network.vxlan = { ...network.vxlan, mtu: 600 };
      return network.vxlan === null ? null : 'mtu of the vxlan device changed';
    case 'down':
      if (network.bridge !== null) network.bridge = { ...network.bridge, isUp: false };
      return network.bridge === null ? null : 'bridge taken down';
    case 'extra':
      network.neighbors.set('10.99.99.99', '02:00:00:00:00:02');
      return 'neighbor added';
    case 'vtep': {
      const remote = pick([...network.fdb].filter(([, { vteps }]) => vteps.length > 0));
      const other = random.pick(['192.0.2.250', 'nhid 7']);
      if (remote === null) return null;
      network.fdb.set(remote[0], { ...remote[1], vteps: [other] });
      return `row of ${remote[0]} led to ${other}`;
    }
    case 'port': {
      const veth = pick(network.veths.keys());
      const found = veth === null ? undefined : network.veths.get(veth);
      if (veth === null || found === undefined) return null;
      network.veths.set(veth, { ...found, isUp: false });
      return `${veth} taken down`;
    }
  }
}
