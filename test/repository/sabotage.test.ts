// The sabotage lists stay true while the code moves: every entry still finds its line, and the tests named for it exist.
// That the tests catch it is for `skein sabotage` to show.

import { describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Entry {
  readonly id: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly caughtBy: string | readonly string[];
}

const repository = new URL('../..', import.meta.url).pathname;
const folder = join(repository, 'test/sabotage');
const lists = readdirSync(folder).filter((name) => name.endsWith('.json'));
const entries = lists.flatMap((list) =>
  (JSON.parse(readFileSync(join(folder, list), 'utf8')) as Entry[]).map((entry) => ({
    ...entry,
    list,
  })),
);

describe('every sabotage', () => {
  it.each(entries.map((entry) => [entry.id, entry] as const))(
    '%s finds its text exactly once, and its tests',
    (_, { file, find, replace, caughtBy }) => {
      const found = readFileSync(join(repository, file), 'utf8').split(find).length - 1;
      expect({ file, found }).toEqual({ file, found: 1 });
      expect(replace).not.toBe(find);
      const missing = [caughtBy].flat().filter((path) => !existsSync(join(repository, path)));
      expect(missing).toEqual([]);
    },
  );
});

describe('the lists', () => {
  it('name each sabotage once', () => {
    const ids = entries.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)]);
  });

  it.each(['raft.json', 'store.json', 'ipam.json'])('%s breaks ten rules or more', (list) => {
    expect(entries.filter((entry) => entry.list === list).length).toBeGreaterThanOrEqual(10);
  });
});
