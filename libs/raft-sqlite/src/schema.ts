// The log's file: how it is opened, what it must promise, whose it is. Everything here happens before the first entry is read.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { RaftLogError } from './raft-log-error';

export type Connection = Database.Database;

export interface LogLocation {
  readonly directory: string;
  readonly clusterId: string;
  readonly replicaId: string;
}

export const logFileName = 'raft-log.sqlite';
const schemaVersion = 1;
/** A replica that is being replaced may need a moment to let go. */
const busyTimeoutMs = 500;
/** Earlier ones can corrupt a file when its write-ahead log is reset. */
const oldestSqlite = [3, 51, 3] as const;

export function openConnection(location: LogLocation): Connection {
  mkdirSync(location.directory, { recursive: true, mode: 0o700 });
  const connection = new Database(join(location.directory, logFileName), {
    timeout: busyTimeoutMs,
  });
  try {
    demandSqlite(connection);
    demandDurability(connection);
    createTables(connection);
    demandOwner(connection, location);
    return connection;
  } catch (thrown) {
    connection.close();
    throw thrown;
  }
}

function demandSqlite(connection: Connection): void {
  const version = connection.prepare('SELECT sqlite_version()').pluck().get() as string;
  if (isAtLeast(version, oldestSqlite)) return;
  throw new RaftLogError('sqlite_too_old', `SQLite is ${version}`, { version });
}

export function isAtLeast(version: string, oldest: readonly number[]): boolean {
  const parts = version.split('.').map(Number);
  for (const [at, bound] of oldest.entries()) {
    const part = parts[at] ?? 0;
    if (part !== bound) return part > bound;
  }
  return true;
}

/** Order matters: this SQLite falls back to NORMAL at the first write after WAL unless FULL is set after it. */
function demandDurability(connection: Connection): void {
  connection.pragma('locking_mode = EXCLUSIVE');
  connection.pragma('journal_mode = WAL');
  connection.pragma('synchronous = FULL');
  connection.pragma('fullfsync = ON');
  connection.pragma('checkpoint_fullfsync = ON');
  connection.pragma('wal_autocheckpoint = 0');
  connection.pragma('mmap_size = 0');
  connection.pragma('cache_size = -1024');
  assertDurability(connection);
}

export function assertDurability(connection: Connection): void {
  const journal: unknown = connection.pragma('journal_mode', { simple: true });
  const synchronous: unknown = connection.pragma('synchronous', { simple: true });
  if (journal === 'wal' && synchronous === 2) return;
  throw new RaftLogError('not_durable', 'SQLite does not promise to flush each commit', {
    journal,
    synchronous,
  });
}

function createTables(connection: Connection): void {
  connection.exec(`
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS hard_state (
      only INTEGER PRIMARY KEY CHECK (only = 1),
      term INTEGER NOT NULL,
      vote TEXT,
      committed INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS entries (
      log_index INTEGER PRIMARY KEY,
      term INTEGER NOT NULL,
      kind INTEGER NOT NULL,
      crc INTEGER NOT NULL,
      data BLOB NOT NULL
    ) STRICT;
    COMMIT;
  `);
}

function demandOwner(connection: Connection, { directory, clusterId, replicaId }: LogLocation) {
  const read = connection.prepare('SELECT value FROM meta WHERE name = ?').pluck();
  const write = connection.prepare('INSERT INTO meta (name, value) VALUES (?, ?)');
  const version = read.get('schema_version') as string | undefined;
  if (version === undefined) {
    connection.transaction(() => {
      write.run('schema_version', String(schemaVersion));
      write.run('cluster_id', clusterId);
      write.run('replica_id', replicaId);
    })();
    return;
  }
  if (Number(version) !== schemaVersion) {
    throw new RaftLogError('schema_unknown', `The log has schema ${version}`, { version });
  }
  const owner = { clusterId: read.get('cluster_id'), replicaId: read.get('replica_id') };
  if (owner.clusterId === clusterId && owner.replicaId === replicaId) return;
  const message = `The directory belongs to replica '${String(owner.replicaId)}' of cluster '${String(owner.clusterId)}'`;
  throw new RaftLogError('foreign_directory', message, { directory, ...owner });
}
