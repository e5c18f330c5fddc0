// A seeded run of a log, for tests: entries, votes, truncations, snapshots and compactions as a replica would ask for them, and
// all that was true after each write. Knows what a log must give back, not how it keeps it.

import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HardState, LogEntry, RestoredState, SnapshotHeader } from '@skein/raft';
import { entry, logWrite, type WrittenLog } from './written-log';

export interface Truth {
  readonly hardState: HardState;
  /** All since index 1, also those that only a snapshot stands for by now. */
  readonly entries: readonly LogEntry[];
  readonly snapshot: SnapshotHeader | null;
}

export type Draw = (below: number) => number;

/** The same numbers for the same seed. */
export function drawsOf(seed: number): Draw {
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const configuration = { incoming: ['r1'], outgoing: [], learners: [] };

/** What a snapshot at this index holds, in tests. */
export function snapshotBytes(index: number): Uint8Array {
  return new Uint8Array(40_000 + (index % 7) * 3_000).map((_, at) => (at * 31 + index) % 251);
}

export function headerAt(index: number, term: number): SnapshotHeader {
  return { index, term, configuration };
}

/** Gives the bytes in pieces of `length`, then null. */
export function sourceOf(bytes: Uint8Array, length = 9_000): () => Uint8Array | null {
  let at = 0;
  return () => {
    const piece = bytes.subarray(at, at + length);
    at += length;
    return piece.length === 0 ? null : piece;
  };
}

/** Every state that the log has confirmed, the last one last. */
export async function tell(log: WrittenLog, draw: Draw, steps: number): Promise<Truth[]> {
  let truth: Truth = { hardState: { term: 1, vote: null, commit: 0 }, entries: [], snapshot: null };
  const truths: Truth[] = [];
  await log.write(logWrite([], { hardState: truth.hardState }));
  truths.push(truth);
  for (let step = 0; step < steps; step += 1) {
    truth = await taleStep(log, draw, truth);
    truths.push(truth);
  }
  return truths;
}

async function taleStep(log: WrittenLog, draw: Draw, truth: Truth): Promise<Truth> {
  const { hardState, entries, snapshot } = truth;
  const choice = draw(20);
  if (choice === 0 && hardState.commit > (snapshot?.index ?? 0)) {
    const index = hardState.commit;
    const header = headerAt(index, entries[index - 1]?.term ?? 0);
    await log.open.saveSnapshot(header, sourceOf(snapshotBytes(index)));
    log.open.compact(Math.max(0, index - 5));
    return { ...truth, snapshot: header };
  }
  if (choice < 4) {
    const term = hardState.term + 1;
    const changed = { ...hardState, term, vote: `r${draw(3)}` };
    const from = hardState.commit + 1 + draw(3);
    const kept = entries.slice(0, from - 1);
    const added = newEntries(kept.length, term, 1 + draw(2), draw);
    const isCut = from <= entries.length;
    await log.write(
      logWrite(added, { hardState: changed, ...(isCut ? { truncateFrom: from } : {}) }),
    );
    return { ...truth, hardState: changed, entries: [...kept, ...added] };
  }
  const added = newEntries(entries.length, hardState.term, 1 + draw(4), draw);
  const all = [...entries, ...added];
  const isCommitting = draw(2) === 0;
  const changed = { ...hardState, commit: Math.max(hardState.commit, all.length - draw(6)) };
  await log.write(logWrite(added, isCommitting ? { hardState: changed } : {}));
  return { ...truth, hardState: isCommitting ? changed : hardState, entries: all };
}

function newEntries(after: number, term: number, count: number, draw: Draw): LogEntry[] {
  return Array.from({ length: count }, (_, at) => {
    const index = after + at + 1;
    return entry(index, term, `${index}/${term} `.repeat(1 + draw(400)));
  });
}

/** The restored state is exactly this one. */
export function isExactly(restored: RestoredState, truth: Truth): boolean {
  const { hardState, snapshot } = restored;
  const isSameHead =
    JSON.stringify(hardState) === JSON.stringify(truth.hardState) &&
    (snapshot?.index ?? 0) === (truth.snapshot?.index ?? 0);
  const index = (snapshot?.index ?? 0) + restored.entries.length;
  return isSameHead && index === truth.entries.length && isPartOf(restored, truth);
}

/** The restored entries are some of this log's, in their places. */
export function isPartOf(restored: RestoredState, truth: Truth): boolean {
  const after = restored.snapshot?.index ?? 0;
  const header = truth.entries[after - 1];
  if (after > 0 && header?.term !== restored.snapshot?.term) return false;
  return restored.entries.every(({ index, term, data }, at) => {
    const written = truth.entries[index - 1];
    const isInPlace = index === after + at + 1 && written?.term === term;
    return isInPlace && Buffer.compare(written.data, data) === 0;
  });
}

/** Turns single bits over, at places spread over all the files, or over the first bytes of each. */
export function flipBits(
  directory: string,
  names: readonly string[],
  count: number,
  draw: Draw,
  within = Infinity,
): void {
  const files = names.map((name) => {
    const path = join(directory, name);
    return { path, length: Math.min(within, statSync(path).size) };
  });
  const total = files.reduce((sum, { length }) => sum + length, 0);
  for (let done = 0; done < count; done += 1) {
    let place = draw(total);
    const file = files.find(({ length }) => (place -= length) < 0);
    if (file === undefined) throw new Error('no such place');
    const bytes = readFileSync(file.path);
    const at = place + file.length;
    bytes[at] = (bytes[at] ?? 0) ^ (1 << draw(8));
    writeFileSync(file.path, bytes);
  }
}
