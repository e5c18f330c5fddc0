// What a command prints: JSON for programs or text for people, on standard output; a spinner for what takes over a second, on
// standard error and on terminals only.

import pc from 'picocolors';
import { table, type Cell } from './table';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const quietMs = 1_000;

const barCells = 24;

export interface Bar {
  at(done: number, total: number, detail?: string): void;
  end(): void;
}

export class Output {
  readonly json: boolean;

  constructor(json: boolean) {
    this.json = json;
  }

  /** The answer itself with `--json`; what `render` makes of it otherwise. */
  show<T>(value: T, render: (value: T) => string): void {
    this.line(this.json ? JSON.stringify(value, null, 2) : render(value));
  }

  line(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  /** For people only. */
  note(text: string): void {
    if (!this.json) process.stderr.write(`${text}\n`);
  }

  table(head: readonly string[], rows: readonly (readonly Cell[])[], none: string): string {
    return rows.length === 0 ? pc.dim(none) : table(head, rows, process.stdout.columns);
  }

  /** In place of what the terminal shows; one below the other elsewhere. */
  screen(text: string): void {
    const { isTTY, rows = 24 } = process.stdout;
    if (!isTTY) {
      this.line(`${text}\n`);
      return;
    }
    const lines = text.split('\n');
    const left = lines.length - (rows - 1);
    const shown = left > 0 ? [...lines.slice(0, rows - 2), pc.dim(`… ${left + 1} more`)] : lines;
    // Written over what was there: cleared first, it would flicker.
    this.line(`\x1b[H${shown.map((line) => `${line}\x1b[K`).join('\n')}\x1b[J`);
  }

  /** A bar on terminals; elsewhere a line now and then. `total` 0: not known. */
  bar(what: string): Bar {
    const { stderr } = process;
    const { json } = this;
    let told = -1;
    return {
      at(done, total, detail = '') {
        if (json) return;
        const part = total > 0 ? Math.max(0, Math.min(1, done / total)) : 0;
        const percent = Math.floor(part * 100);
        if (stderr.isTTY) {
          const filled = Math.round(part * barCells);
          const cells = '█'.repeat(filled) + '░'.repeat(barCells - filled);
          const shown = total > 0 ? `${cells} ${percent} %` : '';
          stderr.write(`\r\x1b[K${what} ${shown} ${detail}`.trimEnd());
        } else if (total > 0 && Math.floor(percent / 25) > told) {
          told = Math.floor(percent / 25);
          stderr.write(`${what}: ${percent} %\n`);
        }
      },
      end() {
        if (!json && stderr.isTTY) stderr.write('\r\x1b[K');
      },
    };
  }

  async progress<T>(what: string, work: Promise<T>): Promise<T> {
    const { stderr } = process;
    if (!stderr.isTTY || this.json) return work;
    let frame = 0;
    const started = performance.now();
    const timer = setInterval(() => {
      if (performance.now() - started < quietMs) return;
      stderr.write(`\r\x1b[K${frames[frame++ % frames.length]} ${what}`);
    }, 100);
    try {
      return await work;
    } finally {
      clearInterval(timer);
      if (frame > 0) stderr.write('\r\x1b[K');
    }
  }
}
