// P1: an address has one holder. Looks at what would answer – an interface that is plugged in and heard – on all hosts at one
// moment, and at what is committed. It must not know how addresses are given out.

import type { RevisionEvents } from '@skein/contracts';
import type { Change } from '@skein/vxlan';
import { bare, type CommittedHistory } from '../committed';
import { pluggedOn, type KernelPlace, type Plugged } from '../reach';
import type { Violations } from '../violations';

export class OneHolder {
  /** By network and address: who has it by the committed state. */
  private readonly holders = new Map<string, string>();

  constructor(
    private readonly violations: Violations,
    private readonly committed: CommittedHistory,
    private readonly hosts: () => Iterable<KernelPlace>,
  ) {}

  /** Something has changed in this host's kernel: who answers there must answer nowhere else. */
  kernelChanged(host: KernelPlace, change: Change | null): void {
    if (change !== null && !plugging.has(change.kind)) return;
    const here = answeringOn(host);
    if (here.length === 0) return;
    for (const other of this.hosts()) {
      const there = other.id === host.id ? here : answeringOn(other);
      for (const one of here) for (const two of there) this.compare(one, two);
    }
  }

  private compare(one: Plugged, two: Plugged): void {
    if (one === two || one.netns !== two.netns) return;
    if (one.host === two.host && one.veth <= two.veth) return;
    const shared = one.addresses.find((address) =>
      two.addresses.some((other) => bare(other) === bare(address)),
    );
    if (shared === undefined) return;
    const [a, b] = [one, two].map(({ host, sandbox, veth }) => `${host} ${sandbox} (${veth})`);
    this.violations.report('P1', `${shared} of ${one.netns} answers on ${a} and on ${b}`);
  }

  /** After each revision: no two endpoints of a network share an address, or a MAC. */
  took({ events }: RevisionEvents): void {
    for (const { kv } of events) {
      const [, root, noun, , id = ''] = kv.key.split('/');
      if (root === 'skein' && noun === 'endpoint') this.look(id);
    }
  }

  private look(id: string): void {
    const life = this.committed.endpoint(id);
    if (life === undefined) return;
    const { networkId, addresses, mac } = life.entry;
    for (const address of [...addresses.map(bare), mac]) {
      const place = `${networkId} ${address}`;
      const holder = this.holders.get(place);
      if (life.detachedAt !== null) {
        if (holder === id) this.holders.delete(place);
        continue;
      }
      if (holder !== undefined && holder !== id) {
        this.violations.report('P1', `${place} is committed to ${holder} and to ${id}`);
      }
      this.holders.set(place, id);
    }
  }
}

/** Changes after which somebody may answer who did not before. */
const plugging: ReadonlySet<string> = new Set(['veth', 'interface', 'port', 'namespace', 'guard']);

function answeringOn(host: KernelPlace): Plugged[] {
  return pluggedOn(host).filter(({ netns, veth }) => host.kernel.isHeard(netns, veth));
}
