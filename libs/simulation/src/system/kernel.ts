// One host's kernel: networks' namespaces, sandboxes. It outlives its agent, does one change at a time, and may be
// changed by anybody's hand. It must not know what should be in it.

import type { Guard, Kernel, KernelFault } from '@skein/agent';
import {
  bridgeName,
  vxlanName,
  type Change,
  type Desired,
  type Observed,
  type ObservedInterface,
  type ObservedNetwork,
  type ObservedRow,
  type ObservedSandbox,
  type ObservedVeth,
  type ObservedVxlan,
} from '@skein/vxlan';
import { elapsed, type Time } from '@skein/time';
import type { Random } from '../random';
import { meddlings, meddleWith } from './meddling';

export interface KernelNetwork {
  bridge: { mac: string; mtu: number; isUp: boolean } | null;
  vxlan: ObservedVxlan | null;
  readonly veths: Map<string, ObservedVeth>;
  readonly gateways: Set<string>;
  readonly fdb: Map<string, ObservedRow>;
  readonly neighbors: Map<string, string>;
  /** Null: every port is heard. */
  guard: { ports: Map<string, number>; untilWallMs: number } | null;
}

export interface KernelClock {
  monotonicMs(): number;
  wallMs(): number;
}

export interface KernelSandbox {
  readonly interfaces: Map<string, ObservedInterface>;
  readonly routes: Set<string>;
}

export interface KernelConditions {
  /** How long reading takes, and one change, at most. */
  readonly readMs: number;
  readonly changeMs: number;
  /** Probability that a change is refused, though nothing is wrong with it. */
  refusal: number;
}

const port = { master: bridgeName, isUp: true, learning: false, flood: false };

export class SimulatedKernel {
  readonly networks = new Map<string, KernelNetwork>();
  readonly sandboxes = new Map<string, KernelSandbox>();
  changes = 0;
  private nextIndex = 1;

  constructor(
    private readonly random: Random,
    private readonly conditions: KernelConditions,
    private readonly clock: KernelClock,
    /** Told after each change. */
    private readonly onChange: (change: Change | null) => void,
  ) {}

  /** What an agent sees of it in one life: after that nothing more is done. */
  doorFor(time: Time): Kernel {
    return {
      observe: async (desired, also) => {
        await elapsed(time, this.random.next() * this.conditions.readMs);
        return this.observed(desired, also);
      },
      observeSandboxes: async (paths) => {
        await elapsed(time, (this.random.next() * this.conditions.readMs) / 4);
        return this.observedSandboxes(paths);
      },
      apply: async (changes, options = {}) => {
        const faults: KernelFault[] = [];
        const grounds = new Set<string>();
        for (const change of changes) {
          await elapsed(time, this.random.next() * this.conditions.changeMs);
          const isRefused = this.random.chance(this.conditions.refusal);
          const message = isRefused ? 'refused for no reason' : this.make(change);
          if (message === null) this.told(change);
          else {
            const isSandbox = message === 'no sandbox';
            const code = isSandbox ? 'sandbox_not_found' : 'program_failed';
            faults.push({ change, code, message });
          }
          if (change.kind === 'bridge') grounds.add(change.netns);
        }
        for (const netns of grounds) options.onGround?.(netns);
        return faults;
      },
    };
  }

  guardFor(time: Time): Guard {
    return {
      renew: async ({ netns, ports, leftMs, endWallMs }) => {
        await elapsed(time, this.random.next() * this.conditions.changeMs);
        const network = this.networks.get(netns);
        if (network === undefined || this.random.chance(this.conditions.refusal)) return false;
        const until = this.clock.monotonicMs() + leftMs;
        const untilWallMs = Math.ceil(endWallMs / 1_000) * 1_000;
        network.guard = { ports: new Map(ports.map((each) => [each, until])), untilWallMs };
        this.onChange(null);
        return true;
      },
    };
  }

  /** False while the guard of its network keeps the port silent. */
  isHeard(netns: string, port: string): boolean {
    const guard = this.networks.get(netns)?.guard ?? null;
    if (guard === null) return true;
    const until = guard.ports.get(port) ?? 0;
    return until > this.clock.monotonicMs() && guard.untilWallMs > this.clock.wallMs();
  }

  private told(change: Change): void {
    this.changes += 1;
    this.onChange(change);
  }

  /** Everything that was in memory is gone. */
  reboot(): void {
    this.networks.clear();
    this.sandboxes.clear();
    this.onChange(null);
  }

  openSandbox(path: string): void {
    this.sandboxes.set(path, { interfaces: new Map(), routes: new Set() });
    this.onChange(null);
  }

