// A reader's shell: in a folder where `skein` and `./skein` are this clone's command line. Either for one running cluster, or in what
// looks like a clone of the reader's own, whose clusters and their data are nobody else's.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalCluster } from '@skein/local-cluster';
import { home } from '../support/skein-command';
import { freePort } from '../support/nats-server';

export interface Typed {
  readonly code: number | null;
  readonly said: string;
}

export class DocumentShell {
  /** Ends what goes on, whether its test came to that or not. */
  readonly #interrupts: (() => Promise<string>)[] = [];

  private constructor(
    readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  static open({ url, token }: Pick<LocalCluster, 'url' | 'token'>): DocumentShell {
    const folder = mkdtempSync(join(tmpdir(), 'skein-reader-'));
    return DocumentShell.#in(folder, { SKEIN_HOME: home, SKEIN_URL: url, SKEIN_TOKEN: token });
  }

  /** A clone without a cluster; `up` in it takes ports that are free. */
  static async clone(): Promise<DocumentShell> {
    const folder = mkdtempSync(join(tmpdir(), 'skein-clone-'));
    for (const part of ['dist', 'node_modules', 'prisma']) {
      symlinkSync(join(home, part), join(folder, part));
    }
    mkdirSync(join(folder, '.skein'));
    symlinkSync(join(home, '.skein/tools'), join(folder, '.skein/tools'));
    const ports = `--port ${await freePort()} --nats-port ${await freePort()}`;
    const up = `[ "$1" = up ] && set -- "$@" ${ports}`;
    return DocumentShell.#in(folder, { SKEIN_HOME: folder }, up);
  }

  static #in(folder: string, env: NodeJS.ProcessEnv, first = ''): DocumentShell {
    const program = `exec '${process.execPath}' --no-warnings '${join(home, 'dist/cli.js')}' "$@"`;
    writeFileSync(join(folder, 'skein'), `#!/bin/sh\n${first}\n${program}\n`, { mode: 0o755 });
    const PATH = `${folder}:${process.env['PATH'] ?? ''}`;
    return new DocumentShell(folder, { PATH, ...env });
  }

  /** A command that asks needs a terminal, and somebody who says yes. */
  type(line: string, { agrees }: { agrees: boolean } = { agrees: false }): Promise<Typed> {
    const [program = '', ...args] = agrees
      ? ['script', '-q', '-e', '-c', line, '/dev/null']
      : ['sh', '-c', line];
    const child = spawn(program, args, { cwd: this.folder, env: this.env });
    if (agrees) child.stdin.write('y\n');
    else child.stdin.end();
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    }
    return new Promise((resolve) => {
      child.once('close', (code) => resolve({ code, said }));
    });
  }

  /**
   * In a second window, once the cluster has one more reader of events; `interrupt` is Ctrl-C there, and answers all that it
   * said.
   */
  async watch(line: string): Promise<{ interrupt(): Promise<string> }> {
    const before = await this.#eventReaders();
    const child = spawn('sh', ['-c', `exec ${line}`], { cwd: this.folder, env: this.env });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const ended = new Promise((resolve) => child.once('close', resolve));
    const interrupt = async (): Promise<string> => {
      child.kill('SIGINT');
      await ended;
      return said;
    };
    this.#interrupts.push(interrupt);
    while ((await this.#eventReaders()) <= before) await delay(50);
    return { interrupt };
  }

  async #eventReaders(): Promise<number> {
    const cluster = await this.cluster();
    cluster.control.close();
    const metrics = await (await fetch(`${cluster.url}/metrics`)).text();
    return Number(/^skein_event_readers (\d+)$/m.exec(metrics)?.[1]);
  }

  /** The reader's own cluster; throws if none runs. */
  async cluster(): Promise<LocalCluster> {
    const found = await LocalCluster.find(this.folder, 'local');
    if (found === null) throw new Error('no cluster runs in this clone');
    return found;
  }

  async close(): Promise<void> {
    for (const interrupt of this.#interrupts) await interrupt();
    if (this.env['SKEIN_URL'] === undefined) await this.type('./skein down --purge');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
