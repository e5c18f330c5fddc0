// Runs one command with text on its standard input and gathers what it says. Arguments are a list: nothing in them means anything
// to a shell.

import { spawn } from 'node:child_process';
import { CommandShell } from './command-shell';

export interface CommandOutcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command of iproute2 takes milliseconds; one that hangs holds a kernel lock that someone else has. */
export const commandTimeoutMs = 15_000;

/** Longer than this, reading it costs a shell more than starting a process costs us. */
const longestForShell = 32 * 1_024;
/** Commands that run at once: more would only queue for the kernel's one lock. */
const maxShells = 6;
const idle: CommandShell[] = [];
const waiting: ((shell: CommandShell) => void)[] = [];
let busy = 0;

/** Never rejects: a command that can't be started is an outcome as well. */
export async function runCommand(argv: readonly string[], input: string): Promise<CommandOutcome> {
  if (argv.length === 0) throw new Error('a command is missing');
  if (input.length > longestForShell) return startCommand(argv, input);
  const shell = await freeShell();
  const outcome = await shell.run(argv, input, commandTimeoutMs);
  const next = waiting.shift();
  const kept = shell.isOpen ? shell : null;
  if (next !== undefined) next(kept ?? new CommandShell());
  else {
    busy -= 1;
    if (kept !== null) idle.push(kept);
  }
  return outcome;
}

function freeShell(): Promise<CommandShell> | CommandShell {
  if (busy >= maxShells) return new Promise((resolve) => void waiting.push(resolve));
  busy += 1;
  for (let shell = idle.pop(); shell !== undefined; shell = idle.pop()) {
    if (shell.isOpen) return shell;
  }
  return new CommandShell();
}

/** As a child of this process. */
function startCommand(argv: readonly string[], input: string): Promise<CommandOutcome> {
  const [command = '', ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const timer = setTimeout(() => child.kill('SIGKILL'), commandTimeoutMs);
    const finish = (exitCode: number, extra = ''): void => {
      clearTimeout(timer);
      resolve({
        exitCode,
        stdout: Buffer.concat(stdout).toString('utf8'),
        stderr: Buffer.concat(stderr).toString('utf8') + extra,
      });
    };
    child.stdout.on('data', (part: Buffer) => stdout.push(part));
    child.stderr.on('data', (part: Buffer) => stderr.push(part));
    child.on('error', (fault) => finish(127, fault.message));
    child.on('close', (code, signal) => finish(code ?? 128, signal === null ? '' : signal));
    // A command that ends before it has read all of its input closes the pipe: its exit code says enough.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** Calls `work` on each item, at most `limit` at once. */
export async function forEachLimited<Item>(
  items: Iterable<Item>,
  limit: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = [...items];
  const worker = async (): Promise<void> => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, rest.length) }, worker));
}
