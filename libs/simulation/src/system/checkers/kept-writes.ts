// P3: what was acknowledged is there, and what was taken back is gone; both stay so. It must not know how the store replicates.

import type { CommittedHistory } from '../committed';
import type { Violations } from '../violations';

export class KeptWrites {
  /** Attached, by word of the system, and not given back by anybody entitled to. */
  private readonly attached = new Set<string>();
  private readonly detached = new Set<string>();

  constructor(
    private readonly violations: Violations,
    private readonly committed: CommittedHistory,
    /** A network that fences its hosts takes back what one that is down has; its holder is silent by then (P1 looks). */
    private readonly onReclaimed: (endpointId: string) => void,
  ) {}

  attachedAt(endpointId: string, revision: number): void {
    const known = this.committed.endpoint(endpointId);
    if (known === undefined || known.attachedAt > revision) {
      this.violations.report(
        'P3',
        `attach of ${endpointId} was acknowledged, and is not committed`,
      );
    }
    this.attached.add(endpointId);
  }

  /** Somebody asks for it to be detached, or its machine has gone: it need not be there any more. */
  released(endpointId: string): void {
    this.attached.delete(endpointId);
  }

  detachedAt(endpointId: string): void {
    const known = this.committed.endpoint(endpointId);
    if (known !== undefined && known.detachedAt === null) {
      this.violations.report('P3', `detach of ${endpointId} was acknowledged, and it is there`);
    }
    this.detached.add(endpointId);
  }

  /** After each revision. */
  took(): void {
    for (const id of this.attached) {
      const life = this.committed.endpoint(id);
      if (life === undefined || life.detachedAt === null) continue;
      this.attached.delete(id);
      if (this.mayBeReclaimed(life.entry)) {
        this.onReclaimed(id);
        continue;
      }
      const at = `at revision ${life.detachedAt}`;
      this.violations.report('P3', `${id}, attached and wanted, is detached ${at}`);
    }
    for (const id of this.detached) {
      if (this.committed.state.endpoint(id) === undefined) continue;
      this.detached.delete(id);
      this.violations.report('P3', `${id} was detached and is there again`);
    }
  }

  private mayBeReclaimed({ networkId, host }: { networkId: string; host: string }): boolean {
    const { state } = this.committed;
    return state.network(networkId)?.onHostLoss === 'fence' && state.host(host)?.state === 'down';
  }
}
