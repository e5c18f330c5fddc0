// One process of the cluster: started with its log file, known to be ready or not, stopped in order or killed at once.

import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SkeinError } from '@skein/contracts';
import { engineAnswers } from '@skein/docker-engines';
import type { ProcessSpec } from './service-list';

const stopTimeoutMs = 6_000;
const engineTimeoutMs = 60_000;

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

  /** The process that the program's name stands for: an engine's own, below the init that it has. */
  get programPid(): number | null {
    const { engine } = this.spec;
    if (engine === undefined || this.#child === null) return this.pid;
    const pid = existsSync(engine.pidFile) ? Number(readFileSync(engine.pidFile, 'utf8')) : 0;
    return pid > 0 ? pid : this.pid;
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
    this.#ready = spec.saysReady
      ? this.#readyMessage(child)
      : spec.engine === undefined
        ? Promise.resolve()
        : this.#answers(child, spec.engine.socket);
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

  async #answers(child: ChildProcess, socket: string): Promise<void> {
    const { name } = this.spec;
    const deadline = performance.now() + engineTimeoutMs;
    while (!(await engineAnswers(socket))) {
      const hasEnded = child.exitCode !== null || child.signalCode !== null;
      if (hasEnded || performance.now() > deadline) {
        const log = join(this.options.logDir, `${name}.log`);
        const how = hasEnded ? 'ended' : `did not answer within ${engineTimeoutMs} ms`;
        throw new SkeinError('unavailable', `${name} ${how}${lastWords(log)}; see ${log}`, {
          facts: { process: name, log },
        });
      }
      await delay(50);
    }
  }

  /** Resolves when the process says so; rejects when it ends before. */
  ready(): Promise<void> {
    return this.#ready;
  }

  async kill(): Promise<void> {
    this.wanted = false;
    const { programPid } = this;
    if (this.#child !== null && programPid !== null) killNow(programPid);
    await this.#exited;
  }

  async stop(): Promise<void> {
    this.wanted = false;
    const child = this.#child;
    if (child === null) return;
    child.kill('SIGTERM');
    const { programPid } = this;
    const limitMs = this.spec.engine === undefined ? stopTimeoutMs : engineTimeoutMs;
    const timer = setTimeout(() => programPid !== null && killNow(programPid), limitMs);
    await this.#exited;
    clearTimeout(timer);
  }
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The last line of a log, as people want to see it at once. */
function lastWords(log: string): string {
  const line = readFileSync(log, 'utf8').trim().split('\n').at(-1) ?? '';
  return line === '' ? '' : ` (${line.slice(0, 300)})`;
}
