// What a host's kernel should hold, derived from its share of the committed state. Knows no command and no kernel; the
// share is described by its structure alone, so that any that has these fields will do.

import { address, cidr, cidrText, contains, formatAddress, parsePrefixedAddress } from '@skein/ip';
import { gatewayMac, sourceName, vethName } from './names';
import { memberOf, type DesiredUnderlay } from './members';
import { probeOf, probePort, type Probe } from './probe';
import { sourceOf, type Source } from './sources';

export interface OverlayShare {
  readonly hosts: readonly { readonly id: string; readonly vtep: string }[];
  readonly networks: readonly {
    readonly id: string;
    readonly vni: number;
    readonly mtu: number;
    readonly subnets: readonly { readonly cidr: string; readonly gateway: string }[];
    readonly onHostLoss?: 'fence' | undefined;
    readonly multicast?: true | undefined;
  }[];
  readonly endpoints: readonly OverlayEndpoint[];
}

export interface OverlayEndpoint {
  readonly id: string;
  readonly networkId: string;
  readonly host: string;
  readonly addresses: readonly string[];
  readonly mac: string;
  readonly sandbox?:
    { readonly netns: string; readonly interface?: string | undefined } | undefined;
  readonly engine?: 'docker' | undefined;
}

/** Settings of one host. */
export interface OverlaySettings {
  readonly vtep: string;
  readonly vxlanPort: number;
  /** Prefix of the names of networks' namespaces: the VNI follows. */
  readonly netnsPrefix: string;
  /** Whether each network has a probe; without IPv6 in the kernel it can't. Default false. */
  readonly hasProbes?: boolean;
  /** Addresses with prefix length that every network's bridge has besides its gateways, everywhere the same. Default none. */
  readonly anycast?: readonly string[];
  /** Whether endpoints may send from their own addresses alone, and networks are closed to hosts without a part in them. Default false. */
  readonly filtersSources?: boolean;
}

/** An endpoint of this host that has a sandbox to be plugged into, or an engine that does so. */
export interface DesiredEndpoint {
  readonly id: string;
  readonly veth: string;
  readonly mac: string;
  readonly mtu: number;
  /** With prefix length, in canonical text. */
  readonly addresses: readonly string[];
  /** The network's other subnets: they share the link, so they are reached without a gateway. */
  readonly routes: readonly string[];
  /** Null: its engine has not told yet. */
  readonly sandbox: string | null;
  /** Absent: the next free `ethN`. */
  readonly interface?: string;
  /** Of an engine's endpoint: the veth's other end in the host's namespace, from where the engine fetches it. */
  readonly source?: string;
}

/** Where frames for a MAC go: out of a bridge port, and for another host to its VTEP. */
export interface ForwardingRow {
  readonly port: string;
  readonly vtep: string | null;
}

export interface DesiredNetwork {
  readonly id: string;
  readonly netns: string;
  readonly vni: number;
  readonly mtu: number;
  readonly local: string;
  readonly vxlanPort: number;
  readonly gatewayMac: string;
  readonly gateways: readonly string[];
  /** Canonical prefixes. */
  readonly subnets: readonly string[];
  readonly endpoints: readonly DesiredEndpoint[];
  readonly fdb: ReadonlyMap<string, ForwardingRow>;
  readonly neighbors: ReadonlyMap<string, string>;
  /** Its ports are heard only while a guard in the kernel lets them. */
  readonly isFenced?: true;
  readonly probe?: Probe;
  /** VTEPs that get a copy of each frame to everybody: of the hosts with members. Absent: such frames stay on their host. */
  readonly flood?: ReadonlySet<string>;
  /** What may come out of each of its ports. Absent: anything. */
  readonly sources?: ReadonlyMap<string, Source>;
  /** Nobody looks at the filter of what may come out: it is taken to be right. */
  readonly trustsFilter?: true;
}

export interface Desired {
  /** Of the other hosts, by their ids. */
  readonly vteps: ReadonlyMap<string, string>;
  /** By the name of their namespace. */
  readonly networks: ReadonlyMap<string, DesiredNetwork>;
  /** Whom the host hears; null: no filter there. */
  readonly underlay?: DesiredUnderlay | null;
}

export const bridgeName = 'br0';
export const vxlanName = 'vxlan0';
/** In a forwarding row: frames to everybody, and to MACs without a row. */
export const everybody = '00:00:00:00:00:00';

