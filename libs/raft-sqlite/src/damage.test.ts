// Damage at random places of the log's files: what opens is the truth, or a part of it that is known to be one.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  drawsOf,
  flipBits,
  headerAt,
  isExactly,
  isPartOf,
  snapshotBytes,
  sourceOf,
  tell,
  type Truth,
} from './log-story';
import { sidecarName, readSidecar, writeSidecar } from './identity';
import { buildFresh } from './replacement';
import { initialState } from './state-row';
import { logFileName } from './schema';
import { transactionEnds, walOf } from './wal-crashes';
import { copyOf, entry, logWrite, sqliteLog, WrittenLog } from './written-log';

const key = new Uint8Array(32).fill(7);

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'skein-raft-damage-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const tamper = (directory: string, sql: string) => {
  const database = new Database(join(directory, logFileName));
  database.exec(sql);
  database.close();
};

const open = (directory: string, isEncrypted = false) =>
  WrittenLog.open(sqliteLog({ key: isEncrypted ? key : null }), directory);

/** Opens what is there and judges it. */
async function judge(directory: string, truths: readonly Truth[], isEncrypted: boolean) {
  const log = await open(directory, isEncrypted);
  const { restored } = log;
  const { repair } = log.open;
  const last = truths.at(-1);
  if (last === undefined) throw new Error('no truth');
  const isRecovering = restored.hardState.isRecovering === true;
  expect(repair !== null).toBe(isRecovering);
  if (isRecovering) expect(truths.some((truth) => isPartOf(restored, truth))).toBe(true);
  else expect(isExactly(restored, last)).toBe(true);
  if (restored.hardState.isVoteLost !== true) {
    const { term, vote } = last.hardState;
    expect(restored.hardState).toMatchObject({ term, vote });
  }
  const parts: Uint8Array[] = [];
  const header = await log.open.loadSnapshot((bytes) => parts.push(bytes));
  expect(header).toEqual(restored.snapshot ?? null);
  if (header !== null) {
    expect(Buffer.concat(parts).equals(snapshotBytes(header.index))).toBe(true);
  }
  await goesOn(log, directory, isEncrypted);
}

/** What was repaired is a log like any other: it takes writes and opens whole. */
async function goesOn(log: WrittenLog, directory: string, isEncrypted: boolean) {
  const { hardState, snapshot, entries } = log.restored;
  const index = (entries.at(-1)?.index ?? snapshot?.index ?? 0) + 1;
  await log.write(logWrite([entry(index, hardState.term + 1)]));
  await log.close();
  const again = await open(directory, isEncrypted);
  expect(again.open.repair).toBe(null);
  expect(again.restored.entries.at(-1)?.index).toBe(index);
  expect(again.restored.hardState).toEqual(hardState);
  await again.close();
}

async function story(seed: number, isEncrypted: boolean) {
  const directory = join(root, `story-${seed}`);
  const log = await open(directory, isEncrypted);
  const draw = drawsOf(seed);
  const truths = await tell(log, draw, 20 + draw(60));
  return { directory, log, truths, draw };
}

const seeds = Array.from({ length: Number(process.env['SEEDS'] ?? 8) }, (_, at) => at + 1);

describe('ten bits turned over at random', () => {
  it.each(seeds)('after an orderly stop: seed %i', async (seed) => {
    const { directory, log, truths, draw } = await story(seed, seed % 3 === 0);
    await log.close();
    flipBits(directory, [logFileName], 10, draw);
    await judge(directory, truths, seed % 3 === 0);
  });

  it.each(seeds)('after a crash: seed %i', async (seed) => {
    const { directory, log, truths, draw } = await story(seed + 1_000, seed % 3 === 0);
    const crashed = copyOf(directory, join(root, 'crashed'));
    await log.close();
    const wal = `${logFileName}-wal`;
    const names = existsSync(join(crashed, wal)) ? [logFileName, wal] : [logFileName];
    flipBits(crashed, names, 10, draw);
    await judge(crashed, truths, seed % 3 === 0);
  });

  it.each(seeds)('in the files’ heads: seed %i', async (seed) => {
    const { directory, log, truths, draw } = await story(seed + 2_000, seed % 3 === 0);
    const crashed = copyOf(directory, join(root, 'crashed'));
    await log.close();
    const names = seed % 2 === 0 ? [logFileName, `${logFileName}-wal`] : [logFileName];
    flipBits(seed % 2 === 0 ? crashed : directory, names, 3, draw, 120);
    await judge(seed % 2 === 0 ? crashed : directory, truths, seed % 3 === 0);
  });
});

