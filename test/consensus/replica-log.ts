// The logs of replicas that are down, read from copies of their files: what was committed, gathered over a whole run, so that
// nothing is missed when a log is cut. Two replicas that committed different entries at one place are told at once.

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogEntry } from '@skein/raft';
import { openRaftLog } from '@skein/raft-sqlite';
import { clusterId, replicaIds, type ConsensusCluster } from './consensus-cluster';

export class CommittedLog {
  private readonly entries = new Map<number, LogEntry>();
  private last = 0;
  readonly faults: string[] = [];

  get length(): number {
    return this.last;
  }

  /** Reads the log of a replica that is down. Up to `commit`, or what the replica itself knows to be committed. */
  async gather(cluster: ConsensusCluster, replicaId: string, commit?: number): Promise<void> {
    const copy = mkdtempSync(join(tmpdir(), 'skein-log-'));
    try {
      cpSync(cluster.dataDir(replicaId), copy, { recursive: true });
      const log = await openRaftLog({
        directory: copy,
        clusterId,
        replicaId,
        configuration: { incoming: [...replicaIds], outgoing: [], learners: [] },
        worker: null,
        onDurable: () => undefined,
        onFailure: () => undefined,
      });
      const { entries, hardState } = log.restored;
      await log.close();
      this.add(replicaId, entries, commit ?? hardState.commit);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  }

  /** All of it, without a gap from the first entry on. Throws if one is missing. */
  all(): LogEntry[] {
    return Array.from({ length: this.last }, (_, at) => {
      const entry = this.entries.get(at + 1);
      if (entry === undefined) throw new Error(`entry ${at + 1} of ${this.last} was never seen`);
      return entry;
    });
  }

  private add(replicaId: string, entries: readonly LogEntry[], commit: number): void {
    for (const entry of entries) {
      if (entry.index > commit) break;
      const known = this.entries.get(entry.index);
      if (known === undefined) {
        this.entries.set(entry.index, { ...entry, data: Uint8Array.from(entry.data) });
        this.last = Math.max(this.last, entry.index);
      } else if (known.term !== entry.term || Buffer.compare(known.data, entry.data) !== 0) {
        this.faults.push(`${replicaId} committed another entry at ${entry.index}`);
      }
    }
  }
}
