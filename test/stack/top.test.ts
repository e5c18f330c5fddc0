// skein top in a real terminal, before a real cluster.

import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { home } from '../support/skein-command';
import { Stack } from '../support/stack';
import { lackingTmux, TerminalWindow } from '../support/tmux';
import { describeWherePossible } from '../support/where-possible';

describeWherePossible(lackingTmux, 'skein top', () => {
  let stack: Stack;
  let folder: string;
  let window: TerminalWindow;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'skein-top-'));
    stack = await Stack.start({ hosts: 1, managers: 1, single: true });
    await stack.call('POST', '/v1/networks', { name: 'web' });
  }, 60_000);

  afterAll(async () => {
    await stack?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  beforeEach(() => {
    window = new TerminalWindow({ columns: 80, rows: 24 }, ['bash', '--norc', '--noprofile'], {
      SKEIN_URL: stack.cluster.url,
      SKEIN_TOKEN: stack.cluster.token,
      PS1: 'prompt> ',
    });
  });

  afterEach(() => window.close());

  async function start(): Promise<void> {
    await window.shows(/prompt>/);
    window.type(`stty -g > ${folder}/before; node --no-warnings ${home}/dist/cli.js top`);
    window.press('Enter');
    await window.shows(/leader m1 .*commits\/s/);
  }

  /** The shell's own screen is back, with the cursor and the settings that it had. */
  async function isGivenBack(): Promise<void> {
    await window.shows(/prompt>\s*$/m);
    window.type(`stty -g > ${folder}/after; echo back`);
    window.press('Enter');
    const screen = await window.shows(/^back$/m);
    expect(screen).not.toMatch(/commits\/s/);
    const [before, after] = ['before', 'after'].map((name) =>
      readFileSync(join(folder, name), 'utf8'),
    );
    expect(after).toBe(before);
  }

  it('fits into 80 by 24, shows what happens as it happens, and takes keys', async () => {
    await start();
    const screen = await window.shows(/web .*1\/254|web .*0\/254/);
    expect(screen).toMatch(/h1 +up/);
    expect(screen).toMatch(/1 of 1 voters alive/);
    expect(screen.trimEnd().split('\n').length).toBeLessThanOrEqual(24);
    await stack.call('POST', '/v1/networks', { name: 'appeared' });
    await window.shows(/network\.created.*\n.*|appeared/);
    await window.shows(/^ {2}appeared +0\/254/m);
    window.press('Tab');
    await window.shows(/^▸ NETWORK/m);
    window.resize(140, 30);
    await window.shows(/HOST .*│ ▸ NETWORK/);
    window.press('q');
    await isGivenBack();
  }, 60_000);

  it('does not flicker: once it stands, nothing is cleared to be drawn again', async () => {
    await start();
    const file = join(folder, 'written');
    window.record(file);
    await stack.call('POST', '/v1/networks', { name: 'still' });
    await window.shows(/^ {2}still /m);
    window.press('Down', 'Up', 'Tab');
    await window.shows(/^▸ NETWORK/m);
    const written = readFileSync(file, 'utf8');
    expect(written).toContain('still');
    expect(written).not.toMatch(/\x1b\[[0-9]?J/);
    window.press('q');
    await isGivenBack();
  }, 60_000);

  it('gives the terminal back on Ctrl-C', async () => {
    await start();
    window.press('C-c');
    await isGivenBack();
  }, 60_000);

  it('gives the terminal back when it is killed', async () => {
    await window.shows(/prompt>/);
    window.type(
      `stty -g > ${folder}/before; (sleep 3; kill $(cat ${folder}/pid)) & sh -c 'echo $$ > ${folder}/pid; exec node --no-warnings ${home}/dist/cli.js top'`,
    );
    window.press('Enter');
    await window.shows(/leader m1/);
    await isGivenBack();
  }, 60_000);

  it('goes on through a gateway that is away', async () => {
    await start();
    await stack.cluster.control.call('kill', { process: 'single' });
    await window.shows(/^The gateway at .* can't be reached/m);
    await stack.cluster.control.call('start', { process: 'single' });
    await window.shows(/^q quits/m);
    window.press('q');
    await isGivenBack();
  }, 60_000);
});