/** Throws on addresses that are none: a share holds committed, checked state only. */
export function desiredOf(share: OverlayShare, self: string, settings: OverlaySettings): Desired {
  const others = share.hosts.filter(({ id }) => id !== self);
  const vteps = new Map(others.map(({ id, vtep }) => [id, canonical(vtep)]));
  const byNetwork = endpointsByNetwork(share.endpoints);
  const networks = new Map<string, DesiredNetwork>();
  const vnis = new Set<number>();
  const members = new Set<string>();
  for (const network of share.networks) {
    const endpoints = byNetwork.get(network.id) ?? [];
    const netns = `${settings.netnsPrefix}${network.vni}`;
    const local = endpoints.filter((endpoint) => endpoint.host === self);
    const remote = endpoints.filter((endpoint) => endpoint.host !== self);
    const subnets = network.subnets.map((subnet) => cidrText(cidr(subnet.cidr)));
    const link = { mtu: network.mtu, subnets };
    const plugged = local.flatMap((endpoint) => pluggedEndpoint(link, endpoint));
    const fdb = new Map<string, ForwardingRow>();
    for (const { mac, veth } of plugged) fdb.set(mac, { port: veth, vtep: null });
    const neighbors = new Map<string, string>();
    if (settings.hasProbes === true) fdb.set(probeOf(self).mac, { port: probePort, vtep: null });
    for (const { host, mac, addresses } of remote) {
      const vtep = vteps.get(host);
      // A share names every host behind its endpoints; one without a host has no way there, so it gets no row at all.
      if (vtep === undefined) continue;
      fdb.set(mac, { port: vxlanName, vtep });
      for (const text of addresses) neighbors.set(bareAddress(text), mac);
    }
    for (const host of settings.hasProbes === true
      ? new Set(remote.map((each) => each.host))
      : []) {
      const vtep = vteps.get(host);
      if (vtep === undefined) continue;
      const probe = probeOf(host);
      fdb.set(probe.mac, { port: vxlanName, vtep });
      neighbors.set(probe.address, probe.mac);
    }
    networks.set(netns, {
      id: network.id,
      netns,
      vni: network.vni,
      mtu: network.mtu,
      local: canonical(settings.vtep),
      vxlanPort: settings.vxlanPort,
      gatewayMac: gatewayMac(network.id),
      gateways: [...network.subnets.map(gatewayWithPrefix), ...(settings.anycast ?? [])],
      subnets,
      endpoints: plugged,
      fdb,
      neighbors,
      ...(network.onHostLoss === 'fence' ? { isFenced: true } : {}),
      ...(settings.hasProbes === true ? { probe: probeOf(self) } : {}),
      ...(network.multicast === true ? { flood: vtepsOf(remote, vteps) } : {}),
      ...(settings.filtersSources === true
        ? { sources: sourcesIn(plugged, settings.hasProbes === true ? probeOf(self) : null) }
        : {}),
    });
    vnis.add(network.vni);
    for (const vtep of vtepsOf(remote, vteps)) members.add(memberOf(network.vni, vtep));
  }
  if (settings.filtersSources !== true) return { vteps, networks };
  const { vxlanPort } = settings;
  const underlay = { vxlanPort, local: canonical(settings.vtep), vnis, members };
  return { vteps, networks, underlay: vnis.size === 0 ? null : underlay };
}

function vtepsOf(
  endpoints: readonly OverlayEndpoint[],
  vteps: ReadonlyMap<string, string>,
): Set<string> {
  return new Set(endpoints.flatMap(({ host }) => vteps.get(host) ?? []));
}

function sourcesIn(
  endpoints: readonly DesiredEndpoint[],
  probe: Probe | null,
): ReadonlyMap<string, Source> {
  const ofProbe = probe === null ? [] : [sourceOf(probePort, probe.mac, [probe.address])];
  const all = [...ofProbe, ...endpoints.map(sourceOfEndpoint)];
  return new Map(all.map((source) => [source.port, source]));
}

/** What its port may let in. */
export function sourceOfEndpoint({ veth, mac, addresses }: DesiredEndpoint): Source {
  return sourceOf(veth, mac, addresses.map(bareAddress));
}

function endpointsByNetwork(all: readonly OverlayEndpoint[]): Map<string, OverlayEndpoint[]> {
  const byNetwork = new Map<string, OverlayEndpoint[]>();
  for (const endpoint of all) {
    const known = byNetwork.get(endpoint.networkId);
    if (known === undefined) byNetwork.set(endpoint.networkId, [endpoint]);
    else known.push(endpoint);
  }
  return byNetwork;
}

/** None for one that has neither a sandbox nor an engine: it needs nothing in the kernel. */
export function pluggedEndpoint(
  { mtu, subnets }: Pick<DesiredNetwork, 'mtu' | 'subnets'>,
  endpoint: OverlayEndpoint,
): DesiredEndpoint[] {
  const { sandbox, engine } = endpoint;
  if (sandbox === undefined && engine === undefined) return [];
  const addresses = endpoint.addresses.map(prefixed);
  return [
    {
      id: endpoint.id,
      veth: vethName(endpoint.id),
      mac: endpoint.mac,
      mtu,
      addresses: addresses.map(({ text }) => text),
      routes: subnets.filter((subnet) => {
        const other = cidr(subnet);
        const isOwn = addresses.some(({ address: own }) => contains(other, own));
        return !isOwn && addresses.some(({ address: own }) => own.family === other.family);
      }),
      sandbox: sandbox?.netns ?? null,
      ...(sandbox?.interface === undefined ? {} : { interface: sandbox.interface }),
      ...(engine === undefined ? {} : { source: sourceName(endpoint.id) }),
    },
  ];
}

function prefixed(text: string) {
  const result = parsePrefixedAddress(text);
  if (!result.ok) throw new Error(`'${text}' is no address with a prefix length`);
  const { address: own, prefixLength } = result.value;
  return { address: own, text: `${formatAddress(own)}/${prefixLength}` };
}

function gatewayWithPrefix(subnet: { readonly cidr: string; readonly gateway: string }): string {
  return `${canonical(subnet.gateway)}/${cidr(subnet.cidr).prefixLength}`;
}

function canonical(text: string): string {
  return formatAddress(address(text));
}

/** IPv4 text has one form only: most rows need no parsing. */
export function bareAddress(text: string): string {
  const bare = text.slice(0, text.indexOf('/'));
  return bare.includes(':') ? canonical(bare) : bare;
}
