// The links between replicas and the NATS server, as a test commands them: cut whole or one way, healed with what was held back
// delivered late, or lost.

import { spawn, type ChildProcess } from 'node:child_process';
import type { LinkOpened, LinkOrder } from './link-proxy';

/** What still goes through. */
export type LinkState = 'whole' | 'cut' | 'deaf' | 'mute';

export class Links {
  private readonly ports = new Map<string, number>();
  private readonly opening = new Map<string, (port: number) => void>();

  private constructor(private readonly child: ChildProcess) {
    child.on('message', ({ link, port }: LinkOpened) => {
      this.ports.set(link, port);
      this.opening.get(link)?.(port);
    });
  }

  static start(program: string, natsPort: number): Links {
    const child = spawn(process.execPath, [program], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { SKEIN_TEST_NATS_PORT: String(natsPort) },
    });
    return new Links(child);
  }

  /** The address by which this replica reaches the server. */
  async url(link: string): Promise<string> {
    const port =
      this.ports.get(link) ??
      (await new Promise<number>((resolve) => {
        this.opening.set(link, resolve);
        this.order({ kind: 'open', link, up: true, down: true, drop: false });
      }));
    return `nats://127.0.0.1:${port}`;
  }

  /** `deaf` hears nothing and can speak, `mute` is the opposite. With `drop` the connection ends: what was held is lost. */
  set(link: string, state: LinkState, drop = false): void {
    const up = state === 'whole' || state === 'deaf';
    const down = state === 'whole' || state === 'mute';
    this.order({ kind: 'set', link, up, down, drop });
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await ended;
  }

  private order(order: LinkOrder): void {
    this.child.send(order);
  }
}
