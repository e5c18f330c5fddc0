// Authority on a whole stack: what a host's own credential gets out of real services, how a host joins with a token, and what is
// left to one that was removed.

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHostKey, hostInboxPrefix, inboxPrefixOf } from '@skein/authority';
import * as contracts from '@skein/contracts';
import { credentialsFile, identityDir } from '@skein/local-cluster';
import { parseCredentials } from '@skein/messaging';
import { Stack } from '../support/stack';
import { Attacker } from './attacker';

jest.setTimeout(240_000);

/** Short, so that its end can be waited for; hosts renew theirs while the tests run. */
const credentialTtlMs = 8_000;

let stack: Stack;
const opened: Attacker[] = [];

beforeAll(async () => {
  stack = await Stack.start({ credentialTtlMs });
});
afterAll(async () => {
  await Promise.all(opened.map((attacker) => attacker.close()));
  await stack?.stop();
});

async function openAs(
  credentials: { jwt: () => string; seed: Uint8Array },
  inboxPrefix: string,
): Promise<Attacker> {
  const servers = stack.cluster.record.natsUrl;
  const attacker = await Attacker.connect({ servers, credentials, inboxPrefix });
  opened.push(attacker);
  return attacker;
}

/** Somebody who has taken over this host, and with it all that its agent has. */
function openHost(id: string): Promise<Attacker> {
  const folder = identityDir(stack.cluster.record.dataDir, id);
  const read = (name: string) => readFileSync(join(folder, name), 'utf8').trim();
  const seed = new TextEncoder().encode(read('host.nk'));
  return openAs({ jwt: () => read('host.jwt'), seed }, hostInboxPrefix(id));
}

