// What a command prints: JSON for programs or text for people, on standard output; a spinner for what takes over a second, on
// standard error and on terminals only.

import pc from 'picocolors';
import { table, type Cell } from './table';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const quietMs = 1_000;

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
