// A cluster for a small machine: one process beside NATS, which does what nine do elsewhere.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { demoPrefix, memoryOf, runsDir, singleProcess } from '@skein/local-cluster';
import { home, skein } from '../support/skein-command';
import { Stack } from '../support/stack';

const mostMib = 250;
const endpoints = '/v1/networks/web/endpoints';

let stack: Stack;
let log = '';

beforeAll(async () => {
  stack = await Stack.start({ hosts: 1, managers: 1, single: true, restart: true });
  log = join(stack.cluster.record.dataDir, 'logs', `${singleProcess}.log`);
  expect((await stack.call('POST', '/v1/networks', { name: 'web' })).status).toBe(201);
}, 60_000);

afterAll(async () => {
  await stack?.stop();
}, 30_000);

const processes = async () => (await stack.cluster.control.call('status', {})).processes;

async function attach(name: string): Promise<string> {
  const { control } = stack.cluster;
  const { netns } = await control.call('addContainer', { name });
  const { status, body } = await stack.call('POST', endpoints, {
    host: 'h1',
    name,
    sandbox: { netns },
  });
  expect([status, body.behind]).toEqual([201, []]);
  return (body.addresses[0] as string).split('/')[0] as string;
}

const ping = (container: string, address: string) =>
  stack.cluster.control.call('run', {
    container,
    argv: ['ping', '-c', '1', '-W', '2', address],
    timeoutMs: 10_000,
  });

describe('a cluster in one process', () => {
  let address = '';

  it('is that process and NATS, and takes little memory', async () => {
    const all = await processes();
    expect(all.map(({ name }) => name)).toEqual(['nats', singleProcess]);
    const supervisor = memoryOf(stack.cluster.record.supervisor.pid);
    const kib = all.reduce(
      (sum, { proportionalKib }) => sum + proportionalKib,
      supervisor.proportionalKib,
    );
    expect(kib).toBeGreaterThan(0);
    expect(kib / 1_024).toBeLessThan(mostMib);
  });

  it('attaches, programs the kernel, and finds nothing wrong with itself', async () => {
    await attach('a');
    address = await attach('b');
    expect((await ping('a', address)).code).toBe(0);
    const audit = await stack.call('POST', '/v1/addresses:audit', {});
    expect(audit.body).toMatchObject({ ok: true, findings: [], silent: [] });
  }, 30_000);

  it('keeps what was committed and what the kernel has through kill -9', async () => {
    await stack.cluster.control.call('kill', { process: singleProcess });
    expect((await ping('a', address)).code).toBe(0);
    await stack.cluster.control.call('start', { process: singleProcess });
    const shown = await stack.call('GET', `${endpoints}/b`);
    expect(shown.body.addresses[0]).toContain(address);
    const next = await attach('c');
    expect((await ping('c', address)).code).toBe(0);
    expect(next).not.toBe(address);
  }, 60_000);

  it('ends in order, its parts one after the other', async () => {
    await stack.cluster.control.call('stop', { process: singleProcess });
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ service: 'single', msg: 'stopped' });
    expect(lines.filter((line) => line.includes('"fatal"'))).toEqual([]);
  }, 30_000);
});

describe('a passing cluster', () => {
  it('leaves no folder when its start is called off', async () => {
    const calling = new AbortController();
    const name = `${demoPrefix}called-off-${process.pid}`;
    const starting = Stack.start({
      ...{ name, hosts: 1, managers: 1, single: true },
      progress: () => calling.abort(new Error('not wanted any more')),
      signal: calling.signal,
    });
    await expect(starting).rejects.toThrow('not wanted any more');
    expect(existsSync(join(runsDir(home), name))).toBe(false);
  }, 60_000);
});

describe('skein up --single', () => {
  it('takes one host and no more', async () => {
    const { code, stderr } = await skein('up', '--single', '--hosts', '2', '--port', '1');
    expect(code).toBe(2);
    expect(stderr).toContain('one manager and one host');
  }, 60_000);
});
