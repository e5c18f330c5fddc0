// The gateway's contract on a whole stack: what only holds if every service behind the gateway plays along.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Stack, type Answer } from '../support/stack';

let stack: Stack;

beforeAll(async () => {
  stack = await Stack.start();
  const made = await stack.call('POST', '/v1/networks', { name: 'web' });
  expect(made.status).toBe(201);
}, 60_000);

afterAll(async () => {
  await stack?.stop();
}, 30_000);

const ifMatch = (tag: string | null) => ({ 'if-match': tag ?? '' });

async function tagOf(path: string): Promise<string | null> {
  return (await stack.call('GET', path)).headers.get('etag');
}

function statuses(answers: readonly Answer[]): number[] {
  return answers.map(({ status }) => status).sort();
}

describe('If-Match', () => {
  it('lets one of several changes through that have all seen the same', async () => {
    const tag = await tagOf('/v1/networks/web');
    const wanted = [1, 2, 3, 4].map((n) => ({ cidr: `10.20${n}.0.0/24` }));
    const answers = await Promise.all(
      wanted.map((subnet) => stack.call('POST', '/v1/networks/web/subnets', subnet, ifMatch(tag))),
    );
    expect(statuses(answers)).toEqual([201, 412, 412, 412]);
    const refused = answers.find(({ status }) => status === 412);
    expect(refused?.body).toMatchObject({ code: 'precondition_failed', field: 'If-Match' });
    const { body } = await stack.call('GET', '/v1/networks/web');
    expect(body.subnets).toHaveLength(2);
    expect(refused?.body.revision).toBe(body.revision);
  }, 30_000);

  it('guards endpoints, networks and hosts alike', async () => {
    await stack.call('POST', '/v1/networks', { name: 'guarded' });
    const endpoints = '/v1/networks/guarded/endpoints';
    await stack.call('POST', endpoints, { host: 'h1', name: 'a' });
    const paths = [`${endpoints}/a`, '/v1/networks/guarded', '/v1/hosts/h1'];
    for (const path of paths) {
      for (const wrong of ['"1"', '"nonsense"']) {
        const refused = await stack.call('DELETE', path, undefined, ifMatch(wrong));
        expect([path, refused.status]).toEqual([path, 412]);
      }
    }
    for (const path of paths.slice(0, 2)) {
      const gone = await stack.call('DELETE', path, undefined, ifMatch(await tagOf(path)));
      expect([path, gone.status]).toEqual([path, 200]);
    }
  }, 30_000);
});

describe('ETag', () => {
  it('is the revision, on every GET of one thing', async () => {
    await stack.call('POST', '/v1/networks/web/endpoints', { host: 'h1', name: 'tagged' });
    await stack.call('POST', '/v1/networks/web/services', { name: 'tags' });
    const { body: endpoint } = await stack.call('GET', '/v1/networks/web/endpoints/tagged');
    const address = String(endpoint.addresses[0]).split('/')[0];
    for (const path of [
      '/v1/cluster',
      '/v1/cluster/settings',
      '/v1/cluster/replicas/m1',
      '/v1/networks/web',
      '/v1/networks/web/addresses',
      '/v1/networks/web/endpoints/tagged',
      '/v1/networks/web/services/tags',
      '/v1/hosts/h1',
      '/v1/hosts/h1/networks',
      `/v1/addresses/${address}`,
    ]) {
      const { status, headers, body } = await stack.call('GET', path);
      expect([path, status, headers.get('etag')]).toEqual([path, 200, `"${body.revision}"`]);
    }
  }, 30_000);
});

describe('an audit', () => {
  it('finds nothing of a subnet that came to a network in use', async () => {
    await stack.call('POST', '/v1/networks', { name: 'grown' });
    await stack.call('POST', '/v1/networks/grown/endpoints', { host: 'h1', name: 'a' });
    const added = await stack.call('POST', '/v1/networks/grown/subnets', { cidr: '10.199.0.0/24' });
    expect(added.status).toBe(201);
    const { body } = await stack.call('POST', '/v1/addresses:audit', { network: 'grown' });
    expect(body).toMatchObject({ ok: true, findings: [] });
  }, 30_000);
});

describe('services', () => {
  const services = '/v1/networks/web/services';

  it('are named by endpoints, or declared, and go with the last of both', async () => {
    const endpoints = '/v1/networks/web/endpoints';
    for (const [name, host] of [
      ['s1', 'h1'],
      ['s2', 'h2'],
    ]) {
      await stack.call('POST', endpoints, { host, name, service: 'api' });
    }
    const shown = await stack.call('GET', `${services}/api`);
    expect(shown.body).toMatchObject({ name: 'api', live: 2, suspended: 0 });
    expect(shown.body.backends.map(({ name }: { name: string }) => name)).toEqual(['s1', 's2']);
    expect((await stack.call('DELETE', `${services}/api`)).body).toMatchObject({
      status: 409,
      code: 'service_in_use',
    });
    for (const name of ['s1', 's2']) await stack.call('DELETE', `${endpoints}/${name}`);
    expect((await stack.call('GET', `${services}/api`)).body.code).toBe('service_not_found');
    const declared = await stack.call('POST', services, { name: 'api' });
    expect(declared.status).toBe(201);
    expect(declared.headers.get('location')).toBe(
      `/v1/networks/${declared.body.networkId}/services/api`,
    );
    expect((await stack.call('POST', services, { name: 'api' })).body.code).toBe('service_exists');
    const withdrawn = await stack.call('DELETE', `${services}/api`, undefined, {
      'if-match': declared.headers.get('etag') ?? '',
    });
    expect(withdrawn.status).toBe(200);
  }, 30_000);

  it('go with their network', async () => {
    const made = await stack.call('POST', '/v1/networks', { name: 'short' });
    await stack.call('POST', '/v1/networks/short/services', { name: 'api' });
    expect((await stack.call('DELETE', '/v1/networks/short')).status).toBe(200);
    const prefix = encodeURIComponent(`/skein/service/${made.body.id}/`);
    expect((await stack.call('GET', `/v1/kv?prefix=${prefix}`)).body.count).toBe(0);
  }, 30_000);
});

