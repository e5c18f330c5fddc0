// What `ip -j -d` and `bridge -j` print, in the terms of libs/vxlan. Fields of no concern are not looked at; an object that
// lacks an expected one is passed over, since namespaces hold other people's devices too.

import { address, formatAddress } from '@skein/ip';
import {
  bridgeName,
  probeDevice,
  probePort,
  vxlanName,
  type ObservedInterface,
  type ObservedNetwork,
  type ObservedPort,
  type ObservedRow,
  type ObservedSandbox,
  type ObservedVeth,
  type ObservedVxlan,
} from '@skein/vxlan';

/** What a row may say besides its VTEP, as JSON has it and as the command has it. */
const oddTargets = [
  ['port', 'port'],
  ['vni', 'vni'],
  ['viaIf', 'via'],
] as const;

type Json = Readonly<Record<string, unknown>>;

/** `-batch` prints one array a command. What stands in them tells what they are. */
export function parseArrays(text: string): Json[] {
  const items: Json[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() !== '') for (const item of JSON.parse(line) as Json[]) items.push(item);
  }
  return items;
}

export function parseNetwork(
  netns: string,
  items: readonly Json[],
  rows: readonly Json[],
): ObservedNetwork {
  const links = items.filter((item) => item['ifindex'] !== undefined);
  const bridge = links.find((link) => nameOf(link) === bridgeName && kindOf(link) === 'bridge');
  const vxlan = links.find((link) => nameOf(link) === vxlanName && kindOf(link) === 'vxlan');
  const veths = new Map<string, ObservedVeth>();
  for (const link of links) {
    if (kindOf(link) !== 'veth') continue;
    const peerIndex = Number(link['link_index'] ?? 0);
    veths.set(nameOf(link), { ...portOf(link), index: Number(link['ifindex']), peerIndex });
  }
  const probe = probeIn(links, veths);
  const neighbors = new Map<string, string>();
  for (const item of items) {
    if (item['lladdr'] === undefined || item['dev'] !== bridgeName) continue;
    neighbors.set(canonical(String(item['dst'])), String(item['lladdr']));
  }
  return {
    netns,
    bridge:
      bridge === undefined
        ? null
        : { mac: String(bridge['address']), mtu: Number(bridge['mtu']), isUp: isUp(bridge) },
    vxlan: vxlan === undefined ? null : vxlanOf(vxlan),
    veths,
    gateways: new Set(bridge === undefined ? [] : addressesOf(bridge)),
    fdb: parseRows(rows),
    neighbors,
    ...(probe === null ? {} : { probe }),
  };
}

/** Null unless both ends are there, up, and the port is the bridge's. */
function probeIn(
  links: readonly Json[],
  veths: ReadonlyMap<string, ObservedVeth>,
): ObservedNetwork['probe'] | null {
  const port = veths.get(probePort);
  const device = links.find((link) => nameOf(link) === probeDevice);
  if (port?.isUp !== true || port.master !== bridgeName || port.flood || port.learning) return null;
  if (device === undefined || !isUp(device)) return null;
  const address = addressesOf(device)[0]?.split('/')[0] ?? '';
  return {
    mac: String(device['address']),
    address,
    mtu: Math.min(port.mtu, Number(device['mtu'])),
  };
}

export function parseSandbox(items: readonly Json[]): ObservedSandbox {
  const links = items.filter((item) => item['ifindex'] !== undefined);
  const routes = items.filter((item) => item['ifindex'] === undefined);
  return {
    interfaces: links.map((link): ObservedInterface => ({
      name: nameOf(link),
      index: Number(link['ifindex']),
      peerIndex: kindOf(link) === 'veth' ? Number(link['link_index'] ?? 0) : null,
      mac: String(link['address']),
      mtu: Number(link['mtu']),
      isUp: isUp(link),
      addresses: addressesOf(link),
    })),
    routes: new Set(routes.map((route) => String(route['dst']))),
  };
}

/** Rows that someone wrote: not those that the bridge keeps for its ports' own addresses, nor learned ones. */
export function parseRows(items: readonly Json[]): Map<string, ObservedRow> {
  const rows = new Map<string, { port: string | null; vteps: string[] }>();
  for (const item of items) {
    const flags = item['flags'];
    const isSelf = Array.isArray(flags) && flags.includes('self');
    const ofVxlan = isSelf && item['ifname'] === vxlanName;
    const ofBridge = !isSelf && item['master'] === bridgeName && item['state'] === 'static';
    if (!ofVxlan && !ofBridge) continue;
    const mac = String(item['mac']);
    const row = rows.get(mac) ?? { port: null, vteps: [] };
    rows.set(mac, row);
    if (ofBridge) row.port = String(item['ifname']);
    else row.vteps.push(targetOf(item));
  }
  return rows;
}

/** A VTEP alone, or whatever else the row says, in iproute2's words. */
function targetOf(row: Json): string {
  if (row['nhid'] !== undefined) return `nhid ${String(row['nhid'])}`;
  const words = [canonical(String(row['dst'] ?? 'no vtep'))];
  for (const [field, word] of oddTargets) {
    if (row[field] !== undefined) words.push(word, String(row[field]));
  }
  return words.join(' ');
}

function vxlanOf(link: Json): ObservedVxlan {
  const facts = (link['linkinfo'] as Json)['info_data'] as Json;
  return {
    ...portOf(link),
    vni: Number(facts['id']),
    local: canonical(String(facts['local'] ?? facts['local6'] ?? '')),
    vxlanPort: Number(facts['port']),
    macLearning: facts['learning'] === true,
  };
}

function portOf(link: Json): ObservedPort {
  const slave = ((link['linkinfo'] as Json | undefined)?.['info_slave_data'] ?? {}) as Json;
  return {
    master: typeof link['master'] === 'string' ? link['master'] : null,
    mtu: Number(link['mtu']),
    isUp: isUp(link),
    learning: slave['learning'] === true,
    flood: slave['flood'] === true,
    neighSuppress: slave['neigh_suppress'] === true,
  };
}

function addressesOf(link: Json): string[] {
  const list = (link['addr_info'] ?? []) as readonly Json[];
  return list
    .filter((item) => item['scope'] !== 'link' && item['local'] !== undefined)
    .map((item) => `${canonical(String(item['local']))}/${String(item['prefixlen'])}`);
}

function nameOf(link: Json): string {
  return String(link['ifname']);
}

function kindOf(link: Json): string | undefined {
  return (link['linkinfo'] as Json | undefined)?.['info_kind'] as string | undefined;
}

function isUp(link: Json): boolean {
  const flags = link['flags'];
  return Array.isArray(flags) && flags.includes('UP');
}

/** The kernel's IPv4 text is canonical; its IPv6 text may mix notations. */
function canonical(text: string): string {
  return text.includes(':') ? formatAddress(address(text)) : text;
}
