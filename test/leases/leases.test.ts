// Leases and fencing on the real kernel, with real processes: what a third host hears of an address while its holder's host is
// lost. Hosts are namespaces of one machine, agents are killed and stopped.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '@skein/local-cluster';
import { home } from '../support/skein-command';
import { Stack } from '../support/stack';
import { callOut, firstAt, heardAgain, heardIn, lastAt, listen, slowNft, until } from './beacons';

let stack: Stack;
let folder: string;
/** Path of each container's namespace. */
const netns = new Map<string, string>();

const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'skein-leases-'));
  const path = process.env['PATH'] ?? '';
  writeFileSync(file('nft'), slowNft(folder, findProgram('nft', home, path)));
  chmodSync(file('nft'), 0o755);
  stack = await Stack.start({ path: `${folder}:${path}` });
  await create('vault', 'fence', '10.81.0.0/24');
  await create('shelf', 'keep', '10.82.0.0/24');
  for (const name of ['one', 'two', 'three']) {
    netns.set(name, (await stack.cluster.control.call('addContainer', { name })).netns);
  }
}, 90_000);

afterAll(async () => {
  if (folder !== undefined) rmSync(file('hold'), { force: true });
  await stack?.stop();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}, 30_000);

function create(name: string, onHostLoss: string, cidr: string) {
  return stack.call('POST', '/v1/networks', { name, onHostLoss, subnets: [{ cidr }] });
}

async function attach(network: string, host: string, name: string, container: string, on: string) {
  const sandbox = { netns: netns.get(container) };
  const body = { host, name, addresses: [on], sandbox };
  return stack.call('POST', `/v1/networks/${network}/endpoints`, body);
}

/** Tried until the one before has gone. Answers when it was committed at the earliest. */
async function attachAsSoonAsFree(host: string, name: string, container: string, on: string) {
  return until(
    `${name} has ${on}`,
    async () => {
      const askedAt = Date.now();
      const { status, body } = await attach('vault', host, name, container, on);
      if (status === 201) return askedAt;
      expect([409, 503]).toContain(status);
      expect(['address_taken', 'unavailable', 'deadline_exceeded']).toContain(body.code);
      return undefined;
    },
    60_000,
  );
}

const stateOf = async (host: string) => (await stack.call('GET', `/v1/hosts/${host}`)).body.state;

const isDown = (host: string) =>
  until(`${host} is down`, async () => (await stateOf(host)) === 'down');
const isUp = (host: string) => until(`${host} is up`, async () => (await stateOf(host)) === 'up');

async function linksOf(container: string): Promise<string> {
  const argv = ['ip', '-br', 'link'];
  return (await stack.cluster.control.call('run', { container, argv })).stdout;
}

const kill = (process: string) => stack.cluster.control.call('kill', { process });
const signal = (process: string, what: 'SIGSTOP' | 'SIGCONT') =>
  stack.cluster.control.call('signal', { process, signal: what });
const start = (process: string) => stack.cluster.control.call('start', { process });

describe('a lost host', () => {
  it('with fence falls silent by its kernel alone before its address moves; with keep it keeps all', async () => {
    for (const [network, on] of [
      ['vault', '10.81.0.9'],
      ['shelf', '10.82.0.9'],
    ] as const) {
      const ears = on.replace(/\d+$/, '3');
      expect((await attach(network, 'h1', 'holder', 'one', on)).status).toBe(201);
      expect((await attach(network, 'h3', 'ears', 'three', ears)).status).toBe(201);
    }
    listen(stack, 'three', file('heard'));
    callOut(stack, 'one', 'old', '10.81.0.3');
    callOut(stack, 'one', 'kept', '10.82.0.3');
    callOut(stack, 'two', 'new', '10.81.0.3');
    await heardAgain(file('heard'), 'old', 40);
    await heardAgain(file('heard'), 'kept', 40);

    // A renewal is on its way to the kernel, and held up there, when the agent dies.
    writeFileSync(file('hold'), '');
    await until('a renewal is held up', () => existsSync(file('held')));
    await kill('agent-h1');
    await isDown('h1');
    const movedAt = await attachAsSoonAsFree('h2', 'successor', 'two', '10.81.0.9');
    await heardAgain(file('heard'), 'new', 40);
    const refused = await attach('shelf', 'h2', 'thief', 'two', '10.82.0.9');
    expect(refused.body.code).toBe('address_taken');

    // The one that slept wakes up, and writes what was true before.
    rmSync(file('hold'));
    await until('the late renewal is written', () => existsSync(file('written')));
    await heardAgain(file('heard'), 'new', 80);

    const heard = heardIn(file('heard'));
    expect(lastAt(heard, 'old')).toBeLessThan(movedAt);
    expect(firstAt(heard, 'new')).toBeGreaterThan(lastAt(heard, 'old'));
    const holders = new Set(
      heard.filter(({ at }) => at >= movedAt).map(({ who, from }) => `${who} ${from}`),
    );
    expect([...holders].sort()).toEqual(['kept 10.82.0.9', 'new 10.81.0.9']);
    const kept = await stack.call('GET', '/v1/networks/shelf/endpoints/holder');
    expect(kept.body.state).toBe('suspended');
  }, 120_000);

  it('comes back without what was taken, and with what was kept', async () => {
    await start('agent-h1');
    await isUp('h1');
    const kept = await stack.call('GET', '/v1/networks/shelf/endpoints/holder');
    expect(kept.body).toMatchObject({ state: 'live', addresses: ['10.82.0.9/24'] });
    const gone = await stack.call('GET', '/v1/networks/vault/endpoints/holder');
    expect(gone.body.code).toBe('endpoint_not_found');
    const before = heardIn(file('heard')).length;
    await heardAgain(file('heard'), 'kept', 80);
    const since = heardIn(file('heard')).slice(before);
    expect(new Set(since.map(({ who }) => who))).toEqual(new Set(['kept', 'new']));
  }, 60_000);

  it('is heard all the time if its agent is back before the lease has run out', async () => {
    await kill('agent-h2');
    await start('agent-h2');
    // Longer than a lease: 240 calls at 25 ms.
    await heardAgain(file('heard'), 'new', 240);
    expect(await stateOf('h2')).toBe('up');
    const found = await stack.call('GET', '/v1/networks/vault/endpoints/successor');
    expect(found.body).toMatchObject({ state: 'live', host: 'h2' });
  }, 60_000);

  it('is silenced while its agent stands still, and heard again if that goes on before it is down', async () => {
    await signal('agent-h2', 'SIGSTOP');
    await isDown('h2');
    const count = () => heardIn(file('heard')).length;
    const quietFrom = await until('the successor is silent', () => {
      const at = lastAt(heardIn(file('heard')), 'new');
      return Date.now() - at > 1_000 ? at : undefined;
    });
    expect(count()).toBeGreaterThan(0);
    await signal('agent-h2', 'SIGCONT');
    await isUp('h2');
    const [{ body: hosts }, { body: endpoints }] = await Promise.all([
      stack.call('GET', '/v1/hosts/h2'),
      stack.call('GET', '/v1/networks/vault/endpoints'),
    ]);
    expect(hosts.state).toBe('up');
    const isStillHeld = endpoints.endpoints.some(
      (each: { name: string }) => each.name === 'successor',
    );
    if (isStillHeld) await heardAgain(file('heard'), 'new', 40);
    else expect(lastAt(heardIn(file('heard')), 'new')).toBe(quietFrom);
  }, 60_000);
});

