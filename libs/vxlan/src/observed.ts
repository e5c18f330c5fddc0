// What a kernel holds, as far as Skein is concerned with it, in the terms of desired.ts. An adapter fills it in; `settled`
// tells how it looks once everything desired has been programmed.

import type { ObservedUnderlay } from './members';
import type { Source } from './sources';
import { bridgeName, everybody, type Desired, type DesiredNetwork } from './desired';

export interface ObservedPort {
  readonly master: string | null;
  readonly mtu: number;
  readonly isUp: boolean;
  readonly learning: boolean;
  readonly flood: boolean;
  readonly neighSuppress: boolean;
}

export interface ObservedVxlan extends ObservedPort {
  readonly vni: number;
  readonly local: string;
  readonly vxlanPort: number;
  readonly macLearning: boolean;
}

export interface ObservedVeth extends ObservedPort {
  readonly index: number;
  /** Interface index of the other end, in the namespace where that one is. */
  readonly peerIndex: number;
}

export interface ObservedRow {
  /** Port of the bridge's row; null: the bridge has none. */
  readonly port: string | null;
  /** What the VXLAN device's row names. Somebody else's may say more than a VTEP (`192.0.2.9 port 77`), or another thing (`nhid 7`). */
  readonly vteps: readonly string[];
}

export interface ObservedFilter {
  /** That its rules are for; null: they are not whole. */
  readonly mtu: number | null;
  /** Of ports whose rules are whole. */
  readonly sources: ReadonlyMap<string, Source>;
  /** Frames with a source of somebody else's that it kept out, since it was made. */
  readonly dropped: number;
}

export interface ObservedNetwork {
  readonly netns: string;
  readonly bridge: { readonly mac: string; readonly mtu: number; readonly isUp: boolean } | null;
  readonly vxlan: ObservedVxlan | null;
  readonly veths: ReadonlyMap<string, ObservedVeth>;
  readonly gateways: ReadonlySet<string>;
  readonly fdb: ReadonlyMap<string, ObservedRow>;
  readonly neighbors: ReadonlyMap<string, string>;
  /** Frames of the bridge pass the hooks of IP as well, and that can be changed; looked for with guard and filter. */
  readonly hasDetour?: true;
  /** Whether a guard is there, open or closed; looked for only where one is wanted. */
  readonly hasGuard?: boolean;
  /** Looked for only where one is wanted. */
  readonly filter?: ObservedFilter;
  /** The probe as it stands, if both of its ends are up and in place. */
  readonly probe?: { readonly mac: string; readonly address: string; readonly mtu: number };
}

export interface ObservedInterface {
  readonly name: string;
  readonly index: number;
  readonly peerIndex: number | null;
  readonly mac: string;
  readonly mtu: number;
  readonly isUp: boolean;
  readonly addresses: readonly string[];
}

export interface ObservedSandbox {
  readonly interfaces: readonly ObservedInterface[];
  /** Destinations of IPv4 routes. */
  readonly routes: ReadonlySet<string>;
}

export interface Observed {
  readonly networks: ReadonlyMap<string, ObservedNetwork>;
  /** Looked for only where filters are wanted; null: there is none. */
  readonly underlay?: ObservedUnderlay | null;
  /** By path. One that is not in it was not looked at, and is left alone. */
  readonly sandboxes: ReadonlyMap<string, ObservedSandbox | 'missing'>;
}

const settledPort = {
  master: bridgeName,
  isUp: true,
  learning: false,
  flood: false,
  neighSuppress: false,
};

/**
 * The kernel once all of `desired` is programmed, but for the veths in `unplugged`. Sandboxes count as not looked at, and
 * interface indexes as unknown (0).
 */
export function settled(
  desired: Desired,
  unplugged: ReadonlySet<string> = new Set<string>(),
): Observed {
  return {
    networks: new Map(
      [...desired.networks].map(([netns, network]) => [netns, settledNetwork(network, unplugged)]),
    ),
    sandboxes: new Map(),
    ...(desired.underlay === undefined
      ? {}
      : { underlay: desired.underlay === null ? null : { ...desired.underlay, dropped: 0 } }),
  };
}

function settledNetwork(network: DesiredNetwork, unplugged: ReadonlySet<string>): ObservedNetwork {
  return {
    netns: network.netns,
    bridge: { mac: network.gatewayMac, mtu: network.mtu, isUp: true },
    vxlan: {
      ...settledPort,
      neighSuppress: true,
      mtu: network.mtu,
      vni: network.vni,
      local: network.local,
      vxlanPort: network.vxlanPort,
      macLearning: false,
    },
    veths: new Map(
      network.endpoints
        .filter(({ veth }) => !unplugged.has(veth))
        .map(({ veth, mtu }) => [veth, { ...settledPort, mtu, index: 0, peerIndex: 0 }]),
    ),
    gateways: new Set(network.gateways),
    fdb: settledRows(network, unplugged),
    neighbors: network.neighbors,
    ...(network.isFenced === true ? { hasGuard: true } : {}),
    ...(network.sources === undefined
      ? {}
      : { filter: settledFilter(network.mtu, network.sources, unplugged) }),
    ...(network.probe === undefined ? {} : { probe: { ...network.probe, mtu: network.mtu } }),
  };
}

function settledFilter(
  mtu: number,
  sources: ReadonlyMap<string, Source>,
  unplugged: ReadonlySet<string>,
): ObservedFilter {
  const plugged = [...sources].filter(([port]) => !unplugged.has(port));
  return { mtu, sources: new Map(plugged), dropped: 0 };
}

const noVteps: readonly string[] = [];

function settledRows(
  { fdb, flood }: DesiredNetwork,
  unplugged: ReadonlySet<string>,
): Map<string, ObservedRow> {
  const settledFdb = new Map<string, ObservedRow>();
  if (flood !== undefined && flood.size > 0) {
    settledFdb.set(everybody, { port: null, vteps: [...flood] });
  }
  for (const [mac, { port, vtep }] of fdb) {
    if (unplugged.has(port)) continue;
    settledFdb.set(mac, { port, vteps: vtep === null ? noVteps : [vtep] });
  }
  return settledFdb;
}
