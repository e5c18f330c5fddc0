// Makes the kernel what the share says, one pass at a time, and keeps names in step: withdrawn before rows go, given after rows
// have come. It compares with what it last saw settled, or with the kernel itself; which of the two is the caller's choice.

import type { Share } from '@skein/contracts';
import type { Logger } from '@skein/messaging';
import {
  changeRows,
  desiredOf,
  keyOf,
  plan,
  plugKeyOf,
  repairsOf,
  sandboxesToInspect,
  settled,
  trustingFilters,
  withoutSandbox,
  type Change,
  type Desired,
  type Observed,
  type OverlaySettings,
  type Repair,
} from '@skein/vxlan';
import { atMost, type Time } from '@skein/time';
import type { Kernel, KernelFault, Names } from './ports';
import type { EndpointChange } from './share-intake';

export interface EndpointFault {
  readonly endpointId: string;
  readonly code: KernelFault['code'];
  readonly message: string;
}

/** What the kernel held when it was looked at, and what it should have held. */
export interface Look {
  readonly desired: Desired;
  /** As much of it as was looked at. */
  readonly seen: Desired;
  readonly observed: Observed;
}

/** Frames that filters have kept out since they were made. */
export interface Dropped {
  /** With a source that is not their port's, by the namespace of their network. */
  readonly spoofed: ReadonlyMap<string, number>;
  /** From hosts without a part in their network. */
  readonly strangers: number;
}

export interface ReconcilerOptions {
  readonly self: string;
  readonly settings: OverlaySettings;
  readonly kernel: Kernel;
  readonly names: Names;
  readonly time: Pick<Time, 'after'>;
  readonly logger: Logger;
}

/** Sandboxes looked into in one pass besides those that need it: a process each. */
const sandboxesPerPass = 4;
/** Filters are read at each such look: a process a network that costs twice as much as the others, for what nobody touches. */
const looksPerFilter = 4;

/** A resolver that nobody can ask yet is opened once what somebody waits for is done. */
const resolverDelayMs = 100;
/** How long an answer waits for the resolver of a network that is new here; it comes anyway. */
const resolverWaitMs = 250;

export class Reconciler {
  readonly #options: ReconcilerOptions;
  #desired: Desired | null = null;
  /** What the kernel is known to hold since the last pass; null: look. */
  #settled: { readonly desired: Desired; readonly unplugged: ReadonlySet<string> } | null = null;
  /** Keys of changes that are still due, so that making them later counts as no drift. */
  #due: ReadonlySet<string> = new Set();
  #isComplete = true;
  #nextSandbox = 0;
  #looks = 0;
  #dropped: Dropped = { spoofed: new Map(), strangers: 0 };

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** False if a device or row of the share is still to come; endpoints that can't be plugged in do not count. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** As the last look that took in the filters has found it. */
  get dropped(): Dropped {
    return this.#dropped;
  }

  /** A share that was pushed. Answers the endpoints of this host that could not be plugged in. */
  async program(share: Share): Promise<EndpointFault[]> {
    const faults = await this.#programOnce(share);
    if (this.#isComplete) return faults;
    // What was assumed may be wrong, and someone may have been in the way: once more, looking first.
    return this.#programOnce(share);
  }

  /**
   * Endpoints that came, went or changed since the last share, at the cost of these alone. Null if that did not do: then it takes the
   * whole share.
   */
  async programChanges(changes: readonly EndpointChange[]): Promise<EndpointFault[] | null> {
    const { kernel, names, self, logger } = this.#options;
    const known = this.#settled;
    if (known === null || known.unplugged.size > 0) return null;
    const next = changeRows(known.desired, changes, self);
    if (next === null) return null;
    this.#settled = null;
    this.#desired = next.desired;
    names.withdrawEndpoints(changes.flatMap(({ before }) => before ?? []));
    const faults = await kernel.apply(next.changes);
    for (const { change, code, message } of faults) {
      logger.warn({ change: keyOf(change), code, message }, 'change failed');
    }
    if (faults.length > 0) return null;
    names.announceEndpoints(changes.flatMap(({ after }) => after ?? []));
    this.#settled = { desired: next.desired, unplugged: known.unplugged };
    return [];
  }

  async #programOnce(share: Share): Promise<EndpointFault[]> {
    const { kernel, names, time, self, settings } = this.#options;
    const desired = desiredOf(share, self, settings);
    this.#desired = desired;
    names.withdraw(share);
    const observed = await this.#assumedOrObserved(desired);
    const changes = plan(desired, observed);
    names.prepare(share);
    this.#letGo(changes);
    const opening: Promise<void>[] = [];
    const faults = await kernel.apply(changes, {
      onGround: (netns) => {
        if (hasReadySandbox(desired, netns)) opening.push(names.open(netns));
        else time.after(resolverDelayMs, () => void names.open(netns));
      },
    });
    names.announce(share);
    await atMost(time, resolverWaitMs, Promise.all(opening));
    return this.#conclude(desired, observed, faults);
  }