function openDoor(): Promise<Attacker> {
  const file = credentialsFile(stack.cluster.record.dataDir, 'join');
  return openAs(parseCredentials(readFileSync(file, 'utf8')), inboxPrefixOf('join'));
}

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const limit = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > limit) throw new Error(`${what}: it did not come to pass`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function created(path: string, body: unknown, status = 201): Promise<Record<string, string>> {
  const answer = await stack.call('POST', path, body);
  expect(answer).toMatchObject({ status });
  return answer.body;
}

const stateOf = async (host: string) => (await stack.call('GET', `/v1/hosts/${host}`)).body.state;
const natsLog = () =>
  readFileSync(join(stack.cluster.record.dataDir, 'logs', 'nats.log'), 'utf8').split('\n');

describe('services and agents', () => {
  it('do their work within what they may say and hear', async () => {
    await created('/v1/networks', { name: 'plain' });
    const { id } = await created('/v1/networks/plain/endpoints', { host: 'h1' });
    await stack.call('GET', '/v1/explain?network=plain&from=10.0.0.2&to=10.0.0.2');
    await stack.call('GET', '/v1/cluster');
    await stack.call('DELETE', `/v1/networks/plain/endpoints/${id}`);
    expect(natsLog().filter((line) => /violation/i.test(line))).toEqual([]);
  });

  it('keep working while their credentials are renewed', async () => {
    const folder = identityDir(stack.cluster.record.dataDir, 'h1');
    const read = () => readFileSync(join(folder, 'host.jwt'), 'utf8');
    const first = read();
    await until('a renewal', () => read() !== first);
    const second = read();
    await until('another one', () => read() !== second);
    expect(await Promise.all(['h1', 'h2', 'h3'].map(stateOf))).toEqual(['up', 'up', 'up']);
  });
});

describe('a host that is on no network of a tenant', () => {
  it('learns nothing of it, neither by asking nor by listening, until it takes part', async () => {
    const spy = await openHost('h1');
    for (const subject of ['skein.v1.host-agent.h1.*', '_INBOX.host.h1.>', '$SRV.PING']) {
      expect(await spy.mayHear(subject)).toBe(true);
    }
    const { id: network } = await created('/v1/networks', { name: 'tenant' });
    const path = '/v1/networks/tenant/endpoints';
    const { id: endpoint } = await created(path, { host: 'h2', name: 'secret-name' });
    const traces = [network, endpoint, 'tenant', 'secret-name'].map(String);
    const conversations = (Object.values(contracts) as unknown[]).filter(
      (each): each is contracts.Contract =>
        typeof (each as contracts.Contract)?.servedSubject === 'function',
    );
    const questions = { network: 'tenant', key: '/', prefix: true, host: 'h2', rows: true };
    for (const contract of conversations) {
      const hasToken = contract.speaker !== undefined || contract.perInstance === true;
      for (const token of hasToken ? ['h1', 'h2', 'm1', network] : [undefined]) {
        const asked = spy.ask(contract.subject(token), questions);
        const answer = await asked.catch(() => 'nothing');
        for (const trace of traces) expect(JSON.stringify(answer)).not.toContain(trace);
      }
    }
    const heard = () => spy.heard.map((message) => message.string()).join('\n');
    for (const trace of traces) expect(heard()).not.toContain(trace);
    const { id: own } = await created(path, { host: 'h1', name: 'own-name' });
    await until('its share', () => heard().includes('secret-name'));
    spy.heard.length = 0;
    expect((await stack.call('DELETE', `${path}/${own}`)).status).toBe(200);
    await until('the end of its share', () => heard().includes(String(network)));
    spy.heard.length = 0;
    await created(path, { host: 'h3', name: 'later-name' });
    expect(heard()).not.toContain('later-name');
  });
});

describe('a host that would speak for another', () => {
  it('is refused by the registry on its own subject, by NATS on the other', async () => {
    const h1 = await openHost('h1');
    const { body: h2 } = await stack.call('GET', '/v1/hosts/h2');
    const heartbeat = {
      host: 'h2',
      bootId: h2.bootId,
      programmed: 1,
      digest: '0',
      repairs: {},
      opinions: [],
    };
    const own = 'skein.v1.registry.h1.heartbeat';
    expect(await h1.ask(own, heartbeat)).toMatchObject({ code: 'host_mismatch', field: 'host' });
    expect(await h1.maySay('skein.v1.registry.h2.heartbeat', heartbeat)).toBe(false);
    const { id, name, vtep, gossip, underlayMtu } = h2;
    const registration = { id, name, vtep, gossip, underlayMtu, bootId: 'another-boot' };
    expect(await h1.ask('skein.v1.registry.h1.register-host', registration)).toMatchObject({
      code: 'host_mismatch',
      field: 'id',
    });
    expect((await stack.call('GET', '/v1/hosts/h2')).body).toMatchObject({ bootId: h2.bootId });
    expect(await h1.ask(own, { ...heartbeat, host: 'h1', bootId: 'x' })).toMatchObject({
      registerAgain: true,
    });
  });

  it("finds no reader for another's repairs", async () => {
    const h1 = await openHost('h1');
    const stop = new AbortController();
    const response = await fetch(`${stack.cluster.url}/v1/events?prefix=kernel.`, {
      headers: { authorization: `Bearer ${stack.cluster.token}` },
      signal: stop.signal,
    });
    const told = { at: 1, networkId: 'n', kind: 'fdb', reason: 'planted' };
    const subject = 'skein.v1.event.kernel.repaired.h1';
    expect(await h1.maySay(subject, { ...told, hostId: 'h2' })).toBe(true);
    expect(await h1.maySay(subject, { ...told, hostId: 'h1' })).toBe(true);
    let text = '';
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += new TextDecoder().decode(part);
      if (text.includes('planted')) break;
    }
    stop.abort();
    expect(text).toContain('"hostId":"h1"');
    expect(text).not.toContain('"hostId":"h2"');
  });
});