describe('a host that was started anew', () => {
  it('holds nothing of what it held before, and what that was is free', async () => {
    expect((await attach('shelf', 'h2', 'short', 'two', '10.82.0.20')).status).toBe(201);
    const { epoch } = (await stack.call('GET', '/v1/hosts/h2')).body;
    await stack.cluster.control.call('rebootHost', { host: 'h2' });
    await start('agent-h2');
    const back = await until('h2 is up in its next epoch', async () => {
      const { body } = await stack.call('GET', '/v1/hosts/h2');
      return body.state === 'up' && body.epoch === epoch + 1 ? body : undefined;
    });
    expect(back.endpoints).toBe(0);
    const gone = await stack.call('GET', '/v1/networks/shelf/endpoints/short');
    expect(gone.body.code).toBe('endpoint_not_found');
    expect((await attach('shelf', 'h3', 'next', 'three', '10.82.0.20')).status).toBe(201);
  }, 60_000);
});

describe('a host for operators', () => {
  it('is drained: new endpoints are refused, what it has is told', async () => {
    const drained = await stack.call('POST', '/v1/hosts/h1:drain', {});
    expect(drained.body).toMatchObject({
      host: { id: 'h1', isDraining: true, state: 'up' },
      remaining: { counts: { endpoints: 1 }, endpoints: [{ network: 'shelf', name: 'holder' }] },
    });
    const refused = await stack.call('POST', '/v1/networks/shelf/endpoints', { host: 'h1' });
    expect(refused).toMatchObject({ status: 409, body: { code: 'host_draining' } });
    const listed = await stack.call('GET', '/v1/hosts');
    expect(listed.body.hosts.find(({ id }: { id: string }) => id === 'h1').isDraining).toBe(true);
    const back = await stack.call('POST', '/v1/hosts/h1:undrain', {});
    expect(back.body.host.isDraining).toBeUndefined();
  }, 30_000);

  it('is removed: first shown what goes, then refused in the same boot until it is let in again', async () => {
    const preview = await stack.call('DELETE', '/v1/hosts/h1?dryRun=true');
    expect(preview.body.preview).toMatchObject({
      counts: { networks: 1, endpoints: 1, addresses: 1, names: 1 },
      endpoints: [{ network: 'shelf', name: 'holder', addresses: ['10.82.0.9/24'] }],
    });
    await signal('agent-h1', 'SIGSTOP');
    await isDown('h1');
    const gone = await stack.call('DELETE', '/v1/hosts/h1');
    expect(gone).toMatchObject({ status: 200, body: { releasedEndpoints: 1 } });
    const thief = await attach('shelf', 'h2', 'heir', 'two', '10.82.0.9');
    expect(thief.status).toBe(201);
    const again = await stack.call('DELETE', '/v1/hosts/h1');
    expect(again.body.code).toBe('host_not_found');
    expect(await linksOf('one')).toContain('eth');
    await signal('agent-h1', 'SIGCONT');
    await until('it has withdrawn what is no longer its own', async () => {
      return !(await linksOf('one')).includes('eth');
    });
    expect((await stack.call('GET', '/v1/hosts/h1')).body.code).toBe('host_not_found');
    const readmitted = await stack.call('POST', '/v1/hosts/h1:readmit', {});
    expect(readmitted.status).toBe(200);
  }, 60_000);
});