  /** Reads the kernel; nothing is changed. Null before the first share. */
  async look(): Promise<Look | null> {
    const desired = this.#desired;
    if (desired === null) return null;
    this.#looks += 1;
    const isWhole = this.#looks % looksPerFilter === 0;
    const lookedFor = isWhole ? desired : trustingFilters(desired);
    const observed = await this.#options.kernel.observe(lookedFor, this.#someSandboxes(desired));
    if (isWhole) this.#dropped = droppedIn(observed);
    const isGone = (netns: string) => !observed.networks.has(netns);
    return { desired, seen: isWhole ? desired : trustingFilters(desired, isGone), observed };
  }

  /** Puts right what a look has found. Answers what had drifted. The look must be newer than the last share. */
  async mend({ desired, seen, observed }: Look): Promise<Repair[]> {
    if (desired !== this.#desired) throw new Error('the kernel was looked at for an older share');
    const { kernel, names } = this.#options;
    const changes = plan(seen, observed);
    const known = this.#due;
    this.#letGo(changes);
    const faults = changes.length === 0 ? [] : await kernel.apply(changes);
    this.#conclude(desired, observed, faults);
    void names.openAll();
    const failed = new Set(faults.map(({ change }) => keyOf(change)));
    return repairsOf(
      changes.filter((change) => !failed.has(keyOf(change))),
      known,
    );
  }

  /** What the kernel holds now; the share decides which networks that is about. */
  observe(): Promise<Observed> {
    return this.#options.kernel.observe(this.#desired ?? { vteps: new Map(), networks: new Map() });
  }

  async #assumedOrObserved(desired: Desired): Promise<Observed> {
    const { kernel } = this.#options;
    if (this.#settled === null) return kernel.observe(desired);
    const assumed = settled(this.#settled.desired, this.#settled.unplugged);
    const paths = sandboxesToInspect(desired, assumed);
    return { ...assumed, sandboxes: await kernel.observeSandboxes(paths) };
  }

  /** A socket keeps a namespace, and with it its VNI: resolvers of those that are made or removed go first. */
  #letGo(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === 'namespace') this.#options.names.release(change.netns);
    }
  }

  #conclude(desired: Desired, observed: Observed, faults: readonly KernelFault[]): EndpointFault[] {
    const waiting = withoutSandbox(desired, observed);
    this.#isComplete = true;
    const found = new Map<string, EndpointFault>();
    for (const { id: endpointId, sandbox } of waiting) {
      const message = `${sandbox} is no network namespace on this host`;
      found.set(endpointId, { endpointId, code: 'sandbox_not_found', message });
    }
    for (const { change, code, message } of faults) {
      this.#options.logger.warn({ change: keyOf(change), code, message }, 'change failed');
      const endpointId = endpointOf(desired, change);
      if (endpointId === null) this.#isComplete = false;
      else if (!found.has(endpointId)) found.set(endpointId, { endpointId, code, message });
    }
    const unplugged = [...desired.networks.values()].flatMap((network) =>
      network.endpoints
        .filter(({ id }) => found.has(id))
        .map(({ veth }) => ({ netns: network.netns, veth })),
    );
    this.#due = new Set([
      ...faults.map(({ change }) => keyOf(change)),
      ...unplugged.map((endpoint) => plugKeyOf(endpoint)),
    ]);
    this.#settled =
      faults.length > 0 ? null : { desired, unplugged: new Set(unplugged.map(({ veth }) => veth)) };
    return [...found.values()];
  }

  /** A few of those that have an endpoint plugged in, another few at each call. */
  #someSandboxes(desired: Desired): string[] {
    const all = new Set<string>();
    for (const { endpoints } of desired.networks.values()) {
      for (const { sandbox } of endpoints) if (sandbox !== null) all.add(sandbox);
    }
    const paths = [...all];
    if (paths.length <= sandboxesPerPass) return paths;
    const first = this.#nextSandbox % paths.length;
    this.#nextSandbox = first + sandboxesPerPass;
    return [...paths, ...paths].slice(first, first + sandboxesPerPass);
  }
}

/** Whether somebody may ask as soon as the answer is given: what an engine starts, it starts later. */
function hasReadySandbox(desired: Desired, netns: string): boolean {
  const endpoints = desired.networks.get(netns)?.endpoints ?? [];
  return endpoints.some(({ sandbox, source }) => sandbox !== null && source === undefined);
}

function droppedIn({ networks, underlay }: Observed): Dropped {
  const spoofed = [...networks].map(([netns, { filter }]): [string, number] => [
    netns,
    filter?.dropped ?? 0,
  ]);
  return { spoofed: new Map(spoofed), strangers: underlay?.dropped ?? 0 };
}

/** The endpoint of this host that a failed change was for; null for what concerns none in particular. */
function endpointOf(desired: Desired, change: Change): string | null {
  if (change.kind === 'veth' && change.action === 'put') return change.endpointId;
  if (change.kind === 'interface') return change.endpointId;
  const veth = portOf(change);
  if (veth === null || !('netns' in change)) return null;
  const endpoints = desired.networks.get(change.netns)?.endpoints ?? [];
  return endpoints.find((endpoint) => endpoint.veth === veth)?.id ?? null;
}

function portOf(change: Change): string | null {
  if (change.kind === 'port') return change.veth;
  if (change.kind === 'fdb') return change.port;
  return change.kind === 'source' && change.action === 'put' ? change.source.port : null;
}
