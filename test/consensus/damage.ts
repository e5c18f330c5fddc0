// Ways in which a disk returns something else than was written, done to the files of a replica that is down.

import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { logFileName } from '@skein/raft-sqlite';

/** Bytes at the head of an SQLite file's write-ahead log, and of each frame in it before the page. */
const walHeader = 32;
const pageBytes = 4_096;

const log = (directory: string): string => join(directory, logFileName);
const wal = (directory: string): string => `${log(directory)}-wal`;

/** Turns single bits over, anywhere in the database and its write-ahead log. */
export function flipBits(directory: string, count: number): void {
  const files = [log(directory), wal(directory)].filter((path) => existsSync(path));
  const sizes = files.map((path) => statSync(path).size);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const contents = files.map((path) => readFileSync(path));
  for (let done = 0; done < count;) {
    let place = Math.floor(Math.random() * total);
    const file = sizes.findIndex((size) => (place -= size) < 0);
    const bytes = contents[file];
    const at = place + (sizes[file] ?? 0);
    // A page of zeros was never used.
    if (bytes === undefined || bytes[at] === 0) continue;
    bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(Math.random() * 8));
    done += 1;
  }
  files.forEach((path, n) => writeFileSync(path, contents[n] ?? ''));
}

export function removeDatabase(directory: string): void {
  for (const end of ['', '-wal', '-shm']) rmSync(`${log(directory)}${end}`, { force: true });
}

/** Zeros where the first frames were: SQLite itself takes all after them for never written. */
export function damageWal(directory: string): void {
  const bytes = readFileSync(wal(directory));
  bytes.fill(0, walHeader + 24, Math.min(bytes.length, walHeader + 24 + 4 * pageBytes));
  writeFileSync(wal(directory), bytes);
}

export function damageHardState(directory: string): void {
  change(directory, 'UPDATE state SET term = term - 1');
}

export function damageEntry(directory: string): void {
  change(
    directory,
    "UPDATE entry SET data = x'00' WHERE log_index = (SELECT (min(log_index) + max(log_index)) / 2 FROM entry)",
  );
}

export function damageSnapshot(directory: string): void {
  change(
    directory,
    'UPDATE chunk SET data = zeroblob(length(data)) WHERE place = (SELECT min(place) FROM chunk)',
  );
}

function change(directory: string, sql: string): void {
  const database = new Database(log(directory));
  const { changes } = database.prepare(sql).run();
  database.close();
  if (changes === 0) throw new Error(`nothing to damage: ${sql}`);
}
