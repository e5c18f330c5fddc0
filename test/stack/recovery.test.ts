// One fault at a time, with what people must see meanwhile and afterwards: each test leaves the cluster whole.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { kernelFaults, readCommitted, Rest, unrestOf, until } from '@skein/chaos';
import { Stack } from '../support/stack';

const all = ['ipam', 'registry', 'gateway', 'agent-h1', 'agent-h2', 'agent-h3'];
const managers = ['consensus-m1', 'consensus-m2', 'consensus-m3'];
let stack: Stack;

beforeAll(async () => {
  stack = await Stack.start();
  await stack.call('POST', '/v1/networks', { name: 'web', subnets: [{ cidr: '10.78.0.0/24' }] });
  for (const [name, host] of [
    ['one', 'h1'],
    ['two', 'h2'],
  ] as const) {
    const { netns } = await stack.cluster.control.call('addContainer', { name });
    const body = { host, name, sandbox: { netns } };
    expect((await attach(body)).status).toBe(201);
  }
}, 60_000);

afterAll(async () => {
  await stack?.stop();
}, 30_000);

function attach(body: object, wait = 3_000, network = 'web') {
  return stack.call('POST', `/v1/networks/${network}/endpoints?wait=${wait}`, body);
}

/** Who is not well, if that does not end. */
function unrest() {
  const rest = new Rest(stack.cluster.url, stack.cluster.token);
  return until(30_000, () => unrestOf(stack.cluster.control, rest));
}

async function addressOf(name: string): Promise<string> {
  const { body } = await stack.call('GET', `/v1/networks/web/endpoints/${name}`);
  return (body.addresses[0] as string).split('/')[0] as string;
}

/** Pings from one to two while `act` runs; answers how many were lost. */
async function lostDuring(act: () => Promise<void>): Promise<number> {
  const address = await addressOf('two');
  const pinging = stack.cluster.control.call('run', {
    container: 'one',
    argv: ['ping', '-i', '0.1', '-W', '2', address],
    tag: 'pings',
    timeoutMs: 60_000,
  });
  await delay(200);
  await act();
  await stack.cluster.control.call('interrupt', { tag: 'pings' });
  const { stdout } = await pinging;
  const [, sent, received] =
    /(\d+) packets transmitted, (\d+) (?:packets )?received/.exec(stdout) ?? [];
  expect(Number(sent)).toBeGreaterThan(2);
  return Number(sent) - Number(received);
}

async function kill(...processes: string[]): Promise<void> {
  await Promise.all(processes.map((process) => stack.cluster.control.call('kill', { process })));
}

async function start(...processes: string[]): Promise<void> {
  await Promise.all(processes.map((process) => stack.cluster.control.call('start', { process })));
}

async function detach(name: string, network = 'web'): Promise<void> {
  const { status } = await stack.call('DELETE', `/v1/networks/${network}/endpoints/${name}`);
  expect(status).toBe(200);
}

async function attachSoon(name: string): Promise<void> {
  const key = { 'idempotency-key': `${name}-${performance.now()}` };
  const until = performance.now() + 30_000;
  for (;;) {
    const body = { host: 'h1', name };
    const path = '/v1/networks/web/endpoints';
    const { status } = await stack.call('POST', path, body, key).catch(() => ({ status: 0 }));
    if (status === 201) return detach(name);
    if (performance.now() > until) throw new Error(`${name} was not attached: ${status}`);
    await delay(200);
  }
}

