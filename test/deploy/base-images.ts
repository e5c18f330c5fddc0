// The images that the deployment's files ask for by name, made of this machine's own programs since none can be pulled.

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addProgram, makeRootFolder, type DockerClient } from '@skein/docker-engines';
import { findProgram } from '@skein/local-cluster';
import { home } from '../support/skein-command';

const tools = ['ip', 'bridge', 'nft', 'ping', 'nsenter', 'unshare', 'mount', 'umount'];

async function importImage(
  engine: DockerClient,
  programs: readonly string[],
  names: readonly string[],
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'skein-base-'));
  try {
    for (const program of programs) addProgram(folder, program);
    makeRootFolder(folder);
    chmodSync(join(folder, 'tmp'), 0o1777);
    const [first = '', ...others] = names;
    await engine.importFolder(folder, first);
    for (const name of others) await engine.run('tag', first, name);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `sh` is the machine's: that of busybox would take its own programs for `ip` and `mount`. */
export async function importBaseImages(engine: DockerClient): Promise<void> {
  const node = ['node:20-bookworm', 'node:20-bookworm-slim'];
  await importImage(engine, [process.execPath, 'sh', ...tools], node);
  const natsServer = findProgram('nats-server', home, process.env['PATH'] ?? '');
  await importImage(engine, [natsServer], ['nats:2.10-alpine']);
}
