// The part of a plan that plugs this host's endpoints into their sandboxes. A sandbox belongs to its runtime: what is not
// Skein's in it stays as it is, and one that was not looked at is left alone.

import { type Change, type ChangeStep } from './change';
import { type Desired, type DesiredEndpoint, type DesiredNetwork } from './desired';
import {
  type Observed,
  type ObservedInterface,
  type ObservedSandbox,
  type ObservedVeth,
} from './observed';

export function planSandboxes(desired: Desired, observed: Observed, changes: Change[]): void {
  const taken = new Map<string, Set<string>>();
  for (const [path, sandbox] of observed.sandboxes) {
    if (sandbox !== 'missing') taken.set(path, new Set(sandbox.interfaces.map(({ name }) => name)));
  }
  for (const [netns, network] of desired.networks) {
    const found = observed.networks.get(netns) ?? null;
    for (const endpoint of network.endpoints) {
      const veth = found?.veths.get(endpoint.veth);
      const isNew = found === null;
      if (endpoint.sandbox === null) {
        if (veth === undefined) changes.push(...pluggedFor(network, endpoint, isNew));
        continue;
      }
      const sandbox = observed.sandboxes.get(endpoint.sandbox);
      if (sandbox === undefined || sandbox === 'missing') continue;
      const names = taken.get(endpoint.sandbox) ?? new Set();
      planEndpoint({ network, endpoint, veth, sandbox, names, isNew }, changes);
    }
  }
}

/** Paths of the sandboxes that must be looked at, since an endpoint in them has no veth yet. */
export function sandboxesToInspect(desired: Desired, observed: Observed): Set<string> {
  const paths = new Set<string>();
  for (const [netns, network] of desired.networks) {
    const found = observed.networks.get(netns);
    for (const endpoint of network.endpoints) {
      const { veth, sandbox } = endpoint;
      if (sandbox !== null && found?.veths.has(veth) !== true) paths.add(sandbox);
    }
  }
  return paths;
}

/** Endpoints that can't be plugged in since their sandbox is not there. An engine ends sandboxes as it likes. */
export function withoutSandbox(desired: Desired, observed: Observed): DesiredEndpoint[] {
  return [...desired.networks.values()]
    .flatMap((network) => network.endpoints)
    .filter(({ source }) => source === undefined)
    .filter(({ sandbox }) => sandbox !== null && observed.sandboxes.get(sandbox) === 'missing');
}

interface EndpointSituation {
  readonly network: DesiredNetwork;
  readonly endpoint: DesiredEndpoint;
  readonly veth: ObservedVeth | undefined;
  readonly sandbox: ObservedSandbox;
  /** Names in use inside, with those that this plan gives out. */
  readonly names: Set<string>;
  readonly isNew: boolean;
}

function planEndpoint(situation: EndpointSituation, changes: Change[]): void {
  const { network, endpoint, veth, sandbox, names } = situation;
  const { netns, id: networkId } = network;
  // Index 0: the veth is assumed, not seen, so its other end can't be told.
  if (veth?.index === 0) return;
  const inside = veth === undefined ? undefined : otherEnd(veth, sandbox);
  if (veth !== undefined && inside !== undefined) {
    const reason = interfaceReason(endpoint, inside, sandbox);
    if (reason !== null && endpoint.sandbox !== null) {
      const put = interfacePut(netns, endpoint, endpoint.sandbox, inside);
      changes.push({ ...put, networkId, reason });
    }
    return;
  }
  const replaces = veth !== undefined;
  // An engine may be about to move that end, and a process id may be another's by now: only what is gone for certain is made anew.
  if (endpoint.source !== undefined && (replaces || isOfProcess(endpoint))) return;
  const name = endpoint.interface ?? freeName(names);
  names.add(name);
  const reason = replaces ? 'other end is not in the sandbox' : 'veth missing';
  const plug = { interface: name, replaces, reason, isNew: situation.isNew };
  changes.push(...plugged(network, endpoint, plug));
}

/** Left in the host's namespace for the engine. */
export function pluggedFor(
  network: DesiredNetwork,
  endpoint: DesiredEndpoint,
  isNew: boolean,
): Change[] {
  const { source } = endpoint;
  if (source === undefined)
    throw new Error(`endpoint ${endpoint.id} has neither sandbox nor engine`);
  return plugged(network, endpoint, {
    interface: source,
    replaces: false,
    reason: 'veth missing',
    isNew,
  });
}

interface Plug {
  readonly interface: string;
  readonly replaces: boolean;
  readonly reason: string;
  readonly isNew: boolean;
}

/** A veth, what may come out of it, its port, and the row of what is behind it. */
function plugged(network: DesiredNetwork, endpoint: DesiredEndpoint, plug: Plug): Change[] {
  const { netns, id: networkId } = network;
  const { interface: name, replaces, reason, isNew } = plug;
  const { id: endpointId, veth: port, mac, mtu, addresses, routes, sandbox: path } = endpoint;
  const put: ChangeStep = {
    kind: 'veth',
    action: 'put',
    netns,
    endpointId,
    veth: port,
    sandbox: path,
    interface: name,
    mac,
    mtu,
    addresses,
    routes,
    replaces,
  };
  const row = { mac, port, vtep: null, replaces: false };
  const source = network.sources?.get(port);
  const head = { networkId, netns, reason: 'port is new', follows: true } as const;
  return [
    { ...put, networkId, reason, ...(isNew ? { follows: true } : {}) },
    ...(source === undefined ? [] : [{ ...head, kind: 'source', action: 'put', source } as const]),
    { ...head, kind: 'port', action: 'put', veth: port, mtu },
    { ...head, kind: 'fdb', action: 'put', ...row },
  ];
}

function isOfProcess({ sandbox }: DesiredEndpoint): boolean {
  return sandbox?.startsWith('/proc/') === true;
}

function otherEnd(veth: ObservedVeth, sandbox: ObservedSandbox): ObservedInterface | undefined {
  return sandbox.interfaces.find(
    ({ index, peerIndex }) => index === veth.peerIndex && peerIndex === veth.index,
  );
}

function interfaceReason(
  endpoint: DesiredEndpoint,
  inside: ObservedInterface,
  sandbox: ObservedSandbox,
): string | null {
  if (inside.mac !== endpoint.mac) return `mac ${endpoint.mac} wanted, ${inside.mac} found`;
  if (inside.mtu !== endpoint.mtu) return `mtu ${endpoint.mtu} wanted, ${inside.mtu} found`;
  const address = endpoint.addresses.find((wanted) => !inside.addresses.includes(wanted));
  if (address !== undefined) return `address ${address} missing`;
  if (!inside.isUp) return 'interface down';
  const route = endpoint.routes.find((to) => !to.includes(':') && !sandbox.routes.has(to));
  return route === undefined ? null : `route to ${route} missing`;
}

function interfacePut(
  netns: string,
  { id: endpointId, mac, mtu, addresses, routes }: DesiredEndpoint,
  sandbox: string,
  inside: ObservedInterface,
): ChangeStep {
  return {
    kind: 'interface',
    action: 'put',
    netns,
    endpointId,
    sandbox,
    interface: inside.name,
    ...(inside.mac === mac ? {} : { mac }),
    mtu,
    addresses,
    routes,
  };
}

function freeName(names: ReadonlySet<string>): string {
  for (let index = 0; ; index += 1) {
    const name = `eth${index}`;
    if (!names.has(name)) return name;
  }
}
