// What tools/test.mjs makes of what Jest found out: counted on small suites of its own, as CI and people see it.

import { afterEach, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const limitMs = 60_000;
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const config = `
const base = { rootDir: import.meta.dirname, testEnvironment: 'node', transform: {} };
export default {
  projects: [
    { ...base, displayName: 'fast', testMatch: ['<rootDir>/libs/*.test.cjs'] },
    { ...base, displayName: 'system', testMatch: ['<rootDir>/test/**/*.test.cjs'] },
  ],
};`;

/** Fails, and notes that it ran; from the second time on it passes. */
const once = (name: string) => `
const { appendFileSync, readFileSync } = require('node:fs');
it('${name}', () => {
  appendFileSync(__filename + '.ran', 'x');
  if (readFileSync(__filename + '.ran', 'utf8') === 'x') throw new Error('too late');
});`;
const never = `it('never holds', () => { throw new Error('no'); });`;
/** One is left out on purpose: what the runner counts as skipped is looked at. */
const always = `it('holds', () => undefined); it.skip('is left out', () => undefined);`;

/** Passes once the file of that name beside it runs as well. */
const meets = (own: string, other: string) => `
const { existsSync, writeFileSync } = require('node:fs');
it('meets ${other}', async () => {
  writeFileSync(__dirname + '/${own}', '');
  while (!existsSync(__dirname + '/${other}')) await new Promise((resolve) => setTimeout(resolve, 10));
}, 20000);`;
/** Passes if nothing beside it runs. */
const isAlone = `
const { existsSync, rmSync, writeFileSync } = require('node:fs');
const mark = __dirname + '/running';
it('is alone', async () => {
  expect(existsSync(mark)).toBe(false);
  writeFileSync(mark, '');
  await new Promise((resolve) => setTimeout(resolve, 300));
  rmSync(mark);
});`;

interface Ran {
  readonly code: number;
  readonly lines: readonly string[];
  /** How often the file was run that counts. */
  times(file: string): number;
}

/** A clone with the runner and these test files. */
function run(tests: Record<string, string>, ...args: string[]): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'skein-runner-'));
  folders.push(folder);
  for (const part of ['tools', 'libs', 'test/kernel', 'test/stack'])
    mkdirSync(join(folder, part), { recursive: true });
  cpSync(join(root, 'tools/test.mjs'), join(folder, 'tools/test.mjs'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'jest.config.mjs'), config);
  for (const [name, text] of Object.entries(tests))
    writeFileSync(join(folder, `${name}.test.cjs`), text);
  const { CI: _, ...env } = process.env;
  return new Promise((resolve) => {
    const words = [join(folder, 'tools/test.mjs'), ...args];
    const child = execFile(process.execPath, words, { env }, (_error, stdout) => {
      const times = (file: string): number =>
        readFileSync(join(folder, `${file}.test.cjs.ran`), 'utf8').length;
      resolve({ code: child.exitCode ?? -1, lines: stdout.trimEnd().split('\n'), times });
    });
  });
}

describe('tools/test.mjs', () => {
  it(
    'runs a file of the system ring that failed once more, and tells loudly what passed then',
    async () => {
      const { code, lines } = await run(
        { 'libs/a': always, 'test/stack/flaky': once('comes late'), 'test/kernel/b': always },
        '--retry',
      );
      expect(lines.at(-1)).toBe('3 passed, 0 failed, 2 skipped');
      expect(code).toBe(0);
      const told = lines.indexOf('flaky: comes late');
      expect(lines.slice(told + 1).join('\n')).toMatch(/^ {4}Error: too late/);
      expect(lines.slice(-4, -1).join('\n')).toMatch(/^( +\d+\.\d s {2}(libs|test)\/.*\n?){3}$/);
    },
    limitMs,
  );

  it(
    'has failed when a file fails again, and does not run the fast ring twice',
    async () => {
      const { code, lines, times } = await run(
        {
          'libs/flaky': once('is deterministic'),
          'test/kernel/never': never,
          'test/stack/broken': '(',
        },
        '--retry',
      );
      expect(lines.at(-1)).toBe('0 passed, 3 failed, 0 skipped');
      expect(code).toBe(1);
      expect(times('libs/flaky')).toBe(1);
      expect(lines.join('\n')).not.toContain('flaky:');
    },
    limitMs,
  );

  it(
    'runs two files at a time that bear it, and all others alone',
    async () => {
      const { lines } = await run({
        'test/stack/a': meets('a', 'b'),
        'test/stack/b': meets('b', 'a'),
        'test/kernel/a': isAlone,
        'test/kernel/b': isAlone,
      });
      expect(lines.at(-1)).toBe('4 passed, 0 failed, 0 skipped');
    },
    limitMs,
  );

  it.each([
    ['more than three files failed', 4, ['--retry']],
    ['nobody asked for it', 1, []],
  ])(
    'runs nothing again when %s',
    async (_, count, args) => {
      const names = Array.from({ length: count }, (_, at) => `test/kernel/${at}`);
      const tests = Object.fromEntries(names.map((name) => [name, once(name)]));
      const { code, lines, times } = await run(tests, ...args);
      expect(lines.at(-1)).toBe(`0 passed, ${count} failed, 0 skipped`);
      expect(code).toBe(1);
      expect(names.map(times)).toEqual(names.map(() => 1));
    },
    limitMs,
  );
});
