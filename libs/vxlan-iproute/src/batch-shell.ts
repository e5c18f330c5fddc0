// Processes of `ip`, `bridge` and `nft` that stay for the next batch, since starting one costs more than a hundred rows do. A line
// that must fail ends each batch: its complaint says that everything before it is done. They remember devices by name and keep their
// namespace alive: whoever makes the namespace or its devices anew ends them first.

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Socket } from 'node:net';
import {
  failedLines,
  faultsOf,
  inPlace,
  keyOfPlace,
  textOf,
  type BatchLine,
  type BatchOutcome,
  type ExistingPlace,
} from './batch';
import { commandTimeoutMs, runCommand } from './run-command';

export type Tool = 'ip' | 'bridge' | 'nft';

/** A process that has had nothing to do for this long ends. */
const idleMs = 60_000;
/** One that has met more devices ends after its batch: it remembers each. */
const maxMet = 4_096;
/** Namespaces that have some: those that were used last. */
const maxPlaces = 16;

const commands: Readonly<Record<Tool, readonly string[]>> = {
  ip: ['ip', '-force', '-batch', '-'],
  bridge: ['bridge', '-force', '-batch', '-'],
  nft: ['nft', '-i'],
};

const marks: Readonly<Record<Tool, string>> = {
  ip: 'link show dev skein-no-such',
  bridge: 'fdb show dev skein-no-such',
  nft: 'list table bridge skein-no-such',
};

export class BatchShells {
  /** By place, then by tool; what was used last is last. */
  readonly #shells = new Map<string, Map<Tool, Shell>>();

  /** As `runBatch` where the namespace exists. */
  async run(
    tool: 'ip' | 'bridge',
    place: ExistingPlace,
    lines: readonly BatchLine[],
  ): Promise<BatchOutcome> {
    if (lines.length === 0) return { entered: true, faults: [] };
    const shell = this.#shell(tool, place);
    const { isDone, said, entered, before } = await shell.run(textOf(lines), lines.length);
    if (!isDone) {
      const message = said.trim() || `${tool} ended early`;
      return { entered, faults: lines.map(({ change }) => ({ change, message })) };
    }
    const failures = [...failedLines(said)].map(([at, text]) => [at - before, text] as const);
    // The mark's own is of no line.
    const faults = faultsOf(lines, new Map(failures));
    // What it takes a device's name for may be out of date.
    if (faults.length > 0) void shell.end();
    return { entered: true, faults };
  }

  /** Commands of nft as one transaction; answers what it complains of, or null. */
  async nft(place: ExistingPlace, script: string): Promise<string | null> {
    const line = script.trim().split('\n').join('; ');
    if (line === '') return null;
    const { isDone, said } = await this.#shell('nft', place).run(`${line}\n`, 1);
    if (isDone) return said.trim() === '' ? null : said.trim();
    // Not every build of it listens to a pipe.
    const { exitCode, stderr } = await runCommand(inPlace(place, ['nft', '-f', '-']), script);
    return exitCode === 0 ? null : stderr.trim();
  }

  /** Starts what is not there, so that the next batch finds it. */
  warm(place: ExistingPlace, tools: readonly Tool[]): void {
    for (const tool of tools) this.#shell(tool, place);
  }

