import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Stack } from '../support/stack';

let stack: Stack;

beforeAll(async () => {
  stack = await Stack.start();
  const made = await stack.call('POST', '/v1/networks', {
    name: 'web',
    subnets: [{ cidr: '10.77.0.0/28', reserved: { printer: '10.77.0.9' } }],
  });
  expect(made.status).toBe(201);
  const endpoint = { host: 'h1', name: 'taken', addresses: ['10.77.0.5'] };
  expect((await stack.call('POST', '/v1/networks/web/endpoints', endpoint)).status).toBe(201);
}, 60_000);

afterAll(async () => {
  await stack?.stop();
}, 30_000);

/** The committed state apart from what lives by leases. */
async function committed(): Promise<unknown> {
  const { body } = await stack.call('GET', '/v1/kv?prefix=/skein/&limit=10000');
  const kvs = body.kvs as { key: string; value: string }[];
  return kvs
    .filter(({ key }) => !/^\/skein\/(actor|host|idempotency)\//.test(key))
    .map(({ key, value }) => [key, value]);
}

const endpoints = '/v1/networks/web/endpoints';

/** Method, path, body, expected status, code, field. */
const refused: [string, string, string, unknown, number, string, string?][] = [
  ['an unknown network', 'GET', '/v1/networks/nope', undefined, 404, 'network_not_found'],
  [
    'an endpoint on an unknown network',
    'POST',
    '/v1/networks/nope/endpoints',
    { host: 'h1' },
    404,
    'network_not_found',
  ],
  ['an unknown host', 'POST', endpoints, { host: 'h9' }, 404, 'host_not_found'],
  ['an unknown endpoint', 'GET', `${endpoints}/nope`, undefined, 404, 'endpoint_not_found'],
  ['an unknown address', 'GET', '/v1/addresses/10.77.0.12', undefined, 404, 'address_not_found'],
  ['a network name twice', 'POST', '/v1/networks', { name: 'web' }, 409, 'network_name_taken'],
  [
    'an endpoint name twice',
    'POST',
    endpoints,
    { host: 'h2', name: 'taken' },
    409,
    'endpoint_name_taken',
  ],
  [
    'a malformed subnet',
    'POST',
    '/v1/networks',
    { name: 'n1', subnets: [{ cidr: '10.0.0.0/33' }] },
    400,
    'subnet_malformed',
    'subnets.0.cidr',
  ],
  [
    'host bits in a subnet',
    'POST',
    '/v1/networks',
    { name: 'n1', subnets: [{ cidr: '10.0.0.5/24' }] },
    400,
    'subnet_malformed',
    'subnets.0.cidr',
  ],
  [
    'an overlapping subnet',
    'POST',
    '/v1/networks',
    { name: 'n1', subnets: [{ cidr: '10.77.0.0/24' }] },
    409,
    'subnet_overlap',
    'subnets.0.cidr',
  ],
  [
    'an address outside its subnet',
    'POST',
    endpoints,
    { host: 'h1', addresses: ['10.78.0.5'] },
    422,
    'address_outside_subnet',
  ],
  [
    'an address that is taken',
    'POST',
    endpoints,
    { host: 'h2', addresses: ['10.77.0.5'] },
    409,
    'address_taken',
  ],
  [
    'a reserved address',
    'POST',
    endpoints,
    { host: 'h2', addresses: ['10.77.0.9'] },
    409,
    'address_reserved',
  ],
  [
    'the gateway as an address',
    'POST',
    endpoints,
    { host: 'h2', addresses: ['10.77.0.1'] },
    409,
    'address_reserved',
  ],
  [
    'an address that is none',
    'POST',
    endpoints,
    { host: 'h2', addresses: ['10.77.0.300'] },
    400,
    'invalid_request',
  ],
  [
    'a value of the wrong type',
    'POST',
    '/v1/networks',
    { name: 7 },
    400,
    'invalid_request',
    'name',
  ],
  [
    'a name that is no label',
    'POST',
    '/v1/networks',
    { name: 'Web Site' },
    400,
    'invalid_request',
    'name',
  ],
  [
    'an unknown field',
    'POST',
    '/v1/networks',
    { name: 'n1', colour: 'red' },
    400,
    'invalid_request',
  ],
  ['no body', 'POST', '/v1/networks', undefined, 400, 'invalid_request'],
  ['a bad limit', 'GET', '/v1/networks?limit=-3', undefined, 400, 'invalid_request', 'limit'],
  [
    'a network with endpoints, to delete',
    'DELETE',
    '/v1/networks/web',
    undefined,
    409,
    'network_in_use',
  ],
  ['a path that is none', 'GET', '/v1/nothing', undefined, 404, 'route_not_found'],
];

describe('bad input through the gateway', () => {
  it.each(refused.map(([what, ...rest]) => [what, rest] as const))(
    '%s gets its typed error and changes nothing',
    async (_, [method, path, body, status, code, field]) => {
      const before = await committed();
      const answer = await stack.call(method, path, body);
      expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code });
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      if (field !== undefined) expect(answer.body.field).toBe(field);
      expect(await committed()).toEqual(before);
    },
  );

  it('a full subnet says how full it is and who holds it', async () => {
    const made = await stack.call('POST', '/v1/networks', {
      name: 'tiny',
      subnets: [{ cidr: '10.79.0.0/30' }],
    });
    expect(made.status).toBe(201);
    const first = await stack.call('POST', '/v1/networks/tiny/endpoints', { host: 'h1' });
    expect(first.status).toBe(201);
    const before = await committed();
    const second = await stack.call('POST', '/v1/networks/tiny/endpoints', { host: 'h1' });
    expect(second.body).toMatchObject({ status: 409, code: 'pool_exhausted' });
    expect(JSON.stringify(second.body)).toContain(first.body.id);
    expect(await committed()).toEqual(before);
  });

  it('a batch with one bad endpoint takes none of it', async () => {
    const before = await committed();
    const batch = {
      endpoints: [
        { host: 'h1', name: 'one' },
        { host: 'h1', name: 'two', addresses: ['10.77.0.5'] },
      ],
    };
    const answer = await stack.call('POST', `${endpoints}:batch`, batch);
    expect(answer.body).toMatchObject({ status: 409, code: 'address_taken' });
    expect(await committed()).toEqual(before);
  });

  it('a host that is not up is refused by name', async () => {
    await stack.cluster.control.call('kill', { process: 'agent-h3' });
    const deadline = Date.now() + 20_000;
    let state = 'up';
    while (state === 'up' && Date.now() < deadline)
      state = (await stack.call('GET', '/v1/hosts/h3')).body.state;
    const answer = await stack.call('POST', endpoints, { host: 'h3' });
    expect(answer.body).toMatchObject({ status: 409, code: 'host_not_up' });
    await stack.cluster.control.call('start', { process: 'agent-h3' });
  }, 40_000);

  const authorization = () => ({ authorization: `Bearer ${stack.cluster.token}` });
  const json = () => ({ ...authorization(), 'content-type': 'application/json' });

  it('a body that is not JSON', async () => {
    const answer = await stack.raw('POST', '/v1/networks', { headers: json(), body: '{"name": ' });
    expect(answer.body).toMatchObject({ status: 400, code: 'malformed_json' });
  });

  it('a body that is too large', async () => {
    const body = JSON.stringify({ name: 'n1', labels: { big: 'x'.repeat(3_000_000) } });
    const answer = await stack.raw('POST', '/v1/networks', { headers: json(), body });
    expect(answer.body).toMatchObject({ status: 413, code: 'payload_too_large' });
  });

  it('a body of another type', async () => {
    const headers = { ...authorization(), 'content-type': 'text/plain' };
    const answer = await stack.raw('POST', '/v1/networks', { headers, body: 'name=web' });
    expect(answer.body).toMatchObject({ status: 415, code: 'unsupported_media_type' });
  });

  it.each([
    ['no token', {}],
    ['a wrong token', { authorization: 'Bearer wrong' }],
  ])('%s', async (_, headers) => {
    const answer = await stack.raw('GET', '/v1/networks', {
      headers: headers as Record<string, string>,
    });
    expect(answer.body).toMatchObject({ status: 401, code: 'unauthenticated' });
  });
});

describe('bad input through NATS', () => {
  const text = new TextEncoder();

  it.each([
    'skein.v1.ipam.create-network',
    'skein.v1.registry.create-endpoints',
    'skein.v1.store.put',
    'skein.v1.consensus.m1.status',
  ])('a message on %s that is not JSON gets malformed_json', async (subject) => {
    const reply = await stack.nats.request(subject, text.encode('not json'), { timeout: 3_000 });
    expect(reply.headers?.get('Nats-Service-Error')).toBe('malformed_json');
    expect(reply.json()).toMatchObject({ code: 'malformed_json' });
  });

  it('an unknown field gets invalid_request with its name', async () => {
    const reply = await stack.nats.request(
      'skein.v1.ipam.create-network',
      '{"name":"n1","colour":"red"}',
      { timeout: 3_000 },
    );
    expect(reply.json()).toMatchObject({ code: 'invalid_request' });
    expect(JSON.stringify(reply.json())).toContain('colour');
  });
});