describe('recovery', () => {
  it('an attach names the host whose agent stands still, and returns', async () => {
    await stack.cluster.control.call('signal', { process: 'agent-h2', signal: 'SIGSTOP' });
    const began = performance.now();
    const { status, body } = await attach({ host: 'h1', name: 'waits' }, 500);
    const took = performance.now() - began;
    await stack.cluster.control.call('signal', { process: 'agent-h2', signal: 'SIGCONT' });
    expect(status).toBe(201);
    expect(body.behind).toEqual(['h2']);
    expect(took).toBeLessThan(5_000);
    await detach('waits');
  }, 30_000);

  it('an attach whose gateway died is answered with what it made when it is repeated', async () => {
    const path = '/v1/networks/web/endpoints?wait=20000';
    const body = { host: 'h1', name: 'cut-off' };
    const key = { 'idempotency-key': 'cut-off' };
    await stack.cluster.control.call('signal', { process: 'agent-h2', signal: 'SIGSTOP' });
    const cutOff = stack.call('POST', path, body, key).catch(() => undefined);
    const shown = () => stack.call('GET', '/v1/networks/web/endpoints/cut-off');
    let made = await shown();
    for (; made.status !== 200; made = await shown()) await delay(20);
    await kill('gateway');
    await stack.cluster.control.call('signal', { process: 'agent-h2', signal: 'SIGCONT' });
    expect(await cutOff).toBeUndefined();
    await start('gateway');
    const again = await stack.call('POST', path, body, key);
    expect(again).toMatchObject({ status: 201, body: { id: made.body.id, behind: [] } });
    const other = await stack.call('POST', path, { ...body, host: 'h2' }, key);
    expect(other.body.code).toBe('idempotency_key_reused');
    await detach('cut-off');
    const gone = await stack.call('POST', path, body, key);
    expect(gone).toMatchObject({ status: 410, body: { code: 'endpoint_gone', id: made.body.id } });
    expect((await shown()).status).toBe(404);
  }, 60_000);

  it('a sandbox that does not exist is a fault of its own endpoint only', async () => {
    const lost = { host: 'h1', name: 'lost', sandbox: { netns: '/run/netns/none' } };
    const { status, body } = await attach(lost);
    expect(status).toBe(201);
    expect(body.faults).toMatchObject([{ endpointId: body.id, code: 'sandbox_not_found' }]);
    const next = await attach({ host: 'h1', name: 'next' });
    expect(next.body.behind).toEqual([]);
    expect(next.body.faults ?? []).toEqual([]);
    await detach('lost');
    await detach('next');
  }, 30_000);

  it('two networks may have endpoints of one name', async () => {
    await stack.call('POST', '/v1/networks', { name: 'db' });
    expect((await attach({ host: 'h1', name: 'same' }, 3_000, 'db')).status).toBe(201);
    expect((await attach({ host: 'h1', name: 'same' })).status).toBe(201);
    await detach('same', 'db');
    expect((await stack.call('GET', '/v1/networks/web/endpoints/same')).status).toBe(200);
    await detach('same');
    expect((await stack.call('DELETE', '/v1/networks/db')).status).toBeLessThan(300);
  }, 30_000);

  it('a network that is deleted during attaches takes none of them half', async () => {
    await stack.call('POST', '/v1/networks', { name: 'brief' });
    const attaching = [1, 2, 3, 4, 5, 6].map((n) =>
      attach({ host: 'h1', name: `b${n}` }, 3_000, 'brief'),
    );
    await delay(10);
    const deleted = await stack.call('DELETE', '/v1/networks/brief');
    const answers = await Promise.all(attaching);
    const attached = answers.filter(({ status }) => status === 201);
    if (deleted.status < 300) expect(attached).toEqual([]);
    for (const { body } of attached) await detach(body.name as string, 'brief');
    if (deleted.status >= 300) {
      expect(deleted.body.code).toBe('network_in_use');
      expect((await stack.call('DELETE', '/v1/networks/brief')).status).toBeLessThan(300);
    }
  }, 30_000);

  it('NATS gone for a while costs no ping, and the control plane recovers by itself', async () => {
    const lost = await lostDuring(async () => {
      await kill('nats');
      await delay(3_000);
      await start('nats');
      await attachSoon('after-nats');
    });
    expect(lost).toBe(0);
    expect(await unrest()).toEqual([]);
  }, 90_000);

  it('everything killed at once costs no ping, and comes back as it was', async () => {
    const lost = await lostDuring(async () => {
      await kill(...all, ...managers, 'nats');
      await delay(1_500);
      await start('nats');
      await start(...managers, ...all);
      await attachSoon('after-all');
    });
    expect(lost).toBe(0);
    expect(await unrest()).toEqual([]);
  }, 90_000);

  it('leaves nothing wrong behind', async () => {
    const rest = new Rest(stack.cluster.url, stack.cluster.token);
    const faults = await until(10_000, async () => {
      const committed = await readCommitted(rest);
      const kernel = await kernelFaults(stack.cluster.control, committed);
      return [...committed.findings.map(({ message }) => message), ...kernel];
    });
    expect(faults).toEqual([]);
  }, 30_000);
});
