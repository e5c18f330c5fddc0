import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { keys } from '@skein/contracts';
import { silentLogger } from '@skein/messaging';
import { createMemoryStore } from '@skein/store-client';
import { systemTime } from '@skein/time';
import { hostRecord, settled } from '../../../../libs/registry/src/testing/records';
import { Replica } from '../replica';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'skein-registry-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

it('tells by events what was committed, once the replica is on duty', async () => {
  const store = createMemoryStore();
  const told: string[] = [];
  const messenger = {
    publishEvent: ({ noun, verb }: { noun: string; verb: string }) =>
      void told.push(`${noun}.${verb}`),
  };
  const logger = silentLogger;
  const replica = await Replica.open({ store, messenger, time: systemTime, logger, dataDir });
  await replica.start();
  const put = async (state: 'up' | 'down') => {
    const value = JSON.stringify(hostRecord('h1', { state }));
    await store.put({ key: keys.host('h1'), value });
    await settled();
  };
  replica.announcer.speak();
  await put('up');
  await put('down');
  await put('up');
  expect(told).toEqual(['host.up', 'host.down', 'host.up']);
  await replica.close();
});