describe('a join token', () => {
  it('makes one new host of one key, and each refusal has its code', async () => {
    const door = await openDoor();
    const { token, id } = await created('/v1/join-tokens', { ttlMs: 60_000 });
    const { seed, publicKey } = createHostKey();
    const ask = (body: object) => door.ask('skein.v1.registry.join', body);
    const given = await ask({ token, host: 'h9', publicKey });
    const jwt = String(given['jwt']);
    const h9 = await openAs({ jwt: () => jwt, seed }, hostInboxPrefix('h9'));
    expect(await h9.maySay('skein.v1.registry.h9.heartbeat')).toBe(true);
    expect(await h9.maySay('skein.v1.registry.h1.heartbeat')).toBe(false);
    const other = { host: 'h10', publicKey: createHostKey().publicKey };
    expect(await ask({ token, ...other })).toMatchObject({ code: 'join_token_used_up' });
    expect(await ask({ token: 'x', ...other })).toMatchObject({ code: 'join_token_malformed' });
    const damaged = `${publicKey.slice(0, -1)}${publicKey.endsWith('A') ? 'B' : 'A'}`;
    expect(await ask({ token, host: 'h10', publicKey: damaged })).toMatchObject({
      code: 'invalid_request',
      field: 'publicKey',
    });
    const listed = (await stack.call('GET', '/v1/join-tokens')).body.tokens;
    expect(listed).toContainEqual(expect.objectContaining({ id, state: 'used_up' }));
    expect(JSON.stringify(listed)).not.toContain(token);
    const { body: kept } = await stack.call('GET', '/v1/kv?prefix=/skein/&limit=1000');
    expect(JSON.stringify(kept)).not.toContain(token?.split('-').at(-1));
    const revoked = await created('/v1/join-tokens', { host: 'h10' });
    expect((await stack.call('DELETE', `/v1/join-tokens/${revoked['id']}`)).status).toBe(200);
    expect(await ask({ token: revoked['token'], ...other })).toMatchObject({
      code: 'join_token_revoked',
    });
  });
});

describe('a removed host', () => {
  it('has a credential of no use, within its time, and comes back with a new token', async () => {
    const { control, record } = stack.cluster;
    const h3 = await openHost('h3');
    const ended = h3.connection.closed();
    for (const { id, host } of (await stack.call('GET', '/v1/networks/tenant/endpoints')).body
      .endpoints) {
      if (host === 'h3') await stack.call('DELETE', `/v1/networks/tenant/endpoints/${id}`);
    }
    await control.call('stop', { process: 'agent-h3' });
    await until('h3 to be down', async () => (await stateOf('h3')) === 'down');
    expect((await stack.call('DELETE', '/v1/hosts/h3')).status).toBe(200);
    const publicKey = publicKeyOf('h3');
    const register = { id: 'h3', name: 'h3', vtep: '192.0.2.3', gossip: '192.0.2.3:7946' };
    const again = { ...register, underlayMtu: 1_500, bootId: 'next-boot' };
    expect(await h3.ask('skein.v1.registry.h3.register-host', again)).toMatchObject({
      code: 'host_not_joined',
    });
    const door = await openDoor();
    expect(
      await door.ask('skein.v1.registry.renew-credential', { host: 'h3', publicKey }),
    ).toMatchObject({ code: 'host_not_joined' });
    expect(String(await ended)).toMatch(/expired/i);
    // The agent may have left one that is newer by half its time.
    const refused = () => openHost('h3').then(() => '', String);
    await until('its last credential to end', async () =>
      /authoriz|expired/i.test(await refused()),
    );
    const { token } = await created('/v1/join-tokens', { host: 'h3' });
    writeFileSync(join(identityDir(record.dataDir, 'h3'), 'join-token'), `${token}\n`);
    await created('/v1/hosts/h3:readmit', {}, 200);
    await control.call('start', { process: 'agent-h3' });
    await until('h3 to be up', async () => (await stateOf('h3')) === 'up');
  });
});

/** The key that this host has joined with. */
function publicKeyOf(host: string): string {
  const folder = identityDir(stack.cluster.record.dataDir, host);
  const [, claims = ''] = readFileSync(join(folder, 'host.jwt'), 'utf8').split('.');
  return (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { sub: string }).sub;
}
