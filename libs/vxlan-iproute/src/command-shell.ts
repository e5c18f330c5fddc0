// A small shell that starts one command after another: to fork this whole process takes milliseconds in which it answers nobody.
// Arguments and input reach the command as they are, whatever is in them.

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { CommandOutcome } from './run-command';

interface Running {
  readonly resolve: (outcome: CommandOutcome) => void;
  readonly timer: NodeJS.Timeout;
}

export class CommandShell {
  readonly #child: ChildProcessWithoutNullStreams;
  /** Ends what a command has said, and the text that it is given; no command's text has it. */
  readonly #mark = randomBytes(12).toString('hex');
  #stdout: Buffer[] = [];
  #stderr: Buffer[] = [];
  #running: Running | undefined;
  isOpen = true;

  constructor() {
    // A group of its own: a signal from a terminal is for this process, which may have something left to do.
    this.#child = spawn('sh', [], { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    this.#child.stdout.on('data', (part: Buffer) => this.#hear(this.#stdout, part));
    this.#child.stderr.on('data', (part: Buffer) => this.#hear(this.#stderr, part));
    this.#child.stdin.on('error', () => undefined);
    this.#child.once('error', (fault) => this.#lose(fault.message));
    this.#child.once('close', () => this.#lose('the shell has ended'));
    this.#hold(false);
  }

  /** One at a time. Never rejects. `timeoutMs`: then it is killed, and this shell with it. */
  run(argv: readonly string[], input: string, timeoutMs: number): Promise<CommandOutcome> {
    const mark = this.#mark;
    const end = input === '' || input.endsWith('\n') ? '' : '\n';
    const script = [
      `${argv.map(quoted).join(' ')} <<'${mark}'`,
      `${input}${end}${mark}`,
      `printf '${mark} %d\\n' $?; printf '${mark}\\n' >&2`,
      '',
    ].join('\n');
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#kill(), timeoutMs);
      this.#running = { resolve, timer };
      this.#hold(true);
      if (this.isOpen) this.#child.stdin.write(script);
      else this.#lose('the shell has ended');
    });
  }

  end(): void {
    this.isOpen = false;
    this.#child.stdin.end();
  }

  #hear(said: Buffer[], part: Buffer): void {
    said.push(part);
    const running = this.#running;
    if (running === undefined) return;
    const status = this.#statusAtEnd();
    if (status === null || !this.#isMarked(this.#stderr, `${this.#mark}\n`)) return;
    this.#finish(running, status);
  }

  /** Null while the command goes on. */
  #statusAtEnd(): number | null {
    const tail = tailOf(this.#stdout, this.#mark.length + 8);
    const found = new RegExp(`${this.#mark} (\\d+)\\n$`).exec(tail);
    return found === null ? null : Number(found[1]);
  }

  #isMarked(said: readonly Buffer[], mark: string): boolean {
    return tailOf(said, mark.length) === mark;
  }

  #finish({ resolve, timer }: Running, exitCode: number): void {
    const text = (said: readonly Buffer[]) => {
      const whole = Buffer.concat(said).toString('utf8');
      return whole.slice(0, whole.lastIndexOf(this.#mark));
    };
    const outcome = { exitCode, stdout: text(this.#stdout), stderr: text(this.#stderr) };
    clearTimeout(timer);
    this.#running = undefined;
    this.#stdout = [];
    this.#stderr = [];
    this.#hold(false);
    resolve(outcome);
  }

  #lose(fault: string): void {
    this.isOpen = false;
    const running = this.#running;
    if (running === undefined) return;
    clearTimeout(running.timer);
    this.#running = undefined;
    const said = Buffer.concat(this.#stderr).toString('utf8');
    running.resolve({ exitCode: 128, stdout: '', stderr: `${said}${fault}` });
  }

  /** With what it has started. */
  #kill(): void {
    const { pid } = this.#child;
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  }

  /** Only a command that runs keeps this process from ending. */
  #hold(isHeld: boolean): void {
    const { stdin, stdout, stderr } = this.#child;
    for (const each of [this.#child, stdin as Socket, stdout as Socket, stderr as Socket]) {
      if (isHeld) each.ref();
      else each.unref();
    }
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function tailOf(said: readonly Buffer[], length: number): string {
  let tail = '';
  for (let at = said.length - 1; at >= 0 && tail.length < length; at -= 1) {
    tail = `${said[at]?.toString('latin1') ?? ''}${tail}`;
  }
  return tail.slice(-length);
}
