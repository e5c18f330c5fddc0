// A database that takes another's place: built beside it, flushed, and put there by renames, in an order that a crash may cut
// anywhere. The one that it replaces is set aside, never deleted at once. Knows nothing of what is put into it.

import { existsSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { removeFile, renameDurably, syncDirectory, syncFile } from './durable-file';
import { encodeIdentity, writeSidecar, type Identity } from './identity';
import { createTables, logFileName, openConnection, type Connection } from './schema';
import { initialState, stateWriter, type StateRow } from './state-row';

export const freshName = `${logFileName}.fresh`;
const keptAside = 2;

export interface FreshContent {
  readonly identity: Identity;
  readonly state: Partial<StateRow>;
  /** Inside no transaction: fills the tables. */
  readonly fill?: (connection: Connection) => void;
}

/** Leaves one flushed file without a write-ahead log. Throws `directory_in_use` while another process does the same. */
export function buildFresh(directory: string, { identity, state, fill }: FreshContent): void {
  const path = join(directory, freshName);
  for (const end of ['', '-wal', '-shm', '-journal']) removeFile(`${path}${end}`);
  const connection = openConnection(path);
  try {
    connection.exec('BEGIN IMMEDIATE');
    createTables(connection);
    const line = encodeIdentity({ ...identity, replacing: null });
    connection.prepare('INSERT INTO identity (only, line) VALUES (1, ?)').run(line);
    stateWriter(connection)({ ...initialState, ...state });
    connection.exec('COMMIT');
    fill?.(connection);
    connection.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    connection.close();
  }
  syncFile(path);
  syncDirectory(directory);
}

/**
 * The fresh file becomes the log. `identity` says why with `replacing`; from the moment that it is on disk every open goes on
 * with what is left of this. Returns where the earlier file is; empty if there was none.
 */
export function putInPlace(directory: string, identity: Identity): string {
  writeSidecar(directory, identity);
  return finishReplacing(directory, identity);
}

export function finishReplacing(directory: string, identity: Identity): string {
  const aside = existsSync(join(directory, freshName)) ? replace(directory) : '';
  writeSidecar(directory, {
    ...identity,
    replacing: null,
    generation: identity.generation + 1,
  });
  return aside;
}

function replace(directory: string): string {
  const aside = setAside(directory);
  renameDurably(join(directory, freshName), join(directory, logFileName));
  return aside;
}

/** The write-ahead log first: what is left of it must never meet the fresh file. */
function setAside(directory: string): string {
  const log = join(directory, logFileName);
  const earlier = asideNumbers(directory);
  const number = (earlier.at(-1) ?? 0) + 1;
  const name = `${logFileName}.damaged-${number}`;
  let isThere = false;
  for (const end of ['-wal', '-shm', '-journal', '']) {
    if (!existsSync(`${log}${end}`)) continue;
    renameSync(`${log}${end}`, join(directory, `${name}${end}`));
    isThere = true;
  }
  syncDirectory(directory);
  if (!isThere) return '';
  for (const old of earlier.slice(0, Math.max(0, earlier.length + 1 - keptAside))) {
    const path = join(directory, `${logFileName}.damaged-${old}`);
    for (const end of ['-wal', '-shm', '-journal', '']) removeFile(`${path}${end}`);
  }
  return name;
}

function asideNumbers(directory: string): number[] {
  const prefix = `${logFileName}.damaged-`;
  const found = readdirSync(directory).filter((name) => name.startsWith(prefix));
  const numbers = found.map((name) => Number.parseInt(name.slice(prefix.length), 10));
  return [...new Set(numbers)].sort((one, other) => one - other);
}
