// The terminal while `skein top` has it: the other screen, no cursor, keys as they are typed. Whatever ends the program short of
// kill -9, the terminal is given back as it was. Of a frame only what has changed is written, at once, so that nothing flickers.

import { writeSync } from 'node:fs';

const enter = '\x1b[?1049h\x1b[?25l\x1b[H\x1b[2J';
const leave = '\x1b[?25h\x1b[?1049l';
/** Terminals that know these show what is between them in one go. */
const [begin, end] = ['\x1b[?2026h', '\x1b[?2026l'];
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

export type Key = 'quit' | 'next' | 'previous' | 'up' | 'down' | 'first' | 'last';

const keys: Readonly<Record<string, Key>> = {
  q: 'quit',
  Q: 'quit',
  '\x03': 'quit',
  '\t': 'next',
  '\x1b[Z': 'previous',
  '\x1b[A': 'up',
  '\x1bOA': 'up',
  k: 'up',
  '\x1b[B': 'down',
  '\x1bOB': 'down',
  j: 'down',
  '\x1b[D': 'first',
  '\x1bOD': 'first',
  '\x1b[C': 'last',
  '\x1bOC': 'last',
};

/** Keys in what came at once: a held arrow sends several. */
export function keysIn(text: string): Key[] {
  const typed = text.match(/\x1b(?:\[|O)[A-Z]|[^]/g) ?? [];
  return typed.flatMap((each) => keys[each] ?? []);
}

export class Terminal {
  #shown: readonly string[] = [];
  #isOpen = false;
  readonly #close = (): void => this.close();
  readonly #onKeys = (bytes: Buffer): void => {
    for (const key of keysIn(bytes.toString())) this.onKey(key);
  };
  readonly #onResize = (): void => {
    this.#shown = [];
    writeSync(1, '\x1b[2J');
    this.onResize();
  };

  constructor(
    private readonly onKey: (key: Key) => void,
    private readonly onResize: () => void,
  ) {}

  get size(): { columns: number; rows: number } {
    const { columns = 80, rows = 24 } = process.stdout;
    return { columns, rows };
  }

  open(): void {
    this.#isOpen = true;
    process.once('exit', this.#close);
    for (const [signal, code] of Object.entries(exitCodes)) {
      process.once(signal, () => {
        this.close();
        process.exit(code);
      });
    }
    process.stdin.setRawMode(true);
    process.stdin.on('data', this.#onKeys);
    process.stdin.resume();
    process.stdout.on('resize', this.#onResize);
    writeSync(1, enter);
  }

  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    const changed = lines.flatMap((line, index) =>
      line === this.#shown[index] ? [] : [`\x1b[${index + 1};1H${line}\x1b[0m\x1b[K`],
    );
    this.#shown = lines;
    if (changed.length > 0) process.stdout.write(`${begin}${changed.join('')}${end}`);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.off('exit', this.#close);
    process.stdin.off('data', this.#onKeys);
    process.stdin.setRawMode(false);
    process.stdin.pause();
    process.stdout.off('resize', this.#onResize);
    writeSync(1, leave);
  }
}