/** Entries 1 to 10 of term 2, a snapshot at 4, and a vote. */
async function filled(directory: string): Promise<void> {
  const log = await open(directory);
  const entries = Array.from({ length: 10 }, (_, at) => entry(at + 1, 2));
  await log.write(logWrite(entries, { hardState: { term: 3, vote: 'r2', commit: 6 } }));
  await log.open.saveSnapshot(headerAt(4, 2), sourceOf(snapshotBytes(4)));
  await log.close();
}

describe('a damaged log', () => {
  const damages: [
    string,
    string,
    { lostFrom: number; keptSnapshot: boolean; isVoteLost: boolean },
  ][] = [
    [
      'a changed byte',
      "UPDATE entry SET data = x'00' WHERE log_index = 8",
      { lostFrom: 8, keptSnapshot: true, isVoteLost: false },
    ],
    [
      'a changed term',
      'UPDATE entry SET term = 1 WHERE log_index = 6',
      { lostFrom: 6, keptSnapshot: true, isVoteLost: false },
    ],
    [
      'a missing entry',
      'DELETE FROM entry WHERE log_index = 5',
      { lostFrom: 5, keptSnapshot: true, isVoteLost: false },
    ],
    [
      'a missing tail',
      'DELETE FROM entry WHERE log_index > 8',
      { lostFrom: 9, keptSnapshot: true, isVoteLost: false },
    ],
    [
      'an entry in another’s place',
      'UPDATE entry SET (data, crc) = (SELECT data, crc FROM entry WHERE log_index = 10) WHERE log_index = 9',
      { lostFrom: 9, keptSnapshot: true, isVoteLost: false },
    ],
    [
      'a changed vote',
      "UPDATE state SET vote = 'r3'",
      { lostFrom: 11, keptSnapshot: true, isVoteLost: true },
    ],
    [
      'a missing hard state',
      'DELETE FROM state',
      { lostFrom: 11, keptSnapshot: true, isVoteLost: true },
    ],
    [
      'a damaged snapshot',
      "UPDATE chunk SET data = x'00'",
      { lostFrom: 11, keptSnapshot: false, isVoteLost: false },
    ],
    [
      'a snapshot of other bytes',
      'UPDATE chunk SET data = zeroblob(length(data))',
      { lostFrom: 11, keptSnapshot: false, isVoteLost: false },
    ],
    [
      'a changed table',
      'ALTER TABLE entry RENAME COLUMN term TO epoch',
      { lostFrom: 1, keptSnapshot: false, isVoteLost: true },
    ],
  ];

  it.each(damages)(
    'keeps what is whole of one with %s, and is recovering',
    async (_, sql, kept) => {
      const directory = join(root, 'log');
      await filled(directory);
      tamper(directory, sql);
      const log = await open(directory);
      const { lostFrom, keptSnapshot, isVoteLost } = kept;
      expect(log.open.repair).toMatchObject({ lostFrom, keptSnapshot });
      expect(log.restored.hardState.isRecovering).toBe(true);
      expect(log.restored.hardState.isVoteLost === true).toBe(isVoteLost);
      expect(log.restored.entries.at(-1)?.index ?? log.restored.snapshot?.index ?? 0).toBe(
        lostFrom - 1,
      );
      expect(existsSync(join(directory, log.open.repair?.setAside ?? 'nothing'))).toBe(true);
      await log.close();
      // It stays so until the core says otherwise.
      const again = await open(directory);
      expect(again.open.repair).toBe(null);
      expect(again.restored.hardState.isRecovering).toBe(true);
      const healed = { term: 4, vote: null, commit: lostFrom - 1, isRecovering: false };
      await again.write(logWrite([], { hardState: healed }));
      await again.close();
      const well = await open(directory);
      expect(well.restored.hardState).toEqual({ term: 4, vote: null, commit: lostFrom - 1 });
      await well.close();
    },
  );

  it('bug 8: gives a vote back only if it is the one that was cast last', async () => {
    const directory = join(root, 'log');
    const log = await open(directory);
    await log.write(logWrite([entry(1, 1)], { hardState: { term: 1, vote: 'r1', commit: 0 } }));
    await log.write(logWrite([], { hardState: { term: 2, vote: 'r3', commit: 0 } }));
    const ends = transactionEnds(walOf(directory));
    const crashed = copyOf(directory, join(root, 'crashed'));
    await log.close();
    // The frame of the last vote is damaged: SQLite takes the log to end before it.
    const wal = readFileSync(join(crashed, `${logFileName}-wal`));
    const at = (ends.at(-2) ?? 0) + 1_000;
    wal[at] = (wal[at] ?? 0) ^ 1;
    writeFileSync(join(crashed, `${logFileName}-wal`), wal);
    const opened = await open(crashed);
    expect(opened.open.repair?.reason).toContain('missing');
    expect(opened.restored.hardState).toMatchObject({ isRecovering: true, isVoteLost: true });
    await opened.close();
  });

  it('knows a lost disk by the identity that is left', async () => {
    const directory = join(root, 'log');
    await filled(directory);
    rmSync(join(directory, logFileName));
    const log = await open(directory);
    expect(log.open.repair).toMatchObject({ lostFrom: 1, keptEntries: 0, setAside: '' });
    expect(log.restored.hardState).toMatchObject({ isRecovering: true, isVoteLost: true });
    await log.close();
  });

  it('keeps owner and epoch, whichever copy of them is damaged', async () => {
    const directory = join(root, 'log');
    await filled(directory);
    const first = await open(directory);
    await first.open.setEpoch(5);
    await first.close();
    writeFileSync(join(directory, logFileName), new Uint8Array(8_192).fill(0xaa));
    const second = await open(directory);
    expect(second.open.meta).toEqual({ clusterId: 'c1', replicaId: 'r1', epoch: 5 });
    await second.close();
    writeFileSync(join(directory, sidecarName), 'not what was written');
    const third = await open(directory);
    expect(third.open.repair).toBe(null);
    expect(third.open.meta.epoch).toBe(5);
    await third.close();
    expect(readSidecar(directory)?.epoch).toBe(5);
  });

  it('keeps two damaged files at most', async () => {
    const directory = join(root, 'log');
    await filled(directory);
    for (let round = 0; round < 4; round += 1) {
      writeFileSync(join(directory, logFileName), 'damaged');
      await (await open(directory)).close();
    }
    const aside = readdirSync(directory).filter((name) => name.includes('damaged'));
    expect(aside.sort()).toEqual([`${logFileName}.damaged-3`, `${logFileName}.damaged-4`]);
  });

  it('bug 39: is replaced whole, whenever a crash cuts in', async () => {
    const directory = join(root, 'log');
    await filled(directory);
    const identity = readSidecar(directory);
    if (identity === null) throw new Error('no identity');
    const opens = async (place: string) => {
      const log = await open(place);
      const isRecovering = log.restored.hardState.isRecovering === true;
      const { term } = log.restored.hardState;
      await log.close();
      return { isRecovering, term };
    };
    const state = { ...initialState, term: 9, recovering: 2, written: 100 };
    // Before the fresh file is known to be complete, the old one counts.
    buildFresh(directory, { identity, state });
    const built = copyOf(directory, join(root, 'built'));
    truncateSync(join(built, `${logFileName}.fresh`), 5_000);
    expect(await opens(built)).toEqual({ isRecovering: false, term: 3 });
    // From then on the fresh one counts, wherever the renames have come to.
    writeSidecar(directory, {
      ...identity,
      replacing: 'test',
      generation: identity.generation + 1,
    });
    const said = copyOf(directory, join(root, 'said'));
    expect(await opens(said)).toEqual({ isRecovering: true, term: 9 });
    const moved = copyOf(directory, join(root, 'moved'));
    renameSync(join(moved, logFileName), join(moved, `${logFileName}.damaged-1`));
    expect(await opens(moved)).toEqual({ isRecovering: true, term: 9 });
    const placed = copyOf(moved, join(root, 'placed'));
    expect(await opens(placed)).toEqual({ isRecovering: true, term: 9 });
  });
});
