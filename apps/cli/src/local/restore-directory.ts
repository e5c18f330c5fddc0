// Makes the data directories of replicas from a backup file, while none of them runs. All directories of one restore hold the
// same bytes, revision and epoch, so that the replicas agree from the start.

import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SkeinError, type BackupHeader } from '@skein/contracts';
import {
  createReplicaDirectory,
  logFileName,
  openRaftLog,
  RaftLogError,
  type LogLocation,
} from '@skein/raft-sqlite';
import { Store, StoreSnapshotError } from '@skein/store';
import { BackupReader, type Backup } from '../client/backup-reader';

const sliceBytes = 256 * 1_024;
/** Where a replica keeps its key if it makes one itself. */
const keyFileName = 'raft-log.key';

export interface LoadedBackup extends Backup {
  readonly store: Store;
  /** The store's revision in the backup, before any bump. */
  readonly revision: number;
}

/**
 * Reads and checks all of the file. The store's next revision is `bumpRevisionBy` higher than in the backup, so that nobody who
 * has seen a later state mistakes an old revision for a new one. Throws `backup_damaged`.
 */
export async function loadBackup(
  file: string,
  bumpRevisionBy: number,
  onProgress: (bytes: number) => void,
): Promise<LoadedBackup> {
  const loader = Store.loader();
  const reader = new BackupReader((bytes) => loader.push(bytes));
  try {
    for await (const bytes of createReadStream(file)) {
      reader.push(bytes as Uint8Array);
      onProgress(reader.size);
    }
    const { header, trailer } = reader.finish();
    const store = loader.finish({ bumpRevisionBy, markCompacted: true });
    if (store.status.appliedIndex !== header.index) {
      throw new SkeinError(
        'backup_damaged',
        'Its first line and its content do not belong together',
      );
    }
    return { header, trailer, store, revision: header.revision };
  } catch (thrown) {
    throw asSkeinError(thrown, file);
  }
}

/** The epoch of the log that is in a directory; undefined if there is none. Throws `replica_running`. */
export async function epochOf(location: LogLocation): Promise<number | undefined> {
  const { directory } = location;
  if (!existsSync(join(directory, logFileName))) return undefined;
  try {
    const log = await openRaftLog({
      ...location,
      configuration: { incoming: [location.replicaId], outgoing: [], learners: [] },
      encryption: encryptionOf(directory, undefined),
      worker: null,
      onDurable: () => undefined,
      onFailure: () => undefined,
    });
    const { epoch } = log.meta;
    await log.close();
    return epoch;
  } catch (thrown) {
    // Without its key it can't be read, which does not keep it from being set aside.
    if (thrown instanceof RaftLogError && thrown.code === 'locked') return undefined;
    throw asSkeinError(thrown, directory);
  }
}

export interface DirectoryContent {
  readonly header: BackupHeader;
  readonly store: Store;
  readonly members: readonly string[];
  readonly epoch: number;
  /** 32 bytes; else the key file in the directory, if there is one. */
  readonly key: Uint8Array | undefined;
}

/** Durable when it returns. A log that was there is set aside within the directory. */
export function writeReplica(location: LogLocation, content: DirectoryContent): void {
  const { header, store, members, epoch, key } = content;
  const { index, term } = header;
  const configuration = { incoming: [...members].sort(), outgoing: [], learners: [] };
  try {
    createReplicaDirectory(location, {
      header: { index, term, configuration },
      chunks: slicesOf(store),
      epoch,
      encryption: encryptionOf(location.directory, key),
      setAside: true,
    });
  } catch (thrown) {
    throw asSkeinError(thrown, location.directory);
  }
}

function* slicesOf(store: Store): Generator<Uint8Array> {
  const source = store.beginSnapshot();
  try {
    for (let next = source.next(sliceBytes); next !== null; next = source.next(sliceBytes)) {
      yield next;
    }
  } finally {
    source.close();
  }
}

function encryptionOf(directory: string, key: Uint8Array | undefined) {
  if (key !== undefined) return { key };
  const file = join(directory, keyFileName);
  if (!existsSync(file)) return null;
  return { key: new Uint8Array(Buffer.from(readFileSync(file, 'utf8').trim(), 'base64')) };
}

function asSkeinError(thrown: unknown, place: string): SkeinError {
  if (thrown instanceof SkeinError) return thrown;
  if (thrown instanceof StoreSnapshotError) {
    return new SkeinError('backup_damaged', thrown.message, { cause: thrown });
  }
  if (thrown instanceof RaftLogError && thrown.code === 'directory_in_use') {
    return new SkeinError('replica_running', `A replica runs on ${place}`, { cause: thrown });
  }
  if (thrown instanceof RaftLogError) {
    return new SkeinError('invalid_request', thrown.message, {
      facts: { directory: place, reason: thrown.code },
      cause: thrown,
    });
  }
  const { code } = thrown as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR') {
    return new SkeinError('invalid_request', `'${place}' can't be read (${code})`, {
      field: 'file',
      cause: thrown,
    });
  }
  return SkeinError.from(thrown);
}
