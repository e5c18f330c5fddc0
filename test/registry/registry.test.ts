// The registry as a process, with a real store, a real ipam and played agents.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from '@nats-io/transport-node';
import {
  addressHistoryContract,
  createEndpointsContract,
  createNetworkContract,
  deleteEndpointContract,
  eventsContract,
  explainContract,
  getHostContract,
  getNetworkContract,
  listEndpointsContract,
  removeHostContract,
  type ReplyOf,
} from '@skein/contracts';
import type { Messenger } from '@skein/messaging';
import { RegistryStack, type PlayedAgent, type Service } from './registry-stack';

let stack: RegistryStack;
let registry: Service;
let messenger: Messenger;
let h1: PlayedAgent;
let h2: PlayedAgent;
let h3: PlayedAgent;

beforeAll(async () => {
  stack = await RegistryStack.start();
  messenger = stack.messenger;
  registry = await stack.registry('registry-1');
  h1 = await stack.agent('h1', 1);
  h2 = await stack.agent('h2', 2);
  h3 = await stack.agent('h3', 3);
  const patient = { retryUnavailable: true };
  await messenger.request(createNetworkContract, { name: 'web' }, patient);
}, 60_000);

afterAll(() => stack?.stop(), 30_000);

function attach(
  host: string,
  fields: object = {},
): Promise<ReplyOf<typeof createEndpointsContract>> {
  const endpoints = [{ host, ...fields }];
  return messenger.request(createEndpointsContract, { network: 'web', endpoints });
}

async function until(condition: () => boolean | Promise<boolean>, limitMs: number): Promise<void> {
  const limit = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > limit) throw new Error('it did not come to be');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function stateOf(host: string): Promise<string> {
  return (await messenger.request(getHostContract, { host }, { retryUnavailable: true })).state;
}

/** Replicas of the registry that answer NATS' own PING. */
async function listed(): Promise<string[]> {
  const people = await connect({ servers: stack.nats.url });
  const answers = await people.requestMany('$SRV.PING.registry', '', {
    strategy: 'timer',
    maxWait: 500,
  });
  const ids: string[] = [];
  for await (const answer of answers) ids.push(answer.json<{ id: string }>().id);
  await people.close();
  return ids;
}

