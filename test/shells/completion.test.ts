// Completion in real shells, typed: each shell in a terminal of its own, with nobody's settings, and Tab.

import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { home } from '../support/skein-command';
import { lackingTmux, TerminalWindow } from '../support/tmux';
import { describeWherePossible } from '../support/where-possible';

let folder: string;
let window: TerminalWindow | undefined;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'skein-shells-'));
  const program = join(folder, 'skein');
  writeFileSync(program, `#!/bin/sh\nexec node --no-warnings ${home}/dist/cli.js "$@"\n`);
  chmodSync(program, 0o755);
});

afterEach(() => {
  window?.close();
  window = undefined;
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function lacking(shell: string): string | null {
  if (lackingTmux !== null) return lackingTmux;
  try {
    execFileSync('sh', ['-c', `command -v ${shell}`]);
    return null;
  } catch {
    return `${shell} is not installed`;
  }
}

const shells = [
  {
    shell: 'bash',
    start: ['bash', '--norc', '--noprofile'],
    load: 'source <(skein completion bash)',
  },
  { shell: 'zsh', start: ['zsh', '-f'], load: 'source <(skein completion zsh)' },
  { shell: 'fish', start: ['fish', '--no-config'], load: 'skein completion fish | source' },
];

/** What is typed before Tab, and what the line is after it. */
const completed: readonly (readonly [string, string])[] = [
  ['skein netw', 'skein network'],
  ['skein network crea', 'skein network create'],
  ['skein network create x --subn', 'skein network create x --subnet'],
  ['skein network ls --wat', 'skein network ls --watch'],
  ['skein host token crea', 'skein host token create'],
  ['skein verify gate', 'skein verify gateway'],
];

for (const { shell, start, load } of shells) {
  describeWherePossible(lacking(shell), `completion in ${shell}`, () => {
    it('completes nouns, verbs, options, names that are short for others, and choices', async () => {
      const path = `${folder}:${process.env['PATH'] ?? ''}`;
      window = new TerminalWindow({ columns: 120, rows: 40 }, start, {
        PATH: path,
        HOME: folder,
        PS1: '> ',
      });
      window.type(`${load}; echo loaded`);
      window.press('Enter');
      await window.shows(/^loaded$/m);
      for (const [typed, whole] of completed) {
        window.type(typed);
        await window.shows(new RegExp(`${typed}`));
        window.press('Tab');
        await window.shows(new RegExp(`${whole}(\\s|$)`, 'm'));
        // What was typed is taken back, not run.
        window.press('C-u');
      }
    }, 120_000);

    it('offers all that can follow', async () => {
      window = new TerminalWindow({ columns: 120, rows: 40 }, start, {
        PATH: `${folder}:${process.env['PATH'] ?? ''}`,
        HOME: folder,
        PS1: '> ',
      });
      window.type(`${load}; echo loaded`);
      window.press('Enter');
      await window.shows(/^loaded$/m);
      window.type('skein host token ');
      window.press('Tab');
      window.press('Tab');
      const screen = await window.shows(/revoke/);
      for (const word of ['create', 'list']) expect(screen).toContain(word);
      expect(screen).not.toContain('transfer');
    }, 60_000);
  });
}
