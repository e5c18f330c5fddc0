// What every durable log must do with snapshots and the front of the log, whatever it is made of. A part of the contract that
// this library's own tests run in the caller's thread and in a worker.

import { describe, expect, it } from '@jest/globals';
import { crc32 } from 'node:zlib';
import type { SnapshotHeader } from '@skein/raft';
import { headerAt, snapshotBytes, sourceOf } from './log-story';
import {
  entry,
  logsOfEachTest,
  logWrite,
  type OpenLog,
  type OpenLogIn,
  type WrittenLog,
} from './written-log';

async function bytesOf(log: OpenLog): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  await log.loadSnapshot((bytes) => parts.push(bytes));
  return Buffer.concat(parts);
}

/** As a leader's pieces arrive at a follower. */
async function receive(log: OpenLog, header: SnapshotHeader, bytes: Uint8Array, length = 30_000) {
  let at = 0;
  while (at < bytes.length) {
    const piece = bytes.subarray(at, at + length);
    at = await log.storeChunk(header, at, bytes.length, piece, crc32(piece));
  }
}

export function snapshotContract(name: string, openIn: OpenLogIn): void {
  describe(`${name} as a keeper of snapshots`, () => {
    const { open, openCopy } = logsOfEachTest(openIn);
    const filled = async (count = 10) => {
      const log = await open();
      const entries = Array.from({ length: count }, (_, at) => entry(at + 1, 1));
      await log.write(logWrite(entries, { hardState: { term: 1, vote: 'r1', commit: count } }));
      return log;
    };
    const save = (log: WrittenLog, index: number) =>
      log.open.saveSnapshot(headerAt(index, 1), sourceOf(snapshotBytes(index)));

    it('holds a snapshot after a crash, once it was confirmed, and the entries after it', async () => {
      const log = await filled();
      const stored = await save(log, 7);
      expect(stored).toEqual({ header: headerAt(7, 1), size: snapshotBytes(7).length });
      const crashed = await openCopy();
      expect(crashed.restored.snapshot).toEqual(headerAt(7, 1));
      expect(crashed.restored.entries.map(({ index }) => index)).toEqual([8, 9, 10]);
      expect(await bytesOf(crashed.open)).toEqual(Buffer.from(snapshotBytes(7)));
    });

    it('takes its configuration from the snapshot', async () => {
      const log = await filled();
      const configuration = { incoming: ['r1', 'r7'], outgoing: [], learners: ['r9'] };
      const header = { index: 10, term: 1, configuration, configurationIndex: 4 };
      await log.open.saveSnapshot(header, sourceOf(snapshotBytes(10)));
      const { restored } = await openCopy();
      expect(restored.snapshot).toEqual(header);
      expect(restored.configuration).toEqual(configuration);
    });

    it('drops the entries that a snapshot covers, and never one that none covers', async () => {
      const log = await filled(1_200);
      await save(log, 900);
      log.open.compact(1_100);
      await drained(log.open, (await log.open.size()).freeBytes);
      const crashed = await openCopy();
      expect(crashed.restored.entries[0]?.index).toBe(901);
      expect(crashed.restored.entries).toHaveLength(300);
      await crashed.write(logWrite([entry(1_201, 1)]));
    });

    it('is not there after a crash in the middle of it, nor after its source has failed', async () => {
      const log = await filled();
      await save(log, 3);
      let pulled = 0;
      const source = () => {
        pulled += 1;
        if (pulled === 3) throw new Error('the source has ended');
        return snapshotBytes(pulled);
      };
      await expect(log.open.saveSnapshot(headerAt(8, 1), source)).rejects.toThrow('has ended');
      expect((await openCopy()).restored.snapshot).toEqual(headerAt(3, 1));
      await save(log, 9);
      expect((await openCopy()).restored.snapshot).toEqual(headerAt(9, 1));
    });

    it('drops what a newer snapshot covers', async () => {
      const log = await filled();
      for (const index of [2, 4, 6, 8]) await save(log, index);
      for (let tries = 0; tries < 50; tries += 1) await log.open.size();
      expect((await log.open.size()).snapshotBytes).toBeLessThan(70_000);
    });

    it('takes writes while a snapshot is stored, each after one slice at most', async () => {
      const log = await filled();
      let confirmedAtSlice = -1;
      let slices = 0;
      let writing: Promise<void> | undefined;
      const source = (maxBytes: number) => {
        slices += 1;
        if (slices === 3) {
          writing = log.write(logWrite([entry(11, 1)])).then(() => {
            confirmedAtSlice = slices;
          });
        }
        return slices > 20 ? null : new Uint8Array(maxBytes);
      };
      await log.open.saveSnapshot(headerAt(10, 1), source);
      await writing;
      expect(slices).toBe(21);
      // The one that was being stored, and the one that may have been pulled before the word came back.
      expect(confirmedAtSlice).toBeLessThanOrEqual(5);
    });

    it('gives a snapshot out in pieces, and goes on where a reader was', async () => {
      const log = await filled();
      expect(await log.open.readSnapshot(null, 1_000)).toBe(null);
      await save(log, 5);
      const pieces: Uint8Array[] = [];
      for (let offset = 0; ;) {
        const piece = await log.open.readSnapshot({ index: 5, term: 1, offset }, 20_000);
        if (piece === null) throw new Error('no snapshot');
        expect(piece).toMatchObject({ header: headerAt(5, 1), offset, crc: crc32(piece.data) });
        expect(piece.data.length).toBeLessThanOrEqual(20_000);
        pieces.push(piece.data);
        offset += piece.data.length;
        if (offset === piece.size) break;
      }
      expect(Buffer.concat(pieces).equals(snapshotBytes(5))).toBe(true);
      const other = await log.open.readSnapshot({ index: 4, term: 1, offset: 100 }, 10);
      expect(other).toMatchObject({ header: headerAt(5, 1), offset: 0 });
    });

    it('keeps a snapshot that is being read when a newer one is stored', async () => {
      const log = await filled();
      await save(log, 5);
      await log.open.readSnapshot(null, 1_000);
      await save(log, 9);
      const piece = await log.open.readSnapshot({ index: 5, term: 1, offset: 1_000 }, 1_000);
      expect(piece).toMatchObject({ header: headerAt(5, 1), offset: 1_000 });
    });

    it('takes another one of the same index in place of one that is damaged, though that was read', async () => {
      const log = await filled();
      await save(log, 10);
      await log.open.readSnapshot(null, 1_000);
      const bytes = snapshotBytes(3);
      await log.open.saveSnapshot(headerAt(10, 1), sourceOf(bytes));
      const piece = await log.open.readSnapshot({ index: 10, term: 1, offset: 0 }, 1_000_000);
      expect(piece?.size).toBe(bytes.length);
      await log.write(logWrite([entry(11, 1)]));
      const crashed = await openCopy();
      expect(await bytesOf(crashed.open)).toEqual(Buffer.from(bytes));
      expect(crashed.restored.entries.map(({ index }) => index)).toEqual([11]);
    });

    it('takes a received snapshot in place of the log', async () => {
      const log = await filled();
      const bytes = snapshotBytes(50);
      await receive(log.open, headerAt(50, 3), bytes);
      const pushed: Uint8Array[] = [];
      await log.open.install(headerAt(50, 3), false, (part) => pushed.push(part));
      expect(Buffer.concat(pushed).equals(bytes)).toBe(true);
      const { restored } = await openCopy();
      expect(restored.snapshot).toEqual(headerAt(50, 3));
      expect(restored.entries).toEqual([]);
      expect(restored.hardState).toMatchObject({ term: 1, vote: 'r1', commit: 50 });
      await log.write(logWrite([entry(51, 3)]));
      expect((await openCopy()).restored.entries.map(({ index }) => index)).toEqual([51]);
    });

    it('keeps the entries after a received snapshot if it is asked to', async () => {
      const log = await filled();
      await receive(log.open, headerAt(6, 1), snapshotBytes(6));
      await log.open.install(headerAt(6, 1), true);
      await log.write(logWrite([entry(11, 1)]));
      const { restored } = await openCopy();
      expect(restored.snapshot).toEqual(headerAt(6, 1));
      expect(restored.entries.map(({ index }) => index)).toEqual([7, 8, 9, 10, 11]);
    });

    it('asks for the piece that is missing, and takes no damaged one', async () => {
      const log = await filled();
      const header = headerAt(50, 3);
      const bytes = snapshotBytes(50);
      const piece = (from: number, to: number) => bytes.subarray(from, to);
      const { length } = bytes;
      const store = (at: number, data: Uint8Array, crc = crc32(data)) =>
        log.open.storeChunk(header, at, length, data, crc);
      expect(await store(100, piece(100, 200))).toBe(0);
      expect(await store(0, piece(0, 100))).toBe(100);
      expect(await store(100, piece(100, 200), crc32(piece(0, 100)))).toBe(100);
      expect(await store(300, piece(300, 400))).toBe(100);
      // The same beginning again: it goes on. Another one: it starts over.
      expect(await store(0, piece(0, 100))).toBe(100);
      expect(await store(0, piece(1, 101))).toBe(100);
      expect(await store(0, piece(0, 100))).toBe(100);
      expect(await store(100, piece(100, length))).toBe(length);
      await log.open.install(header, false);
      expect(await bytesOf(log.open)).toEqual(Buffer.from(bytes));
    });

    it('goes on with a half received snapshot after a crash', async () => {
      const log = await filled();
      const bytes = snapshotBytes(50);
      await log.open.storeChunk(headerAt(50, 3), 0, bytes.length, bytes.subarray(0, 5_000));
      const crashed = await openCopy();
      const first = bytes.subarray(0, 5_000);
      expect(await crashed.open.storeChunk(headerAt(50, 3), 0, bytes.length, first)).toBe(5_000);
    });

    it('takes another snapshot than the one it has received in part, be it an older one', async () => {
      const log = await filled();
      const newer = snapshotBytes(60);
      await log.open.storeChunk(headerAt(60, 3), 0, newer.length, newer.subarray(0, 5_000));
      const crashed = await openCopy();
      const header = headerAt(50, 3);
      const older = snapshotBytes(50);
      expect(await crashed.open.storeChunk(header, 0, older.length, older)).toBe(older.length);
      await crashed.open.install(header, false);
      expect(await bytesOf(crashed.open)).toEqual(Buffer.from(older));
    });

    it('installs nothing that is incomplete, refused by its reader, or unknown', async () => {
      const log = await filled();
      const header = headerAt(50, 3);
      const damaged = { code: 'snapshot_damaged' };
      await expect(log.open.install(header, false)).rejects.toMatchObject(damaged);
      const bytes = snapshotBytes(50);
      await log.open.storeChunk(header, 0, bytes.length, bytes.subarray(0, 100));
      await expect(log.open.install(header, false)).rejects.toMatchObject(damaged);
      await receive(log.open, header, bytes);
      const refuse = () => {
        throw new Error('not a state');
      };
      await expect(log.open.install(header, false, refuse)).rejects.toThrow('not a state');
      expect((await openCopy()).restored.snapshot).toBe(undefined);
      await log.write(logWrite([entry(11, 1)]));
      expect((await openCopy()).restored.entries).toHaveLength(11);
    });

    it('keeps what it is told of itself', async () => {
      const log = await filled();
      expect(log.open.meta).toEqual({ clusterId: 'c1', replicaId: 'r1', epoch: 0 });
      await log.open.setEpoch(7);
      expect(log.open.meta.epoch).toBe(7);
      expect((await openCopy()).open.meta.epoch).toBe(7);
    });

    it('does not grow without bound under a steady load', async () => {
      const log = await open();
      const text = 'x'.repeat(20_000);
      let largest = 0;
      for (let round = 1; round <= 12; round += 1) {
        const first = (round - 1) * 50 + 1;
        const entries = Array.from({ length: 50 }, (_, at) => entry(first + at, 1, text));
        await log.write(logWrite(entries));
        await save(log, round * 50);
        log.open.compact(round * 50 - 10);
        await drained(log.open, 0);
        const { logBytes } = await log.open.size();
        if (round === 4) largest = logBytes;
        if (round > 4) expect(logBytes).toBeLessThan(largest * 1.5 + 9_000_000);
      }
    }, 60_000);
  });
}

/** Until slices of its own have come and gone: each question waits its turn behind them. */
async function drained(log: OpenLog, freeBytes: number): Promise<void> {
  let last = freeBytes;
  for (let still = 0; still < 5;) {
    const { freeBytes: now } = await log.size();
    still = now === last ? still + 1 : 0;
    last = now;
  }
}
