// A reader's shell: in an empty folder where `skein` and `./skein` are this clone's command line, for one running cluster.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LocalCluster } from '@skein/local-cluster';
import { home } from '../support/skein-command';

export class DocumentShell {
  private constructor(
    private readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  static open({ url, token }: Pick<LocalCluster, 'url' | 'token'>): DocumentShell {
    const folder = mkdtempSync(join(tmpdir(), 'skein-reader-'));
    const program = `exec '${process.execPath}' --no-warnings '${join(home, 'dist/cli.js')}' "$@"`;
    writeFileSync(join(folder, 'skein'), `#!/bin/sh\n${program}\n`, { mode: 0o755 });
    const PATH = `${folder}:${process.env['PATH'] ?? ''}`;
    const env = { PATH, SKEIN_HOME: home, SKEIN_URL: url, SKEIN_TOKEN: token };
    return new DocumentShell(folder, env);
  }

  /** A command that asks needs a terminal, and somebody who says yes. */
  type(
    line: string,
    { agrees }: { agrees: boolean },
  ): Promise<{ code: number | null; said: string }> {
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

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
