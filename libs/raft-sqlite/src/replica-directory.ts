// Makes a replica's directory from a snapshot, while no replica runs on it: for a restore from a backup, or to recover a cluster
// from what one member has. The directory is as if the replica had taken that snapshot itself.

import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SnapshotHeader } from '@skein/raft';
import { CommitMark } from './commit-mark';
import { syncDirectory } from './durable-file';
import { readSidecar, schemaVersion, type Identity } from './identity';
import { Keyring } from './keyring';
import { holdsLog } from './open-database';
import { RaftLogError } from './raft-log-error';
import { buildFresh, putInPlace } from './replacement';
import type { Connection, LogLocation } from './schema';
import { chunkBytes, SnapshotTable, stages } from './snapshot-table';

export interface ReplicaContent {
  readonly header: SnapshotHeader;
  /** The snapshot's bytes, cut anywhere. */
  readonly chunks: Iterable<Uint8Array>;
  readonly epoch: number;
  readonly encryption?: { readonly key: Uint8Array } | null;
  /** A log that is there is set aside; otherwise it is refused with `directory_holds_log`. */
  readonly setAside?: boolean;
}

/** Durable when it returns. Throws a RaftLogError; the directory is then as it was. */
export function createReplicaDirectory(location: LogLocation, content: ReplicaContent): void {
  try {
    create(location, content);
  } catch (thrown) {
    throw RaftLogError.from(thrown);
  }
}

function create(location: LogLocation, content: ReplicaContent): void {
  const { directory, clusterId, replicaId } = location;
  const { header, chunks, epoch, encryption, setAside = false } = content;
  if (holdsLog(directory) && !setAside) {
    throw new RaftLogError('directory_holds_log', `There is a log in ${directory}`, { directory });
  }
  if (!existsSync(directory)) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    syncDirectory(dirname(directory));
  }
  const keyring = Keyring.open([], encryption?.key ?? null);
  const generation = (readSidecar(directory)?.generation ?? 0) + 1;
  const keys = keyring.wrapped();
  const owner = { schema: schemaVersion, clusterId, replicaId, epoch };
  const identity: Identity = { ...owner, generation, keys, replacing: null };
  const written = nextSequence(directory);
  const { index, term } = header;
  buildFresh(directory, {
    identity,
    state: { term, committed: index, written, last_index: index },
    fill: (fresh) => fillSnapshot(fresh, keyring, { header, chunks, written }),
  });
  putInPlace(directory, { ...identity, replacing: 'created' });
}

/** Beyond what the earlier log has noted, so that its mark says nothing of this one. */
function nextSequence(directory: string): number {
  return (CommitMark.readIn(directory)?.sequence ?? 0) + 1;
}

function fillSnapshot(
  fresh: Connection,
  keyring: Keyring,
  { header, chunks, written }: Pick<ReplicaContent, 'header' | 'chunks'> & { written: number },
): void {
  const table = new SnapshotTable(fresh, keyring);
  const row = table.begin(header, stages.saving, 0);
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += chunkBytes) {
      table.addChunk(row, chunk.subarray(at, at + chunkBytes));
    }
  }
  const { at: size, crc: chain } = table.end(row.number);
  table.put({ ...row, stage: stages.complete, size, chain, written });
}
