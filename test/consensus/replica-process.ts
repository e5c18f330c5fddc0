// One replica as a process of its own: started, killed, frozen and asked to end by a test, which can read what it said.
// Knows nothing of the cluster that it belongs to.

import { spawn, type ChildProcess } from 'node:child_process';

/** How much of what a replica says is kept, in characters. */
const keptOutput = 400_000;

export interface ReplicaCommand {
  /** Words before the program: what gives it a disk or a network of its own. */
  readonly wrapper: readonly string[];
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class ReplicaProcess {
  readonly ended: Promise<Ended>;
  private readonly child: ChildProcess;
  private said = '';

  constructor({ wrapper, program, env }: ReplicaCommand) {
    const [command, ...args] = [...wrapper, process.execPath, program];
    this.child = spawn(command ?? '', args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], env });
    const keep = (chunk: Buffer): void =>
      void (this.said = (this.said + chunk.toString()).slice(-keptOutput));
    this.child.stdout?.on('data', keep);
    this.child.stderr?.on('data', keep);
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get output(): string {
    return this.said;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resolves when it has said that it is ready; rejects with what it said if it ends before. */
  async ready(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.child.once('message', () => resolve());
      void this.ended.then(({ code, signal }) =>
        reject(new Error(`the replica ended with ${code ?? signal}\n${this.said.slice(-4_000)}`)),
      );
    });
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.child.kill(signal);
  }

  /** Signals it, and waits until it is gone. One that does not obey within the limit is killed, and that is an error. */
  async end(signal: 'SIGKILL' | 'SIGTERM', limitMs = 15_000): Promise<Ended> {
    if (!this.isRunning) return this.ended;
    let isLate = false;
    const limit = setTimeout(() => {
      isLate = true;
      this.child.kill('SIGKILL');
    }, limitMs);
    this.child.kill(signal);
    const ended = await this.ended;
    clearTimeout(limit);
    if (isLate) throw new Error(`a replica did not end at ${signal}\n${this.said.slice(-4_000)}`);
    return ended;
  }
}
