// `--watch` on lists: a line of JSON whenever something is different, and a screen that is written over for people.

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { home } from '../support/skein-command';
import { Stack } from '../support/stack';
import { lackingTmux, TerminalWindow } from '../support/tmux';
import { describeWherePossible } from '../support/where-possible';

const cli = join(home, 'dist', 'cli.js');
let stack: Stack;

beforeAll(async () => {
  stack = await Stack.start({ hosts: 1, managers: 1, single: true });
}, 60_000);

const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

afterAll(async () => {
  await stack?.stop();
}, 30_000);

const environment = () => ({ SKEIN_URL: stack.cluster.url, SKEIN_TOKEN: stack.cluster.token });

/** `skein … --watch --json`: its lines as they come. */
class Watching {
  readonly lines: string[] = [];
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  #wake: () => void = () => undefined;

  constructor(...args: readonly string[]) {
    this.child = spawn(process.execPath, ['--no-warnings', cli, ...args, '--watch', '--json'], {
      env: { ...process.env, ...environment() },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    running.add(this.child);
    this.child.once('close', () => running.delete(this.child));
    if (this.child.stdout !== null)
      createInterface({ input: this.child.stdout }).on('line', (line) => {
        this.lines.push(line);
        this.#wake();
      });
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
  }

  /** The first line that holds this. */
  async says(wanted: string): Promise<unknown> {
    for (;;) {
      const found = this.lines.find((line) => line.includes(wanted));
      if (found !== undefined) return JSON.parse(found);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

describe('a list that is watched', () => {
  it('prints a line for each state, soon after it came to be', async () => {
    const watching = new Watching('network', 'ls');
    expect(await watching.says('networks')).toEqual({ networks: [] });
    await stack.call('POST', '/v1/networks', { name: 'web' });
    const from = performance.now();
    expect(await watching.says('"web"')).toMatchObject({ networks: [{ name: 'web' }] });
    // Events tell it: the look now and then comes after five seconds.
    expect(performance.now() - from).toBeLessThan(4_500);
    await stack.call('DELETE', '/v1/networks/web');
    await stack.call('POST', '/v1/networks', { name: 'other' });
    await watching.says('"other"');
    watching.child.kill('SIGINT');
    expect(await watching.ended).toBe(0);
    // Nothing is said twice.
    expect(watching.lines.every((line, index) => line !== watching.lines[index - 1])).toBe(true);
  }, 30_000);

  it.each([
    ['endpoint', 'ls', 'other'],
    ['network', 'addresses', 'other'],
  ])(
    '%s %s shows who came',
    async (...args) => {
      const watching = new Watching(...args);
      await watching.says('{');
      const name = `by-${args[0]}`;
      await stack.call('POST', '/v1/networks/other/endpoints', { host: 'h1', name });
      await watching.says(args[0] === 'endpoint' ? name : '"used":');
      watching.child.kill('SIGINT');
      expect(await watching.ended).toBe(0);
    },
    30_000,
  );

  it('ends as the list does where there is nothing to watch', async () => {
    const watching = new Watching('service', 'ls', 'nowhere');
    expect(await watching.ended).toBe(3);
  }, 30_000);
});

describeWherePossible(lackingTmux, 'a list that is watched in a terminal', () => {
  it('is written over, and ends with Ctrl-C', async () => {
    const window = new TerminalWindow(
      { columns: 100, rows: 20 },
      ['bash', '--norc', '--noprofile'],
      { ...environment(), PS1: 'prompt> ' },
    );
    try {
      await window.shows(/prompt>/);
      window.type(`node --no-warnings ${cli} network ls --watch`);
      window.press('Enter');
      await window.shows(/^other /m);
      for (let n = 1; n <= 30; n += 1)
        await stack.call('POST', '/v1/networks', { name: `many-${n}` });
      await window.shows(/^… \d+ more$/m);
      expect(window.screen().match(/^NAME /gm)).toHaveLength(1);
      window.press('C-c');
      await window.shows(/prompt>\s*$/m);
    } finally {
      window.close();
    }
  }, 60_000);
});
