// Keeps REGRESSIONS.md honest: it lists everything that it should, and each file that it names exists
// and says which scenario, table or bug it stands for.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const folder = new URL('../', import.meta.url).pathname;
const text = readFileSync(`${folder}REGRESSIONS.md`, 'utf8');

/** The first cell of each row below a heading, and the files that the row names. */
function rowsOf(heading: string): (readonly [string, readonly string[], string])[] {
  const section = text.split('## ').find((part) => part.startsWith(heading)) ?? '';
  const rows = section
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^[-| ]+$/.test(line));
  return rows.slice(1).map((line) => {
    const files = [...line.matchAll(/`([^`]+\.(?:scenario|ts))`/g)].map((match) => match[1] ?? '');
    const [, name = '', ...cells] = line.split('|').map((cell) => cell.trim());
    return [name, files, cells.join(' ')];
  });
}

const read = (file: string): string => {
  expect([file, existsSync(folder + file)]).toEqual([file, true]);
  return readFileSync(folder + file, 'utf8');
};

/** `bug 3`, `Bugs 2 and 3`, also over the end of a comment's line. */
function mentionsBug(file: string, number: string): boolean {
  const words = file.replace(/\s+(?:#|\/\/)?\s*/g, ' ');
  return new RegExp(`[Bb]ugs? (?:\\d+ and )?${number}\\b`).test(words);
}

describe('the index of regressions', () => {
  const scenarios = rowsOf('Interaction scenarios');
  const tables = rowsOf('Tables');
  const bugs = rowsOf('Forty bugs');

  it('is complete', () => {
    expect([scenarios.length, tables.length, bugs.length]).toEqual([28, 13, 40]);
    for (const [name, files] of [...scenarios, ...tables]) {
      expect([name, files.length]).toEqual([name, 1]);
    }
    expect(bugs.map(([number]) => Number(number))).toEqual(bugs.map((_, i) => i + 1));
    for (const [, , where] of bugs) expect(where.length).toBeGreaterThan(20);
  });

  it.each([...scenarios])('finds the scenario %s', (name, files) => {
    for (const file of files) expect(read(file)).toMatch(new RegExp(`etcd-io/raft ${name}\\b`));
  });

  it.each([...tables])('finds the table %s', (name, files) => {
    for (const file of files) expect(read(file)).toMatch(new RegExp(`describe\\('.*\\b${name}\\b`));
  });

  it.each(bugs.filter(([, , where]) => !where.includes('not applicable')))(
    'finds bug %s',
    (number, files) => {
      for (const file of files)
        expect([file, mentionsBug(read(file), number)]).toEqual([file, true]);
    },
  );
});
