// One process of the cluster: started with its log file, known to be ready or not, stopped in order or killed at once.

import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SkeinError } from '@skein/contracts';
import type { ProcessSpec } from './service-list';

const stopTimeoutMs = 6_000;

export interface ServiceProcessOptions {
  readonly logDir: string;
  readonly nsenter: string;
  readonly httpFd: number;
  readonly onExit: (name: string, reason: string) => void;
}

export class ServiceProcess {
  #child: ChildProcess | null = null;
  #ready: Promise<void> = Promise.resolve();
  #exited: Promise<void> = Promise.resolve();
  /** True from start until a stop or kill is asked for: an exit meanwhile is a crash. */
  wanted = false;

  constructor(
    readonly spec: ProcessSpec,
    private readonly options: ServiceProcessOptions,
  ) {}

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get running(): boolean {
    return this.#child !== null;
  }

  start(): void {
    if (this.#child !== null) return;
    const { spec, options } = this;
    const enter =
      spec.netns === undefined ? [] : [options.nsenter, `--net=/run/netns/${spec.netns}`, '--'];
    const [command, ...args] = [...enter, ...spec.command] as [string, ...string[]];
    const log = openSync(join(options.logDir, `${spec.name}.log`), 'a');
    const child = spawn(command, args, {
      env: { PATH: process.env['PATH'] ?? '', ...spec.env },
      stdio: [
        'ignore',
        log,
        log,
        ...(spec.saysReady ? (['ipc'] as const) : []),
        ...(spec.inheritsHttpSocket ? [options.httpFd] : []),
      ],
    });
    closeSync(log);
    this.#child = child;
    this.wanted = true;
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#child = null;
        resolve();
        options.onExit(spec.name, signal ?? `exit code ${code}`);
      });
      child.once('error', (error) => {
        this.#child = null;
        resolve();
        options.onExit(spec.name, error.message);
      });
    });
    this.#ready = spec.saysReady ? this.#readyMessage(child) : Promise.resolve();
    this.#ready.catch(() => undefined);
  }

  #readyMessage(child: ChildProcess): Promise<void> {
    return new Promise((resolve, reject) => {
      child.on('message', (message: { type?: string }) => {
        if (message.type === 'ready') resolve();
      });
      child.once('exit', (code, signal) => {
        const log = join(this.options.logDir, `${this.spec.name}.log`);
        reject(
          new SkeinError(
            'unavailable',
            `${this.spec.name} ended (${signal ?? `exit code ${code}`}) before it was ready${lastWords(log)}; see ${log}`,
            {
              facts: { process: this.spec.name, log },
            },
          ),
        );
      });
    });
  }

  /** Resolves when the process says so; rejects when it ends before. */
  ready(): Promise<void> {
    return this.#ready;
  }

  async kill(): Promise<void> {
    this.wanted = false;
    this.#child?.kill('SIGKILL');
    await this.#exited;
  }

  async stop(): Promise<void> {
    this.wanted = false;
    const child = this.#child;
    if (child === null) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    await this.#exited;
    clearTimeout(timer);
  }
}

/** The last line of a log, as people want to see it at once. */
function lastWords(log: string): string {
  const line = readFileSync(log, 'utf8').trim().split('\n').at(-1) ?? '';
  return line === '' ? '' : ` (${line.slice(0, 300)})`;
}