  /** With its interfaces go their other ends, and the rows that lead to those. */
  closeSandbox(path: string): void {
    const sandbox = this.sandboxes.get(path);
    this.sandboxes.delete(path);
    for (const { peerIndex } of sandbox?.interfaces.values() ?? []) {
      for (const network of this.networks.values()) {
        for (const [veth, { index }] of network.veths) {
          if (index === peerIndex) this.removeVeth(network, veth);
        }
      }
    }
    this.onChange(null);
  }

  /** Somebody at the keyboard. Answers what was done, if anything could be. */
  meddle(random: Random): string | null {
    const networks = [...this.networks];
    if (networks.length === 0) return null;
    const [netns, network] = random.pick(networks);
    const done = meddleWith(random.pick(meddlings), { network, random });
    if (done === null) return null;
    this.onChange(null);
    return `${netns} ${done}`;
  }

  private observed(desired: Desired, also: Iterable<string> = []): Observed {
    const paths = new Set(also);
    for (const [netns, { endpoints }] of desired.networks) {
      for (const { veth, sandbox } of endpoints) {
        const isThere = this.networks.get(netns)?.veths.has(veth) === true;
        if (sandbox !== null && !isThere) paths.add(sandbox);
      }
    }
    return {
      networks: new Map([...this.networks].map(([netns, each]) => [netns, copyOf(netns, each)])),
      sandboxes: this.observedSandboxes(paths),
    };
  }

  /** Everything, all sandboxes included. */
  whole(): Observed {
    return {
      networks: new Map([...this.networks].map(([netns, each]) => [netns, copyOf(netns, each)])),
      sandboxes: this.observedSandboxes(this.sandboxes.keys()),
    };
  }

  private observedSandboxes(paths: Iterable<string>): Map<string, ObservedSandbox | 'missing'> {
    const seen = new Map<string, ObservedSandbox | 'missing'>();
    for (const path of paths) {
      const found = this.sandboxes.get(path);
      if (found === undefined) seen.set(path, 'missing');
      else {
        const { interfaces, routes } = found;
        seen.set(path, { interfaces: [...interfaces.values()], routes: new Set(routes) });
      }
    }
    return seen;
  }

  /** Null, or why it can't be. */
  private make(change: Change): string | null {
    if (change.kind === 'namespace') return this.makeNamespace(change);
    if (change.kind === 'underlay' || change.kind === 'vni' || change.kind === 'member') {
      throw new Error('simulated hosts have no filters');
    }
    const network = this.networks.get(change.netns);
    if (network === undefined) return 'no namespace';
    return this.makeIn(network, change);
  }

  private makeNamespace({ action, netns }: Extract<Change, { kind: 'namespace' }>): null {
    const known = this.networks.get(netns);
    if (action === 'remove') {
      for (const veth of known?.veths.keys() ?? []) if (known) this.removeVeth(known, veth);
      this.networks.delete(netns);
    } else if (known === undefined) {
      this.networks.set(netns, {
        bridge: null,
        vxlan: null,
        veths: new Map(),
        gateways: new Set(),
        fdb: new Map(),
        neighbors: new Map(),
        guard: null,
      });
    }
    return null;
  }

  private makeIn(
    network: KernelNetwork,
    change: Exclude<Change, { kind: 'namespace' | 'underlay' | 'vni' | 'member' }>,
  ): string | null {
    switch (change.kind) {
      case 'guard':
        network.guard = { ports: new Map(), untilWallMs: 0 };
        return null;
      case 'bridge': {
        const mac = change.mac ?? network.bridge?.mac;
        if (mac === undefined) return 'no bridge';
        if (change.mac !== undefined) network.neighbors.clear();
        network.bridge = { mac, mtu: change.mtu, isUp: true };
        return null;
      }
      case 'vxlan': {
        if (network.bridge === null) return 'no bridge';
        if (change.replaces) withoutVxlanRows(network);
        const { vni, local, vxlanPort, mtu } = change;
        const device = { ...port, neighSuppress: true, macLearning: false };
        network.vxlan = { ...device, vni, local, vxlanPort, mtu };
        return null;
      }
      case 'gateway':
        if (network.bridge === null) return 'no bridge';
        if (change.action === 'put') network.gateways.add(change.address);
        else network.gateways.delete(change.address);
        return null;
      case 'veth':
        if (change.action === 'put') return this.plug(network, change);
        this.removeVeth(network, change.veth);
        return null;
      case 'port': {
        const veth = network.veths.get(change.veth);
        if (veth === undefined) return 'no such port';
        network.veths.set(change.veth, { ...veth, ...port, neighSuppress: false, mtu: change.mtu });
        return null;
      }
      case 'detour':
      case 'filter':
      case 'source':
        throw new Error('simulated hosts have no filters');
      case 'interface':
        return this.makeInterface(change);
      case 'probe':
        return 'there are no probes here';
      case 'neighbor':
        if (network.bridge === null) return 'no bridge';
        if (change.action === 'put') network.neighbors.set(change.address, change.mac);
        else network.neighbors.delete(change.address);
        return null;
      case 'flood':
        throw new Error('simulated networks have no multicast');
      case 'fdb':
        return this.makeRow(network, change);
    }
  }

