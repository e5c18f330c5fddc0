// What every durable log must do, whatever it is made of: tests that take a way to open one in a directory. Used by this
// library's own tests, in the caller's thread and in a worker.

import { describe, expect, it } from '@jest/globals';
import { entry, logsOfEachTest, logWrite, type OpenLogIn } from './written-log';

export function raftLogContract(name: string, openIn: OpenLogIn): void {
  describe(`${name} as a durable log`, () => {
    const { open, openCopy } = logsOfEachTest(openIn);

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
