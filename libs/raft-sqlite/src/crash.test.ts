// Crashes after, and in the middle of, every transaction: what opens is what was confirmed by then, and never half of a step.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawsOf, headerAt, isExactly, snapshotBytes, tell } from './log-story';
import { crashedAt, transactionEnds, walOf } from './wal-crashes';
import { copyOf, entry, logWrite, sqliteLog, WrittenLog } from './written-log';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'skein-raft-crash-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const open = (directory: string) => WrittenLog.open(sqliteLog(), directory);

describe('a crash', () => {
  it('bugs 11, 13 and 39: after each transaction leaves what was confirmed by then, in order', async () => {
    const directory = join(root, 'log');
    const log = await open(directory);
    const draw = drawsOf(99);
    const truths = await tell(log, draw, 40);
    const ends = transactionEnds(walOf(directory));
    let reached = 0;
    for (const end of ends) {
      // In the middle of the next transaction: a torn tail is no damage, and nothing of it counts.
      for (const length of [end, end + 2_000]) {
        const crashed = await open(crashedAt(directory, join(root, 'crashed'), length));
        const { restored } = crashed;
        expect(crashed.open.repair).toBe(null);
        const at = truths.findIndex(
          (truth, place) => place >= reached && isExactly(restored, truth),
        );
        const isBeforeAll = restored.hardState.term === 0;
        expect(isBeforeAll || at >= reached).toBe(true);
        if (at > reached) reached = at;
        await crashed.close();
      }
    }
    expect(reached).toBe(truths.length - 1);
    await log.close();
  }, 60_000);

  it('bugs 11 and 34: leaves a received snapshot with the log cut to it, or neither', async () => {
    const directory = join(root, 'log');
    const log = await open(directory);
    const entries = Array.from({ length: 10 }, (_, at) => entry(at + 1, 1));
    await log.write(logWrite(entries, { hardState: { term: 2, vote: null, commit: 3 } }));
    const bytes = snapshotBytes(6);
    const header = headerAt(6, 2);
    await log.open.storeChunk(header, 0, bytes.length, bytes);
    await log.open.install(header, false);
    const seen = new Set<string>();
    for (const end of transactionEnds(walOf(directory))) {
      const crashed = await open(crashedAt(directory, join(root, 'crashed'), end));
      const { snapshot, entries: left, hardState } = crashed.restored;
      expect(crashed.open.repair).toBe(null);
      seen.add(`${snapshot?.index ?? 0} ${left.length} ${hardState.commit}`);
      await crashed.close();
    }
    expect([...seen]).toEqual(['0 0 0', '0 10 3', '6 0 6']);
    await log.close();
  });

  it('bug 13: is told durable only when a crash at that instant would leave it', async () => {
    const directory = join(root, 'log');
    const held: Promise<number>[] = [];
    const log = await sqliteLog()(directory, (writes) => {
      const copy = copyOf(directory, join(root, `told-${held.length}`));
      const last = writes.at(-1)?.lastIndex ?? 0;
      held.push(
        open(copy).then(async (crashed) => {
          const missing = last - crashed.restored.entries.length;
          await crashed.close();
          return missing;
        }),
      );
    });
    log.write(logWrite([entry(1, 1)]));
    log.write(logWrite([entry(2, 1), entry(3, 1)]));
    while (held.length < 2) await log.size();
    for (const missing of await Promise.all(held)) expect(missing).toBeLessThanOrEqual(0);
    await log.close();
  });
});
