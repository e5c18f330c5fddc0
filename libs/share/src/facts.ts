// What a share is made of: the records it is derived from (as much of them as matters here) and the items it holds.
// Structural on purpose: the contracts' types satisfy them, and this core knows neither contracts nor store.

export interface SubnetFact {
  cidr: string;
  range?: string | undefined;
  gateway: string;
  reserved: Record<string, string>;
}

export interface SandboxFact {
  netns: string;
  interface?: string | undefined;
}

/** A committed network. */
export interface NetworkFact {
  readonly id: string;
  readonly name: string;
  readonly vni: number;
  readonly internal: boolean;
  readonly subnets: SubnetFact[];
  /** Overlay MTU asked for; absent: derived from the underlay. */
  readonly mtu?: number | undefined;
  /** Whether broadcast and multicast reach the members on other hosts. */
  readonly multicast?: boolean | undefined;
  /** What becomes of a lost host's endpoints. */
  readonly onHostLoss?: 'keep' | 'fence' | undefined;
}

/** A committed host. */
export interface HostFact {
  readonly id: string;
  readonly vtep: string;
  readonly underlayMtu: number;
  readonly state: 'up' | 'down';
}

/** A committed endpoint. */
export interface EndpointFact {
  readonly id: string;
  readonly networkId: string;
  readonly host: string;
  readonly name: string;
  readonly aliases: string[];
  readonly service?: string | undefined;
  readonly addresses: string[];
  readonly mac: string;
  readonly sandbox?: SandboxFact | undefined;
  readonly engine?: 'docker' | undefined;
}

export interface SharedHost {
  id: string;
  vtep: string;
  live: boolean;
}

export interface SharedNetwork {
  id: string;
  name: string;
  vni: number;
  mtu: number;
  internal: boolean;
  subnets: SubnetFact[];
  onHostLoss?: 'fence' | undefined;
  multicast?: true | undefined;
}

export interface SharedEndpoint {
  id: string;
  networkId: string;
  host: string;
  name: string;
  aliases: string[];
  service?: string | undefined;
  addresses: string[];
  mac: string;
  sandbox?: SandboxFact | undefined;
  engine?: 'docker' | undefined;
}

export interface Share {
  hosts: SharedHost[];
  networks: SharedNetwork[];
  endpoints: SharedEndpoint[];
}

export interface ShareDelta {
  put: Share;
  removed: { hosts: string[]; networks: string[]; endpoints: string[] };
}

export function emptyShare(): Share {
  return { hosts: [], networks: [], endpoints: [] };
}

export function emptyDelta(): ShareDelta {
  return { put: emptyShare(), removed: { hosts: [], networks: [], endpoints: [] } };
}

export function isEmptyDelta(delta: ShareDelta): boolean {
  return (
    sizeOf(delta.put) === 0 &&
    delta.removed.hosts.length === 0 &&
    delta.removed.networks.length === 0 &&
    delta.removed.endpoints.length === 0
  );
}

/** Number of items. */
export function sizeOf(share: Share): number {
  return share.hosts.length + share.networks.length + share.endpoints.length;
}
