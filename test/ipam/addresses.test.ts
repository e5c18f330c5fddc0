// Addresses on a whole cluster: both families on the real kernel, the hosts' own routes as their agents report them, and an audit
// over the real store, the real actors and the real kernels.

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Stack } from '../support/stack';

jest.setTimeout(60_000);

let stack: Stack;
const endpoints = '/v1/networks/both/endpoints';

beforeAll(async () => {
  stack = await Stack.start();
});
afterAll(() => stack?.stop());

const run = (container: string, argv: string[]) =>
  stack.cluster.control.call('run', { container, argv });

async function attach(name: string, host: string): Promise<string[]> {
  const { netns } = await stack.cluster.control.call('addContainer', { name });
  const { status, body } = await stack.call('POST', endpoints, { host, name, sandbox: { netns } });
  expect({ status, body }).toMatchObject({ status: 201, body: { behind: [] } });
  expect(body.faults ?? []).toEqual([]);
  return body.addresses as string[];
}

const put = (key: string, record: object) =>
  stack.call('POST', '/v1/kv/txn', {
    success: [{ type: 'put', key, value: JSON.stringify(record) }],
  });

describe('addresses on a whole cluster', () => {
  it('are of both families, and both reach the other host', async () => {
    const network = { name: 'both', families: ['ipv4', 'ipv6'] };
    expect(await stack.call('POST', '/v1/networks', network)).toMatchObject({ status: 201 });
    const [a, b] = [await attach('aa', 'h1'), await attach('bb', 'h2')];
    expect([...a, ...b].map((text) => text.includes(':'))).toEqual([false, true, false, true]);
    for (const text of b) {
      const target = text.split('/')[0] ?? '';
      const ping = await run('aa', ['ping', '-c', '3', '-i', '0.3', '-W', '2', target]);
      expect(ping).toMatchObject({ code: 0 });
    }
  });

  it('are not those that hosts route themselves, as their agents report', async () => {
    const { body } = await stack.call('GET', '/v1/exclusions');
    const routes = (body.exclusions as { cidr: string; excludedBy: string; host: string }[]).filter(
      ({ excludedBy }) => excludedBy === 'route',
    );
    expect(new Set(routes.map(({ host }) => host))).toEqual(new Set(['h1', 'h2', 'h3']));
    const cidr = routes[0]?.cidr ?? '';
    const wish = { name: 'routed', subnets: [{ cidr }] };
    expect(await stack.call('POST', '/v1/networks', wish)).toMatchObject({
      status: 409,
      body: { code: 'subnet_routed', field: 'subnets.0.cidr', overlaps: cidr },
    });
  });

  it('are audited: store, actors and kernels', async () => {
    const { body } = await stack.call('POST', '/v1/addresses:audit', {});
    expect(body).toMatchObject({ ok: true, findings: [], silent: [] });
    expect(body.examined).toMatchObject({
      networks: 1,
      hosts: 3,
      endpoints: 2,
      actors: 1,
      kernels: 2,
    });
  });

  it('that leaked are found and given back', async () => {
    const { body: network } = await stack.call('GET', '/v1/networks/both');
    const networkId = network.id as string;
    const prefix = `/skein/address/${networkId}/`;
    const { body } = await stack.call('GET', `/v1/kv?prefix=${prefix}&limit=100`);
    const records = (body.kvs as { value: string }[]).map(({ value }) => JSON.parse(value));
    const model = records.find(({ kind }) => kind === 'endpoint') as Record<string, unknown>;
    const leaked = {
      ...model,
      address: '10.0.0.200',
      endpointId: 'gone',
      cause: { request: 'r', at: 1 },
    };
    await put(`${prefix}4-0a0000c8`, leaked);
    const found = await stack.call('POST', '/v1/addresses:audit', { network: 'both' });
    expect(found.body.counts).toMatchObject({ address_without_endpoint: 1 });
    const repaired = await stack.call('POST', '/v1/addresses:audit', { repair: true });
    expect(repaired.body).toMatchObject({ ok: true });
    const { body: usage } = await stack.call('GET', '/v1/networks/both/addresses');
    expect(usage).toMatchObject({ used: 4, resting: 1, reserved: 2 });
    expect((await stack.call('POST', '/v1/addresses:audit', {})).body).toMatchObject({ ok: true });
  });

  it.each<[string, string, string, unknown, number, string]>([
    [
      'an audit of nobody',
      'POST',
      '/v1/addresses:audit',
      { network: 'nobody' },
      404,
      'network_not_found',
    ],
    [
      'an audit with a word',
      'POST',
      '/v1/addresses:audit',
      { repair: 'yes' },
      400,
      'invalid_request',
    ],
    [
      'an audit with what nobody knows',
      'POST',
      '/v1/addresses:audit',
      { lock: 1 },
      400,
      'invalid_request',
    ],
    ['an exclusion of nothing', 'POST', '/v1/exclusions', {}, 400, 'invalid_request'],
    [
      'an exclusion of no prefix',
      'POST',
      '/v1/exclusions',
      { cidr: '10.0.0.1/8' },
      400,
      'subnet_malformed',
    ],
    [
      'an exclusion in use',
      'POST',
      '/v1/exclusions',
      { cidr: '10.0.0.0/8' },
      409,
      'subnet_overlap',
    ],
    [
      'a huge reason',
      'POST',
      '/v1/exclusions',
      { cidr: '10.9.0.0/16', reason: 'x'.repeat(9_999) },
      400,
      'invalid_request',
    ],
    [
      'the end of no exclusion',
      'DELETE',
      '/v1/exclusions?cidr=10.9.0.0/16',
      undefined,
      404,
      'exclusion_not_found',
    ],
    [
      'families of nobody',
      'POST',
      '/v1/networks',
      { name: 'x', families: ['ipx'] },
      400,
      'invalid_request',
    ],
    ['no families', 'POST', '/v1/networks', { name: 'x', families: [] }, 400, 'invalid_request'],
  ])('refuse %s', async (_, method, path, body, status, code) => {
    expect(await stack.call(method, path, body)).toMatchObject({ status, body: { code } });
  });
});
