// A real terminal of a chosen size, by tmux: typed into and read as a person would. A server of its own, ended with it.

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

export const lackingTmux: string | null = (() => {
  try {
    execFileSync('tmux', ['-V']);
    return null;
  } catch {
    return 'tmux is not installed';
  }
})();

const patienceMs = 20_000;

export class TerminalWindow {
  /** A server of its own, with nobody's settings. */
  readonly #flags: readonly string[] = [
    '-L',
    `skein-${process.pid}-${randomBytes(3).toString('hex')}`,
    '-f',
    '/dev/null',
  ];

  constructor(
    size: { readonly columns: number; readonly rows: number },
    command: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ) {
    const args = ['new-session', '-d', '-x', String(size.columns), '-y', String(size.rows)];
    execFileSync('tmux', [...this.#flags, ...args, ...command], {
      env: { ...process.env, ...env },
    });
  }

  #tmux(...args: readonly string[]): string {
    return execFileSync('tmux', [...this.#flags, ...args]).toString();
  }

  /** Keys by tmux's names: `Tab`, `C-c`, `Enter`. */
  press(...keys: readonly string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  type(text: string): void {
    this.#tmux('send-keys', '-l', text);
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  screen(): string {
    return this.#tmux('capture-pane', '-p');
  }

  /** What is written to the terminal from now on goes into this file too. */
  record(file: string): void {
    this.#tmux('pipe-pane', `cat > ${file}`);
  }

  /** The screen, once it shows this; throws what it shows instead if that takes too long. */
  async shows(wanted: RegExp): Promise<string> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const screen = this.screen();
      if (wanted.test(screen)) return screen;
      if (performance.now() > deadline) throw new Error(`no ${wanted} on the screen:\n${screen}`);
      await delay(50);
    }
  }

  close(): void {
    this.#tmux('kill-server');
  }
}
