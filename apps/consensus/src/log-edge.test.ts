// What the log's edge makes of a snapshot that can't be read.

import { describe, expect, it } from '@jest/globals';
import { RaftLogError, type RaftLog, type RaftLogErrorCode } from '@skein/raft-sqlite';
import type { ReplicaCore } from '@skein/replica';
import { LogEdge } from './log-edge';

/** What the core is told when the log refuses to read with this code. */
async function toldAfter(code: RaftLogErrorCode): Promise<string[]> {
  const told: string[] = [];
  const readSnapshot = () => Promise.reject(new RaftLogError(code, 'It can not be read', {}));
  const failed = new Promise<void>((resolve) => {
    const core = {
      snapshotDamaged: () => told.push('snapshotDamaged'),
      input: ({ kind }: { kind: string }) => {
        told.push(kind);
        resolve();
      },
    };
    const edge = new LogEdge(
      { readSnapshot } as unknown as RaftLog,
      () => core as unknown as ReplicaCore,
      ({ message }) => told.push(message),
    );
    edge.readSnapshot({ kind: 'read', to: 'r2', resume: null, maxBytes: 1_000 });
  });
  await failed;
  return told;
}

describe('the edge of the log', () => {
  it('tells the core that the disk has lost the snapshot, so that another one is kept', async () => {
    expect(await toldAfter('snapshot_damaged')).toEqual(['snapshotDamaged', 'snapshotUnavailable']);
  });

  it('takes no other refusal for damage', async () => {
    expect(await toldAfter('closed')).toEqual(['snapshotUnavailable']);
  });
});