  /** Whether one of them may have met this device. */
  hasMet(place: ExistingPlace, device: string): boolean {
    const shells = [...(this.#shells.get(keyOfPlace(place))?.values() ?? [])];
    return shells.some((shell) => shell.hasMet(device));
  }

  /** Resolves when none of this place is left. */
  async end(place: ExistingPlace): Promise<void> {
    const shells = [...(this.#shells.get(keyOfPlace(place))?.values() ?? [])];
    await Promise.all(shells.map((shell) => shell.end()));
  }

  #shell(tool: Tool, place: ExistingPlace): Shell {
    const key = keyOfPlace(place);
    const shells = this.#shells.get(key) ?? new Map<Tool, Shell>();
    this.#shells.delete(key);
    this.#shells.set(key, shells);
    this.#endOldest();
    const known = shells.get(tool);
    if (known?.isOpen === true) return known;
    const shell: Shell = new Shell(tool, place, () => {
      if (shells.get(tool) === shell) shells.delete(tool);
      if (shells.size === 0 && this.#shells.get(key) === shells) this.#shells.delete(key);
    });
    shells.set(tool, shell);
    return shell;
  }

  #endOldest(): void {
    if (this.#shells.size <= maxPlaces) return;
    const [oldest] = this.#shells.values();
    for (const shell of oldest?.values() ?? []) void shell.end();
  }
}

interface Done {
  /** False: it ended before. */
  readonly isDone: boolean;
  readonly entered: boolean;
  /** Complaints. */
  readonly said: string;
  /** Lines that the process had been given before. */
  readonly before: number;
}

interface Running {
  readonly count: number;
  /** Lines that the process had been given before. */
  readonly before: number;
  readonly resolve: (done: Done) => void;
}

class Shell {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<void>;
  readonly #met = new Set<string>();
  #stderr = '';
  #given = 0;
  #running: Running | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;
  isOpen = true;

  constructor(
    private readonly tool: Tool,
    place: ExistingPlace,
    onEnd: () => void,
  ) {
    const [command = '', ...args] = inPlace(place, commands[tool]);
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    this.#child.stdout.resume();
    this.#child.stderr.on('data', (part: Buffer) => this.#hear(part.toString('utf8')));
    this.#child.stdin.on('error', () => undefined);
    this.#ended = new Promise((resolve) => {
      const ended = (): void => {
        this.isOpen = false;
        clearTimeout(this.#idle);
        this.#lose();
        onEnd();
        resolve();
      };
      this.#child.once('error', (fault) => {
        this.#stderr += fault.message;
        ended();
      });
      this.#child.once('close', ended);
    });
    this.#rest();
  }

  /** One batch at a time, in order. */
  run(text: string, count: number): Promise<Done> {
    const done = this.#last.then(() => this.#write(text, count));
    this.#last = done;
    return done;
  }

  hasMet(device: string): boolean {
    return this.#met.has(device);
  }

  end(): Promise<void> {
    this.isOpen = false;
    this.#hold(true);
    void this.#last.then(() => this.#child.stdin.end());
    return this.#ended;
  }

  #write(text: string, count: number): Promise<Done> {
    clearTimeout(this.#idle);
    this.#hold(true);
    for (const [, device = ''] of text.matchAll(/ dev (\S+)/g)) this.#met.add(device);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), commandTimeoutMs);
      const before = this.#given;
      this.#given += count + 1;
      this.#running = {
        count,
        before,
        resolve: (done) => {
          clearTimeout(timer);
          this.#running = undefined;
          this.#stderr = '';
          this.#rest();
          resolve(done);
        },
      };
      if (this.#child.exitCode !== null || this.#child.pid === undefined) this.#lose();
      this.#child.stdin.write(`${text}${marks[this.tool]}\n`);
    });
  }

  #hear(text: string): void {
    this.#stderr += text;
    const running = this.#running;
    if (running === undefined) return;
    const { count, before } = running;
    const end = `Command failed -:${before + count + 1}\n`;
    const isBatch = this.tool !== 'nft';
    const said = isBatch ? (this.#stderr.endsWith(end) ? this.#stderr : null) : this.#saidByNft();
    if (said !== null) running.resolve({ isDone: true, entered: true, said, before });
  }

  /** Null: there is more to come. */
  #saidByNft(): string | null {
    const at = this.#stderr.lastIndexOf(`\n${marks.nft}\n`);
    if (at < 0 || !/\^\s*$/.test(this.#stderr.slice(at))) return null;
    // The line before is what it says of the mark.
    return this.#stderr.slice(0, this.#stderr.lastIndexOf('\n', at - 1) + 1);
  }

  /** It ended before the batch was done. */
  #lose(): void {
    const entered = !/^nsenter:/m.test(this.#stderr);
    this.#running?.resolve({ isDone: false, entered, said: this.#stderr, before: 0 });
  }

  #rest(): void {
    if (!this.isOpen) return;
    if (this.#met.size > maxMet) {
      void this.end();
      return;
    }
    this.#hold(false);
    this.#idle = setTimeout(() => void this.end(), idleMs).unref();
  }

  /** Only one that works keeps this process from ending. */
  #hold(isHeld: boolean): void {
    const { stdin, stdout, stderr } = this.#child;
    for (const each of [this.#child, stdin as Socket, stdout as Socket, stderr as Socket]) {
      if (isHeld) each.ref();
      else each.unref();
    }
  }
}
