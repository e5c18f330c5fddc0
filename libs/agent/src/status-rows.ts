// The kernel's rows as people see them in an agent's status. Translates, decides nothing.

import type { z } from 'zod';
import type { rowSchema, ShareNetwork } from '@skein/contracts';
import { bridgeName, rowText, vxlanName, type Observed } from '@skein/vxlan';

export type StatusRow = z.output<typeof rowSchema>;

/** More would not fit one answer. */
export const maxStatusRows = 5_000;

export function statusRows(
  observed: Observed,
  networks: readonly { readonly network: ShareNetwork; readonly netns: string }[],
): StatusRow[] {
  const rows: StatusRow[] = [];
  for (const { network, netns } of networks) {
    const found = observed.networks.get(netns);
    if (found === undefined) continue;
    const add = (kind: StatusRow['kind'], key: string, value: string) =>
      rows.push({ networkId: network.id, kind, key, value });
    if (found.bridge !== null)
      add('link', bridgeName, `${found.bridge.mac} mtu ${found.bridge.mtu}`);
    if (found.vxlan !== null) {
      const { vni, local, vxlanPort, mtu } = found.vxlan;
      add('link', vxlanName, `vni ${vni} local ${local} port ${vxlanPort} mtu ${mtu}`);
    }
    for (const [veth, { mtu, isUp }] of found.veths) {
      add('link', veth, `mtu ${mtu} ${isUp ? 'up' : 'down'}`);
    }
    for (const [mac, row] of found.fdb) add('fdb', mac, rowText(row));
    for (const [address, mac] of found.neighbors) add('neighbor', address, mac);
  }
  return rows.slice(0, maxStatusRows);
}