async function makeToken(fields: object): Promise<{ id: string; token: string }> {
  const made = await stack.call('POST', '/v1/tokens', fields);
  expect(made.status).toBe(201);
  return made.body;
}

describe('tokens', () => {
  const as = (token: string, method: string, path: string, body?: string) =>
    stack.raw(method, path, {
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
    });

  it('hold roles apart, are kept as digests, and end when they are revoked', async () => {
    const { id, token } = await makeToken({ name: 'ci', role: 'operator' });
    const body = JSON.stringify({ name: 'by-ci' });
    expect((await as(token, 'POST', '/v1/networks', body)).status).toBe(201);
    const refused = await as(
      token,
      'POST',
      '/v1/tokens',
      JSON.stringify({ name: 'x', role: 'admin' }),
    );
    expect(refused.body).toMatchObject({ status: 403, code: 'forbidden', requiredRole: 'admin' });
    const { body: kept } = await stack.call('GET', '/v1/kv?prefix=/skein/token/');
    expect(JSON.stringify(kept)).toContain(id);
    expect(JSON.stringify(kept)).not.toContain(token.slice(-40));
    const { body: listed } = await stack.call('GET', '/v1/tokens');
    const found = listed.tokens.find((each: { id: string }) => each.id === id);
    expect(found).toMatchObject({ name: 'ci', role: 'operator', state: 'usable' });
    expect(found.digest).toBeUndefined();
    expect((await stack.call('DELETE', `/v1/tokens/${id}`)).status).toBe(200);
    const ended = await as(token, 'GET', '/v1/networks');
    expect(ended.body).toMatchObject({ status: 401, code: 'unauthenticated' });
    expect((await stack.call('DELETE', `/v1/tokens/${id}`)).body.code).toBe('token_not_found');
  }, 30_000);

  it('expire', async () => {
    const { token } = await makeToken({ name: 'brief', role: 'viewer', ttlMs: 1_000 });
    let answer: Answer;
    do answer = await as(token, 'GET', '/v1/networks');
    while (answer.status === 200);
    expect(answer.body).toMatchObject({ status: 401, detail: 'The token has expired' });
  }, 30_000);

  it('carry limits of their own, that others do not feel', async () => {
    const slow = await makeToken({
      name: 'slow',
      role: 'operator',
      requestsPerSecond: 5,
      maxBodyBytes: 64,
    });
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => as(slow.token, 'GET', '/v1/networks?limit=1')),
    );
    const limited = answers.filter(({ status }) => status === 429);
    expect(limited.length).toBeGreaterThan(10);
    expect(limited[0]?.body).toMatchObject({ code: 'overloaded', requestsPerSecond: 5 });
    expect(limited[0]?.headers.get('retry-after')).toBe('1');
    expect((await stack.call('GET', '/v1/networks')).status).toBe(200);
    const large = JSON.stringify({ name: 'x'.repeat(80) });
    let tooLarge: Answer;
    do tooLarge = await as(slow.token, 'POST', '/v1/networks', large);
    while (tooLarge.status === 429);
    expect(tooLarge.body).toMatchObject({ code: 'payload_too_large', maxBodyBytes: 64 });
  }, 30_000);
});

describe('lists', () => {
  it.each([
    ['/v1/networks', 'networks'],
    ['/v1/networks/web/endpoints', 'endpoints'],
    ['/v1/networks/web/services', 'services'],
    ['/v1/networks/web/addresses', 'holders'],
    ['/v1/hosts', 'hosts'],
    ['/v1/exclusions', 'exclusions'],
    ['/v1/join-tokens', 'tokens'],
    ['/v1/tokens', 'tokens'],
    ['/v1/leases', 'leases'],
    ['/v1/kv?prefix=/skein/', 'kvs'],
    ['/v1/kv?prefix=', 'kvs'],
  ])(
    '%s are read whole by pages of one or two',
    async (path, noun) => {
      await stack.call('POST', '/v1/networks', { name: 'listed' });
      await stack.call('POST', '/v1/networks/web/services', { name: 'another' });
      await stack.call('POST', '/v1/exclusions', { cidr: '10.250.0.0/16' });
      for (const name of ['one', 'two', 'three']) await makeToken({ name, role: 'viewer' });
      const join = path.includes('?') ? '&' : '?';
      const read = async (limit: number): Promise<string[]> => {
        const seen: string[] = [];
        for (let cursor: string | undefined, pages = 0; pages < 1_000; pages += 1) {
          const next = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
          const { body } = await stack.call('GET', `${path}${join}limit=${limit}${next}`);
          expect(body[noun].length).toBeLessThanOrEqual(limit);
          seen.push(...body[noun].map(identityOf));
          cursor = body.cursor;
          if (cursor === undefined) break;
        }
        return seen;
      };
      const whole = await read(1_000);
      expect(await read(2)).toEqual(whole);
      expect(new Set(whole).size).toBe(whole.length);
    },
    30_000,
  );
});

/** What tells one item of a list from another, whatever it is a list of. */
function identityOf(item: Record<string, unknown>): string {
  const { key, lease, id, name, address, cidr, host, excludedBy, networkId } = item;
  // A host's own lease is another thing, and runs out meanwhile.
  const leaseId = typeof lease === 'string' ? lease : null;
  return JSON.stringify([key, leaseId, id, name, address, cidr, host, excludedBy, networkId]);
}
