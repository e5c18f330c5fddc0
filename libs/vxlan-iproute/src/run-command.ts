// Runs one command with text on its standard input and gathers what it says. Arguments are a list: no shell reads them.

import { spawn } from 'node:child_process';

export interface CommandOutcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command of iproute2 takes milliseconds; one that hangs holds a kernel lock that someone else has. */
export const commandTimeoutMs = 15_000;

/** Never rejects: a command that can't be started is an outcome as well. */
export function runCommand(argv: readonly string[], input: string): Promise<CommandOutcome> {
  const [command, ...args] = argv;
  if (command === undefined) throw new Error('a command is missing');
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
