// P2: endpoints are attached only to hosts that may take them: at the revision that attaches one its host is up and not drained by the
// committed state, whatever whoever attached it had seen. It must not know who attaches.

import { keys, type RevisionEvents } from '@skein/contracts';
import type { CommittedHistory } from '../committed';
import type { Violations } from '../violations';

export class Admission {
  constructor(
    private readonly violations: Violations,
    private readonly committed: CommittedHistory,
  ) {}

  /** After each revision. */
  took({ revision, events }: RevisionEvents): void {
    for (const { kv, type } of events) {
      if (type !== 'put' || !kv.key.startsWith(keys.allEndpoints)) continue;
      const id = kv.key.split('/').at(-1) ?? '';
      const life = this.committed.endpoint(id);
      if (life?.attachedAt !== revision) continue;
      const host = this.committed.state.host(life.entry.host);
      if (host?.state === 'up' && host.isDraining !== true) continue;
      const state = host?.isDraining === true ? 'drained' : (host?.state ?? 'not registered');
      const message = `${id} is attached at ${revision} to ${life.entry.host}, which is ${state}`;
      this.violations.report('P2', message);
    }
  }
}
