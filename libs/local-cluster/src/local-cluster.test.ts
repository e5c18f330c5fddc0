import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ControlClient } from './control-client';
import { serveControl } from './control-server';
import type { ControlHandlers } from './control-protocol';
import { LocalCluster } from './local-cluster';
import { runsDir, startTicksOf, writeRecord } from './run-record';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'skein-local-cluster-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** A run whose supervisor lives: it is this process. */
function runs(name: string): void {
  const mark = { pid: process.pid, startTicks: startTicksOf(process.pid) ?? '' };
  writeRecord({
    name,
    dataDir: join(runsDir(home), name),
    outer: mark,
    supervisor: mark,
    url: 'http://127.0.0.1:8480',
    natsUrl: 'nats://127.0.0.1:4222',
    natsCreds: '',
    userNamespace: false,
    startedAt: 0,
  });
}

/** Where nothing is in the way, it fails for want of the programs that it needs. */
const start = (name: string) =>
  LocalCluster.start({
    ...{ home, name, path: '', hosts: 1, managers: 1, httpPort: 0, natsPort: 0 },
    ...{ orAnyPort: true, attached: false, ephemeral: false, restart: false },
    progress: () => undefined,
  });

describe('a cluster that stays', () => {
  it.each([
    ['local', 'local'],
    ['local', 'single'],
    ['single', 'local'],
  ])('while %s runs, %s is refused and told how to end it', async (running, name) => {
    runs(running);
    await expect(start(name)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('a local cluster runs already: http://127.0.0.1:8480'),
      facts: { hint: expect.stringContaining('skein down') },
    });
  });
});

describe('the control socket', () => {
  it('says in a sentence what does not fit', async () => {
    const path = join(home, 'control.sock');
    const server = await serveControl(path, {} as ControlHandlers);
    const client = await ControlClient.connect(path);
    try {
      await expect(client.call('addContainer', { name: 'x/../y' })).rejects.toMatchObject({
        code: 'invalid_request',
        field: 'name',
        message: "name: expected a–z 0–9 -, at most 63, as in 'web-1'",
      });
    } finally {
      client.close();
      server.close();
    }
  });
});
