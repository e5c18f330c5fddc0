// What every durable log must do, whatever it is made of: tests that take a way to open one in a directory. Used by this
// library's own tests, in the caller's thread and in a worker.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HardState, LogEntry, LogWrite, RestoredState } from '@skein/raft';
import type { RaftLog } from './raft-log';

/** What a replica asks of its log. */
export type OpenLog = Pick<
  RaftLog,
  | 'restored'
  | 'repair'
  | 'meta'
  | 'write'
  | 'compact'
  | 'saveSnapshot'
  | 'readSnapshot'
  | 'storeChunk'
  | 'install'
  | 'loadSnapshot'
  | 'size'
  | 'outstandingMs'
  | 'setEpoch'
  | 'rotateDataKey'
  | 'changeKey'
  | 'close'
>;
export type OpenLogIn = (
  directory: string,
  onDurable: (writes: readonly LogWrite[]) => void,
) => Promise<OpenLog>;

export function entry(index: number, term: number, text = `entry ${index}`): LogEntry {
  return { index, term, kind: 'command', data: new TextEncoder().encode(text) };
}

let lastId = 0;
export function logWrite(
  entries: readonly LogEntry[],
  rest: { hardState?: HardState; truncateFrom?: number } = {},
): LogWrite {
  lastId += 1;
  const last = entries.at(-1);
  return {
    id: lastId,
    hardState: rest.hardState ?? null,
    truncateFrom: rest.truncateFrom ?? null,
    entries,
    lastIndex: last?.index ?? 0,
    lastTerm: last?.term ?? 0,
    then: [],
  };
}

/** A log with the writes that it has confirmed. */
export class WrittenLog {
  readonly durable: number[] = [];
  private waiting: (() => void) | undefined;
  private log: OpenLog | undefined;
  private due = 0;

  static async open(openIn: OpenLogIn, directory: string): Promise<WrittenLog> {
    const written = new WrittenLog();
    written.log = await openIn(directory, (writes) => {
      written.durable.push(...writes.map(({ id }) => id));
      if (written.durable.length >= written.due) written.waiting?.();
    });
    return written;
  }

  get open(): OpenLog {
    if (this.log === undefined) throw new Error('not open');
    return this.log;
  }

  get restored(): RestoredState {
    return this.open.restored;
  }

  /** Resolves when all of them are durable. */
  async write(...writes: readonly LogWrite[]): Promise<void> {
    this.due = this.durable.length + writes.length;
    const done = new Promise<void>((resolve) => (this.waiting = resolve));
    for (const write of writes) this.log?.write(write);
    await done;
  }

  async close(): Promise<void> {
    await this.log?.close();
  }
}

export function raftLogContract(name: string, openIn: OpenLogIn): void {
  describe(`${name} as a durable log`, () => {
    let root: string;
    let copies = 0;
    let opened: WrittenLog[];

    const open = async (directory = join(root, 'log')) => {
      const log = await WrittenLog.open(openIn, directory);
      opened.push(log);
      return log;
    };
    /** What a crash at this instant would leave: the files as they are, under a log that never closed. */
    const openCopy = async () => {
      copies += 1;
      const directory = join(root, `copy-${copies}`);
      cpSync(join(root, 'log'), directory, { recursive: true });
      return open(directory);
    };

    beforeEach(() => {
      root = mkdtempSync(join(tmpdir(), 'skein-raft-log-'));
      opened = [];
    });
    afterEach(async () => {
      for (const log of opened) await log.close();
      rmSync(root, { recursive: true, force: true });
    });

    it('starts empty', async () => {
      const { restored } = await open();
      expect(restored.entries).toEqual([]);
      expect(restored.hardState).toEqual({ term: 0, vote: null, commit: 0 });
    });

    it('holds after a crash everything that it had confirmed', async () => {
      const log = await open();
      const hardState = { term: 2, vote: 'r1', commit: 1 };
      await log.write(logWrite([entry(1, 1), entry(2, 2, '')], { hardState }));
      await log.write(logWrite([entry(3, 2)]));
      const { restored } = await openCopy();
      expect(restored.hardState).toEqual(hardState);
      expect(restored.entries.map(({ index, term, kind }) => [index, term, kind])).toEqual([
        [1, 1, 'command'],
        [2, 2, 'command'],
        [3, 2, 'command'],
      ]);
      const texts = restored.entries.map(({ data }) => new TextDecoder().decode(data));
      expect(texts).toEqual(['entry 1', '', 'entry 3']);
    });

    it('confirms writes in their order, barriers included', async () => {
      const log = await open();
      const writes = [logWrite([entry(1, 1)]), logWrite([]), logWrite([entry(2, 1)])];
      await log.write(...writes);
      expect(log.durable).toEqual(writes.map(({ id }) => id));
    });

    it('replaces a suffix in one step', async () => {
      const log = await open();
      await log.write(logWrite([entry(1, 1), entry(2, 1), entry(3, 1)]));
      await log.write(logWrite([entry(2, 2, 'other')], { truncateFrom: 2 }));
      await log.write(logWrite([entry(3, 2)]));
      const { restored } = await openCopy();
      expect(restored.entries.map(({ term }) => term)).toEqual([1, 2, 2]);
    });

    it('goes on where a restart left it, also after its tail was dropped', async () => {
      const first = await open();
      await first.write(logWrite([entry(1, 1), entry(2, 1)]));
      await first.close();
      const second = await open();
      await second.write(logWrite([], { truncateFrom: 1 }));
      await second.write(logWrite([entry(1, 2), entry(2, 2)]));
      await second.close();
      const third = await open();
      await third.write(logWrite([entry(3, 2)]));
      expect((await openCopy()).restored.entries.map(({ term }) => term)).toEqual([2, 2, 2]);
    });

    it('does not depend on what the caller does with its bytes afterwards', async () => {
      const log = await open();
      const data = new TextEncoder().encode('kept');
      const written = log.write(logWrite([{ ...entry(1, 1), data }]));
      data.fill(0);
      await written;
      expect(data.byteLength).toBe(4);
      const { restored } = await openCopy();
      expect(new TextDecoder().decode(restored.entries[0]?.data)).toBe('kept');
    });

    it('takes hundreds of writes at once', async () => {
      const log = await open();
      const writes = Array.from({ length: 700 }, (_, at) => logWrite([entry(at + 1, 1)]));
      await log.write(...writes);
      expect(log.durable).toEqual(writes.map(({ id }) => id));
      expect((await openCopy()).restored.entries).toHaveLength(700);
    });
  });
}