  private makeRow(network: KernelNetwork, change: Extract<Change, { kind: 'fdb' }>): string | null {
    const { mac } = change;
    const known = network.fdb.get(mac) ?? { port: null, vteps: [] };
    if (change.action === 'remove') {
      const isPort = known.port === change.port;
      setRow(network, mac, {
        port: isPort ? null : known.port,
        vteps: change.onVxlan ? [] : known.vteps,
      });
      return null;
    }
    const { port: through, vtep, replaces } = change;
    const isThere = through === vxlanName ? network.vxlan !== null : network.veths.has(through);
    if (!isThere) return 'no such port';
    const kept = replaces ? [] : known.vteps;
    setRow(network, mac, { port: through, vteps: vtep === null ? kept : overwritten(kept, vtep) });
    return null;
  }

  private plug(
    network: KernelNetwork,
    change: Extract<Change, { kind: 'veth'; action: 'put' }>,
  ): string | null {
    // Engines are not played: all endpoints have a sandbox of their own.
    const sandbox = change.sandbox === null ? undefined : this.sandboxes.get(change.sandbox);
    if (sandbox === undefined) return 'no sandbox';
    if (network.bridge === null) return 'no bridge';
    if (network.veths.has(change.veth)) {
      if (!change.replaces) return 'it exists';
      this.removeVeth(network, change.veth);
    }
    if (sandbox.interfaces.has(change.interface)) return 'the name is taken';
    const [index, inside] = [this.nextIndex, this.nextIndex + 1];
    this.nextIndex += 2;
    const { mac, mtu, addresses, routes } = change;
    const device = { ...port, neighSuppress: false, mtu };
    network.veths.set(change.veth, { ...device, index, peerIndex: inside });
    const name = change.interface;
    const end = { name, index: inside, peerIndex: index, mac, mtu, isUp: true, addresses };
    sandbox.interfaces.set(name, end);
    for (const route of routes) sandbox.routes.add(route);
    return null;
  }

  private makeInterface(change: Extract<Change, { kind: 'interface' }>): string | null {
    const sandbox = this.sandboxes.get(change.sandbox);
    const found = sandbox?.interfaces.get(change.interface);
    if (sandbox === undefined || found === undefined) return 'no sandbox';
    const { mac = found.mac, mtu, addresses, routes } = change;
    const all = [...new Set([...found.addresses, ...addresses])];
    sandbox.interfaces.set(found.name, { ...found, mac, mtu, isUp: true, addresses: all });
    for (const route of routes) sandbox.routes.add(route);
    return null;
  }

  private removeVeth(network: KernelNetwork, veth: string): void {
    const found = network.veths.get(veth);
    network.veths.delete(veth);
    for (const [mac, row] of network.fdb) {
      if (row.port === veth) setRow(network, mac, { ...row, port: null });
    }
    if (found === undefined) return;
    for (const { interfaces } of this.sandboxes.values()) {
      for (const [name, { index }] of interfaces) {
        if (index === found.peerIndex) interfaces.delete(name);
      }
    }
  }
}

function withoutVxlanRows(network: KernelNetwork): void {
  network.vxlan = null;
  for (const [mac, { port }] of network.fdb) {
    setRow(network, mac, { port: port === vxlanName ? null : port, vteps: [] });
  }
}

function setRow({ fdb }: KernelNetwork, mac: string, row: ObservedRow): void {
  if (row.port === null && row.vteps.length === 0) fdb.delete(mac);
  else fdb.set(mac, row);
}

/** A row that names a group stays as it is, though the kernel says otherwise. */
function overwritten(found: readonly string[], vtep: string): readonly string[] {
  return found[0]?.startsWith('nhid') === true ? found : [vtep];
}

function copyOf(netns: string, network: KernelNetwork): ObservedNetwork {
  const { bridge, vxlan, veths, gateways, fdb, neighbors, guard } = network;
  return {
    netns,
    bridge: bridge === null ? null : { ...bridge },
    vxlan,
    veths: new Map(veths),
    gateways: new Set(gateways),
    fdb: new Map(fdb),
    neighbors: new Map(neighbors),
    ...(guard === null ? {} : { hasGuard: true }),
  };
}
