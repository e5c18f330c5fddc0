// P4: the data plane outlives the control plane. Two containers that could talk go on talking for as long as both live, their
// machines run and nobody lays hands on their kernels. It must not know what happens to anybody else.

import { lostBetween, pluggedOn, type KernelPlace, type Plugged } from '../reach';
import type { Violations } from '../violations';

export class DataPlane {
  /** Pairs of sandboxes that have talked. */
  private talking = new Set<string>();
  pairsSeen = 0;

  constructor(
    private readonly violations: Violations,
    private readonly hosts: ReadonlyMap<string, KernelPlace>,
    /** Whether this container is to be there: it was attached, and nobody has asked for its end. */
    private readonly isWanted: (sandbox: string) => boolean,
    /** Whether the network's containers are silent once their agent is gone. */
    private readonly isFenced: (netns: string) => boolean,
  ) {}

  /** Somebody has changed the kernel by hand, or the machine is off: nothing is promised until it talks again. */
  harmed(hostId: string): void {
    const rest = [...this.talking].filter((pair) => !pair.split(' ').includes(hostId));
    this.talking = new Set(rest);
  }

  look(): void {
    const live = [...this.hosts.values()]
      .flatMap((host) => pluggedOn(host))
      .filter(({ sandbox, netns }) => this.isWanted(sandbox) && !this.isFenced(netns));
    const talking = new Set<string>();
    for (const from of live) {
      for (const to of live) {
        if (from === to || from.netns !== to.netns) continue;
        this.pairsSeen += 1;
        const lost = lostBetween(this.hosts, from, to);
        const pair = pairOf(from, to);
        if (lost === null) talking.add(pair);
        else if (this.talking.has(pair)) this.violations.report('P4', `${pair}: ${lost}`);
      }
    }
    // One that lost its interface altogether is not among the live ones.
    const plugged = new Set(live.map(({ sandbox }) => sandbox));
    for (const pair of this.talking) {
      for (const sandbox of pair.split(' ').filter((part) => part.startsWith('/'))) {
        if (!plugged.has(sandbox) && this.isWanted(sandbox)) {
          this.violations.report('P4', `${sandbox} has lost its interface`);
        }
      }
    }
    this.talking = talking;
  }
}

function pairOf(from: Plugged, to: Plugged): string {
  return `${from.host} ${from.sandbox} ${to.host} ${to.sandbox}`;
}
