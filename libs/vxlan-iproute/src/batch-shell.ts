// Processes of `ip` and `bridge` that stay for the next batch of rows, since starting one costs more than a hundred rows do. A
// line that must fail ends each batch: its complaint says that everything before it is done. Whoever changes devices or the
// namespace itself ends them first, for they remember devices by name and keep their namespace alive.

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { failedLines, faultsOf, inPlace, textOf, type BatchLine, type BatchOutcome } from './batch';
import { commandTimeoutMs } from './run-command';

export type Tool = 'ip' | 'bridge';

/** A process that has had nothing to do for this long ends. */
const idleMs = 1_000;

const marks: Readonly<Record<Tool, string>> = {
  ip: 'link show dev skein-no-such',
  bridge: 'fdb show dev skein-no-such',
};

export class BatchShells {
  /** By namespace path, then by tool. */
  readonly #shells = new Map<string, Map<Tool, Shell>>();

  /** As `runBatch` in a namespace that exists. */
  async run(tool: Tool, path: string, lines: readonly BatchLine[]): Promise<BatchOutcome> {
    if (lines.length === 0) return { entered: true, faults: [] };
    const outcome = await this.#shell(tool, path).run(lines);
    // What it takes a device's name for may be out of date.
    if (outcome.faults.length > 0) void this.#shells.get(path)?.get(tool)?.end();
    return outcome;
  }

  /** Resolves when none of this namespace is left. */
  async end(path: string): Promise<void> {
    const shells = [...(this.#shells.get(path)?.values() ?? [])];
    await Promise.all(shells.map((shell) => shell.end()));
  }

  #shell(tool: Tool, path: string): Shell {
    let ofPath = this.#shells.get(path);
    if (ofPath === undefined) this.#shells.set(path, (ofPath = new Map<Tool, Shell>()));
    const known = ofPath.get(tool);
    if (known?.isOpen === true) return known;
    const shells = ofPath;
    const shell: Shell = new Shell(tool, path, () => {
      if (shells.get(tool) === shell) shells.delete(tool);
      if (shells.size === 0 && this.#shells.get(path) === shells) this.#shells.delete(path);
    });
    shells.set(tool, shell);
    return shell;
  }
}

interface Running {
  readonly lines: readonly BatchLine[];
  /** Lines that the process had been given before. */
  readonly before: number;
  readonly resolve: (outcome: BatchOutcome) => void;
}

class Shell {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<void>;
  #stderr = '';
  #given = 0;
  #running: Running | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;
  isOpen = true;

  constructor(
    private readonly tool: Tool,
    path: string,
    onEnd: () => void,
  ) {
    const argv = inPlace({ at: 'existing', path }, [tool, '-force', '-batch', '-']);
    const [command = '', ...args] = argv;
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
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
  }

  /** One batch at a time, in order. */
  run(lines: readonly BatchLine[]): Promise<BatchOutcome> {
    const outcome = this.#last.then(() => this.#write(lines));
    this.#last = outcome;
    return outcome;
  }

  end(): Promise<void> {
    this.isOpen = false;
    void this.#last.then(() => this.#child.stdin.end());
    return this.#ended;
  }

  #write(lines: readonly BatchLine[]): Promise<BatchOutcome> {
    clearTimeout(this.#idle);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), commandTimeoutMs);
      const before = this.#given;
      this.#given += lines.length + 1;
      this.#running = {
        lines,
        before,
        resolve: (outcome) => {
          clearTimeout(timer);
          this.#running = undefined;
          this.#stderr = '';
          this.#idle = setTimeout(() => void this.end(), idleMs).unref();
          resolve(outcome);
        },
      };
      if (this.#child.exitCode !== null || this.#child.pid === undefined) this.#lose();
      this.#child.stdin.write(`${textOf(lines)}${marks[this.tool]}\n`);
    });
  }

  #hear(text: string): void {
    this.#stderr += text;
    const running = this.#running;
    if (running === undefined) return;
    const { lines, before } = running;
    const mark = before + lines.length + 1;
    if (!this.#stderr.endsWith(`Command failed -:${mark}\n`)) return;
    const failures = failedLines(this.#stderr);
    failures.delete(mark);
    const own = new Map([...failures].map(([number, message]) => [number - before, message]));
    running.resolve({ entered: true, faults: faultsOf(lines, own) });
  }

  /** It ended before the batch was done. */
  #lose(): void {
    const running = this.#running;
    if (running === undefined) return;
    const message = this.#stderr.trim() || `${this.tool} ended early`;
    const entered = !/^nsenter:/m.test(this.#stderr);
    running.resolve({ entered, faults: running.lines.map(({ change }) => ({ change, message })) });
  }
}
