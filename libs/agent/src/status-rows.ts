// The kernel's rows as people see them in an agent's status. Translates, decides nothing.

import type { z } from 'zod';
import type { rowSchema, ShareNetwork } from '@skein/contracts';
import type { Observed } from '@skein/vxlan';

export type StatusRow = z.output<typeof rowSchema>;

/** More would not fit one answer. */
export const maxStatusRows = 5_000;

export function statusRows(
  observed: Observed,
  networks: readonly { readonly network: ShareNetwork; readonly netns: string }[],
): StatusRow[] {
  const rows: StatusRow[] = [];
  const vias = new Map<number, string>();
  for (const { id, via, members } of observed.nexthops) {
    if (via !== undefined) vias.set(id, via);
    for (const member of members ?? []) vias.set(id, vias.get(member) ?? `next hop ${member}`);
  }
  const groups = new Set<number>();
  for (const { network, netns } of networks) {
    const found = observed.networks.get(netns);
    if (found === undefined) continue;
    const add = (kind: StatusRow['kind'], key: string, value: string) =>
      rows.push({ networkId: network.id, kind, key, value });
    if (found.bridge !== null) add('link', 'br0', `${found.bridge.mac} mtu ${found.bridge.mtu}`);
    if (found.vxlan !== null) {
      const { vni, local, vxlanPort, mtu } = found.vxlan;
      add('link', 'vxlan0', `vni ${vni} local ${local} port ${vxlanPort} mtu ${mtu}`);
    }
    for (const [veth, { mtu, isUp }] of found.veths) {
      add('link', veth, `mtu ${mtu} ${isUp ? 'up' : 'down'}`);
    }
    for (const [mac, { port, nhid, vteps }] of found.fdb) {
      const way = nhid === null ? vteps : [`nhid ${nhid} via ${vias.get(nhid) ?? 'nobody'}`];
      if (nhid !== null) groups.add(nhid);
      add('fdb', mac, [port ?? 'no port', ...way].join(' '));
    }
    for (const [address, mac] of found.neighbors) add('neighbor', address, mac);
    for (const group of groups) add('nexthop', String(group), vias.get(group) ?? 'nobody');
    groups.clear();
  }
  return rows.slice(0, maxStatusRows);
}
