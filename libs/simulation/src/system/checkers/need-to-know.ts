// P5: a host knows only what it needs. A push names networks of the host's own alone, and in calm weather a network vanishes from a
// kernel soon after its last endpoint there has. It must not know how pushes are made.

import type { Push } from '@skein/agent';
import type { CommittedHistory } from '../committed';
import { netnsPrefix, type Host } from '../host';
import type { Violations } from '../violations';

/** How much calm it takes for a network to vanish. */
const vanishMs = 15_000;

export class NeedToKnow {
  /** Calm time since a network of no concern was seen, by host and namespace. */
  private readonly lingering = new Map<string, number>();

  constructor(
    private readonly violations: Violations,
    private readonly committed: CommittedHistory,
  ) {}

  pushed(host: Host, push: Push): void {
    const put = push.kind === 'snapshot' ? push.share : push.delta.put;
    const share = this.committed.shareAt(host.id, push.revision)?.share;
    const own = new Set(share?.networks.map(({ id }) => id));
    const networks = [
      ...put.networks.map(({ id }) => id),
      ...put.endpoints.map((e) => e.networkId),
    ];
    const foreign = networks.find((id) => !own.has(id));
    if (foreign === undefined) return;
    const message = `${host.id} is told of ${foreign} at ${push.revision}, and has no part in it`;
    this.violations.report('P5', message);
  }

  /** Called now and then with the time since the last call. */
  look(host: Host, isCalm: boolean, sinceMs: number): void {
    const own = this.committed.state.networksOf(host.id);
    for (const netns of host.kernel.networks.keys()) {
      const key = `${host.id} ${netns}`;
      const networkId = this.committed.networkIdOf(netns, netnsPrefix);
      if (networkId !== undefined && own.has(networkId)) {
        this.lingering.delete(key);
        continue;
      }
      // Calm counts only where it lasts: what has just come back has to find out first.
      const lingers = isCalm ? (this.lingering.get(key) ?? 0) + sinceMs : 0;
      this.lingering.set(key, lingers);
      if (lingers <= vanishMs) continue;
      this.lingering.delete(key);
      this.violations.report('P5', `${netns} is still on ${host.id} after ${lingers} ms of calm`);
    }
  }
}
