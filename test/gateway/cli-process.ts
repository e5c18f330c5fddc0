// The command line as a real process, in a folder whose `.skein/client.json` points at a gateway.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from './gateway-process';

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Record<string, string>;
  readonly stdin?: string;
}

/** A command that goes on until it is told to end. */
export interface Following {
  readonly child: ChildProcess;
  /** Resolves with all output so far once it matches. */
  seen(pattern: RegExp): Promise<string>;
  /** As Ctrl-C does. */
  interrupt(): Promise<Run>;
}

export class CliProcess {
  private constructor(readonly folder: string) {}

  static async prepare(url: string, token: string): Promise<CliProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'skein-cli-'));
    await bundle('cli', folder);
    await mkdir(join(folder, 'work', '.skein'), { recursive: true });
    const path = join(folder, 'work', '.skein', 'client.json');
    await writeFile(path, JSON.stringify({ url, token }));
    return new CliProcess(folder);
  }

  get work(): string {
    return join(this.folder, 'work');
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<Run> {
    const started = this.start(args, options);
    started.child.stdin?.end(options.stdin ?? '');
    return started.ended;
  }

  follow(args: readonly string[], options: RunOptions = {}): Following {
    const { child, ended, output, onOutput } = this.start(args, options);
    const seen = (pattern: RegExp): Promise<string> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (pattern.test(output())) resolve(output());
        };
        onOutput(look);
        void ended.then((run) => reject(new Error(`ended: ${JSON.stringify(run)}`)));
        look();
      });
    return {
      child,
      seen,
      interrupt: () => {
        child.kill('SIGINT');
        return ended;
      },
    };
  }

  private start(args: readonly string[], { env }: RunOptions) {
    const argv = ['--no-warnings', join(this.folder, 'dist/cli.js'), ...args];
    const child = spawn(process.execPath, argv, {
      cwd: this.work,
      env: { PATH: process.env['PATH'], ...env },
    });
    let stdout = '';
    let stderr = '';
    const listeners: (() => void)[] = [];
    child.stdout.on('data', (part: Buffer) => {
      stdout += part.toString();
      for (const listener of listeners) listener();
    });
    child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
    const ended = new Promise<Run>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, stdout, stderr }));
    });
    return {
      child,
      ended,
      output: () => stdout,
      onOutput: (listener: () => void) => void listeners.push(listener),
    };
  }
}
