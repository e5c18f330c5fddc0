// The log's file: how it is opened, what it must promise, and which tables it has. Knows nothing of what rows mean.

import Database from 'better-sqlite3';
import { RaftLogError } from './raft-log-error';

export type Connection = Database.Database;

export interface LogLocation {
  readonly directory: string;
  readonly clusterId: string;
  readonly replicaId: string;
}

export const logFileName = 'raft-log.sqlite';
/** A replica that is being replaced may need a moment to let go. */
const busyTimeoutMs = 500;
/** Earlier ones can corrupt a file when its write-ahead log is reset. */
const oldestSqlite = [3, 51, 3] as const;

/** Throws what SQLite throws for a damaged file. */
export function openConnection(path: string): Connection {
  const connection = new Database(path, { timeout: busyTimeoutMs });
  try {
    demandSqlite(connection);
    demandDurability(connection);
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
  connection.pragma('auto_vacuum = INCREMENTAL');
  connection.pragma('locking_mode = EXCLUSIVE');
  connection.pragma('journal_mode = WAL');
  connection.pragma('synchronous = FULL');
  connection.pragma('fullfsync = ON');
  connection.pragma('checkpoint_fullfsync = ON');
  connection.pragma('wal_autocheckpoint = 0');
  connection.pragma('mmap_size = 0');
  connection.pragma('cache_size = -1024');
  // The lock is taken by the first read.
  connection.prepare('SELECT count(*) FROM sqlite_schema').get();
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

const tables = [
  `CREATE TABLE chunk (
  place INTEGER PRIMARY KEY,
  key INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  data BLOB NOT NULL
) STRICT`,
  `CREATE TABLE entry (
  log_index INTEGER PRIMARY KEY,
  term INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  written INTEGER NOT NULL,
  key INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  data BLOB NOT NULL
) STRICT`,
  `CREATE TABLE identity (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  line TEXT NOT NULL
) STRICT`,
  `CREATE TABLE snapshot (
  number INTEGER PRIMARY KEY,
  log_index INTEGER NOT NULL,
  term INTEGER NOT NULL,
  configuration TEXT NOT NULL,
  size INTEGER NOT NULL,
  stage INTEGER NOT NULL,
  chain INTEGER NOT NULL,
  entry_crc INTEGER NOT NULL,
  written INTEGER NOT NULL,
  crc INTEGER NOT NULL
) STRICT`,
  `CREATE TABLE state (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  term INTEGER NOT NULL,
  vote TEXT,
  committed INTEGER NOT NULL,
  recovering INTEGER NOT NULL,
  written INTEGER NOT NULL,
  last_index INTEGER NOT NULL,
  last_crc INTEGER NOT NULL,
  crc INTEGER NOT NULL
) STRICT`,
];

export function createTables(connection: Connection): void {
  for (const table of tables) connection.exec(table);
}

/** The definitions are data on disk as well: a changed one would misread rows, or refuse them later. */
export function hasAllTables(connection: Connection): boolean {
  const found = connection.prepare('SELECT sql FROM sqlite_schema ORDER BY name').pluck().all();
  return found.length === tables.length && tables.every((table, at) => found[at] === table);
}

/** The first release's tables, without snapshots and checksummed state. */
export function isFirstSchema(connection: Connection): boolean {
  const names = connection.prepare('SELECT name FROM sqlite_schema ORDER BY name').pluck().all();
  return ['entries', 'hard_state', 'meta'].every((name) => names.includes(name));
}