describe('registry', () => {
  it('tells exactly the hosts of a network before an attach returns', async () => {
    const first = await attach('h1', { name: 'a' });
    const second = await attach('h2', { name: 'b' });
    expect([...first.behind, ...second.behind]).toEqual([]);
    for (const agent of [h1, h2]) {
      expect(agent.share.endpoints.map(({ name }) => name).sort()).toEqual(['a', 'b']);
    }
    expect(h3.share.networks).toEqual([]);
  });

  it('explains the way from one to the other', async () => {
    const request = { network: 'web', from: 'a', to: 'b' };
    const explained = await messenger.request(explainContract, request);
    expect(explained.steps.filter(({ ok }) => !ok)).toEqual([]);
    expect(explained.ok).toBe(true);
  });

  it('takes two hundred attaches at once', async () => {
    const startedAt = performance.now();
    const hosts = ['h1', 'h2', 'h3'];
    const attached = await Promise.all(
      Array.from({ length: 200 }, (_, index) => attach(hosts[index % 3]!, { name: `e${index}` })),
    );
    const seconds = (performance.now() - startedAt) / 1_000;
    process.stderr.write(`200 attaches: ${seconds.toFixed(2)} s\n`);
    const addresses = attached.flatMap(({ endpoints }) => endpoints.flatMap((e) => e.addresses));
    expect(new Set(addresses).size).toBe(200);
    expect(attached.flatMap(({ behind }) => behind)).toEqual([]);
    for (const agent of [h1, h2, h3]) expect(agent.share.endpoints).toHaveLength(202);
    process.stderr.write(`resident: ${(await registry.residentMib()).toFixed(0)} MiB\n`);
  }, 30_000);

  it('tells who held an address', async () => {
    const { endpoints } = await attach('h1', { name: 'brief' });
    const [endpoint] = endpoints;
    const address = endpoint!.addresses[0]!.split('/')[0]!;
    const request = { network: 'web', endpoint: 'brief' };
    const { revision } = await messenger.request(deleteEndpointContract, request);
    const now = await messenger.request(addressHistoryContract, { address });
    expect(now.past[0]).toMatchObject({ endpointName: 'brief', network: 'web', host: 'h1' });
    const then = await messenger.request(addressHistoryContract, {
      address,
      atRevision: revision - 1,
    });
    expect(then.holders[0]).toMatchObject({ endpointId: endpoint!.id });
    await expect(
      messenger.request(addressHistoryContract, { address: '192.0.2.200' }),
    ).rejects.toMatchObject({ code: 'address_not_found' });
  });

  it('keeps events that can be read from a revision on', async () => {
    const request = { from: 1, prefix: 'endpoint.', limit: 1_000 };
    const { events } = await messenger.request(eventsContract, request);
    const last = events.at(-1);
    expect(last).toMatchObject({ type: 'endpoint.detached', body: { name: 'brief' } });
    const rest = { ...request, from: last!.revision };
    expect((await messenger.request(eventsContract, rest)).events).toHaveLength(1);
  });

  it('pages through endpoints', async () => {
    const names: string[] = [];
    for (let cursor: string | undefined; ;) {
      const request = { network: 'web', limit: 60, ...(cursor === undefined ? {} : { cursor }) };
      const page = await messenger.request(listEndpointsContract, request);
      names.push(...page.endpoints.map(({ name }) => name));
      cursor = page.cursor;
      if (cursor === undefined) break;
    }
    expect(names).toHaveLength(202);
    expect(new Set(names).size).toBe(202);
  });

  it('commits a host down that fell silent and is called dead, and up again when it returns', async () => {
    await h3.kill();
    for (const agent of [h1, h2]) agent.dead = ['h3'];
    await until(async () => (await stateOf('h3')) === 'down', 10_000);
    await until(() => h1.share.hosts.find(({ id }) => id === 'h3')?.live === false, 10_000);
    await expect(attach('h3')).rejects.toMatchObject({ code: 'host_not_up' });
    expect((await attach('h1', { name: 'while-away' })).behind).toEqual([]);
    for (const agent of [h1, h2]) agent.dead = [];
    await h3.start();
    await until(() => h1.share.hosts.find(({ id }) => id === 'h3')?.live === true, 10_000);
    await until(() => h3.share.endpoints.length === 203, 10_000);
  }, 30_000);

  it('goes on after a crash where it was: nobody is told anything twice, history has no gap', async () => {
    const pushes = h1.pushes;
    await registry.kill('SIGKILL');
    registry = await stack.registry('registry-1');
    await until(async () => (await stateOf('h1')) === 'up', 10_000);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(h1.pushes).toBe(pushes);
    await attach('h1', { name: 'after-crash' });
    const request = { from: 1, prefix: 'history.' };
    expect((await messenger.request(eventsContract, request)).events).toEqual([]);
  }, 30_000);

  it('is replaced by a standby that has followed', async () => {
    const standby = await stack.registry('registry-2');
    expect((await listed()).sort()).toEqual(['registry-1', 'registry-2']);
    await until(async () => (await stateOf('h1')) === 'up', 10_000);
    await registry.kill('SIGTERM');
    const startedAt = performance.now();
    const patient = { retryUnavailable: true };
    const view = await messenger.request(getNetworkContract, { network: 'web' }, patient);
    process.stderr.write(`standby: ${(performance.now() - startedAt).toFixed(0)} ms\n`);
    expect(view.endpoints).toBe(204);
    expect((await attach('h2', { name: 'by-standby' })).behind).toEqual([]);
    const history = await messenger.request(eventsContract, { from: 1, prefix: 'network.' });
    expect(history.events.map(({ type }) => type)).toEqual(['network.created']);
    expect(standby.child.exitCode).toBeNull();
  }, 30_000);

  it('removes a host that is down, with what it held', async () => {
    await expect(messenger.request(removeHostContract, { host: 'h3' })).rejects.toMatchObject({
      code: 'host_in_use',
    });
    await h3.kill();
    for (const agent of [h1, h2]) agent.dead = ['h3'];
    await until(async () => (await stateOf('h3')) === 'down', 20_000);
    const { releasedEndpoints } = await messenger.request(removeHostContract, { host: 'h3' });
    expect(releasedEndpoints).toBe(66);
    await until(() => h1.share.hosts.every(({ id }) => id !== 'h3'), 10_000);
    await expect(stateOf('h3')).rejects.toMatchObject({ code: 'host_not_found' });
  }, 40_000);
});
