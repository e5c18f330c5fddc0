// Every crash that a write-ahead log tells of, for tests: copies of a log's directory as they would be had the machine stopped
// after each transaction in turn, or in the middle of one.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { markName } from './commit-mark';
import { copyOf } from './written-log';
import { logFileName } from './schema';

const headerBytes = 32;
const frameHeaderBytes = 24;

/** Lengths of the write-ahead log after each transaction of its present round, the first one before any. */
export function transactionEnds(wal: Uint8Array): number[] {
  const view = new DataView(wal.buffer, wal.byteOffset, wal.byteLength);
  const frameBytes = frameHeaderBytes + view.getUint32(8);
  const salt = view.getBigUint64(16);
  const ends = [headerBytes];
  for (let at = headerBytes; at + frameBytes <= wal.length; at += frameBytes) {
    if (view.getBigUint64(at + 8) !== salt) break;
    const isCommit = view.getUint32(at + 4) !== 0;
    if (isCommit) ends.push(at + frameBytes);
  }
  return ends;
}

/**
 * Copies `directory`, whose log is open or was left by a crash, to `to`, with the write-ahead log cut to `length`. The mark,
 * which would tell of the writes that are cut off, is not there yet.
 */
export function crashedAt(directory: string, to: string, length: number): string {
  rmSync(to, { recursive: true, force: true });
  copyOf(directory, to);
  rmSync(join(to, markName), { force: true });
  const wal = join(to, `${logFileName}-wal`);
  writeFileSync(wal, readFileSync(wal).subarray(0, length));
  return to;
}

export function walOf(directory: string): Uint8Array {
  return readFileSync(join(directory, `${logFileName}-wal`));
}
