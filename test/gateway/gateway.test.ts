// The gateway's door from outside: a real process on a real NATS server, before services that stand in.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startNatsServer, type NatsServer } from '../support/nats-server';
import { startGateway, type GatewayProcess } from './gateway-process';
import { startStandIns, type StandIns } from './stand-in-services';

let nats: NatsServer;
let services: StandIns;
let gateway: GatewayProcess;

beforeAll(async () => {
  nats = await startNatsServer();
  services = await startStandIns(nats.url);
  gateway = await startGateway(nats.url);
}, 30_000);

afterAll(async () => {
  const code = await gateway.stop();
  await services.stop();
  await nats.stop();
  expect(code).toBe(0);
}, 30_000);

async function create(name: string, headers: Record<string, string> = {}) {
  return gateway.fetch('/v1/networks', { method: 'POST', body: { name }, headers });
}

describe('gateway', () => {
  it('creates a network and says where it is and at which revision', async () => {
    const made = await create('web', { 'x-request-id': 'test-1' });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ name: 'web', endpoints: 0, hosts: [] });
    expect(made.headers.get('location')).toBe(`/v1/networks/${made.body.id}`);
    expect(made.headers.get('etag')).toBe(`"${made.body.revision}"`);
    expect(made.headers.get('x-request-id')).toBe('test-1');
    expect(services.seen).toContainEqual({ requestId: 'test-1', verb: 'create-network' });
  });

  it('answers a created endpoint with who is behind and what failed', async () => {
    const body = { host: 'h1', name: 'a' };
    const made = await gateway.fetch('/v1/networks/web/endpoints', { method: 'POST', body });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      id: 'e0',
      network: 'web',
      name: 'a',
      behind: ['h3'],
      faults: [{ code: 'sandbox_not_found' }],
    });
  });

  it('takes a batch', async () => {
    const made = await gateway.fetch('/v1/networks/web/endpoints:batch', {
      method: 'POST',
      body: { endpoints: [{ host: 'h1' }, { host: 'h2' }] },
    });
    expect(made.status).toBe(201);
    expect(made.body.endpoints).toHaveLength(2);
  });

  it('passes a refusal on as a problem with its facts', async () => {
    const refused = await create('web');
    expect(refused.status).toBe(409);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(refused.body).toMatchObject({
      type: '/docs/errors#network_name_taken',
      title: 'A network has this name already',
      status: 409,
      code: 'network_name_taken',
      detail: "'web' is taken",
      field: 'name',
      network: 'n1',
    });
  });

  it('names the field of the HTTP request, not of the conversation behind it', async () => {
    const body = { host: 'h1', addresses: ['10.1.0.5'] };
    const one = await gateway.fetch('/v1/networks/web/endpoints', { method: 'POST', body });
    expect(one.body).toMatchObject({ code: 'address_taken', field: 'addresses.0' });
    const batch = { method: 'POST', body: { endpoints: [{ host: 'h1' }, body] } };
    const several = await gateway.fetch('/v1/networks/web/endpoints:batch', batch);
    expect(several.body).toMatchObject({ field: 'endpoints.1.addresses.0' });
  });

  it.each([
    ['an unknown field', { body: { name: 'x', colour: 'red' } }, 'invalid_request', 'colour'],
    ['a wrong type', { body: { name: 7 } }, 'invalid_request', 'name'],
    ['a nested field', { body: { name: 'x', subnets: [{}] } }, 'invalid_request', 'subnets.0.cidr'],
    ['no body', {}, 'invalid_request', 'name'],
    ['what is no JSON', { text: '{"name":' }, 'malformed_json', undefined],
    ['a prototype', { text: '{"__proto__":{}}' }, 'malformed_json', undefined],
    [
      'another content type',
      { text: 'name=x', headers: { 'content-type': 'text/plain' } },
      'unsupported_media_type',
      undefined,
    ],
    [
      'a body over the limit',
      { text: JSON.stringify({ name: 'x'.repeat(1_100_000) }) },
      'payload_too_large',
      undefined,
    ],
    [
      'a strange key',
      { body: { name: 'x' }, headers: { 'idempotency-key': 'a b' } },
      'invalid_request',
      'Idempotency-Key',
    ],
  ])('refuses %s', async (_what, options, code, field) => {
    const refused = await gateway.fetch('/v1/networks', { method: 'POST', ...options });
    expect(refused.body).toMatchObject({ code });
    expect(refused.body.field).toBe(field);
    expect(refused.status).toBe(refused.body.status);
  });

  it.each([
    ['/v1/networks?limit=0', 'limit'],
    ['/v1/networks?limit=ten', 'limit'],
    ['/v1/networks?offset=3', 'offset'],
    ['/v1/addresses/10.1.0.5?at=yesterday', 'at'],
    ['/v1/kv?key=a&prefix=b', 'key'],
  ])('refuses the query %s', async (path, field) => {
    const refused = await gateway.fetch(path);
    expect(refused.body).toMatchObject({ status: 400, code: 'invalid_request', field });
  });

  it('tells an unknown path from a wrong method', async () => {
    const unknown = await gateway.fetch('/v1/networks/web/routes');
    expect(unknown.body).toMatchObject({ status: 404, code: 'route_not_found' });
    const wrong = await gateway.fetch('/v1/networks', { method: 'DELETE' });
    expect(wrong.body).toMatchObject({ status: 405, code: 'method_not_allowed' });
    expect(wrong.headers.get('allow')).toBe('GET, POST');
    const undecodable = await gateway.fetch('/v1/networks/%zz');
    expect(undecodable.status).toBe(400);
    expect(undecodable.headers.get('content-type')).toContain('problem+json');
  });

  it('asks for a token and holds roles apart', async () => {
    const none = await gateway.fetch('/v1/cluster', { token: 'none' });
    expect(none.body).toMatchObject({ status: 401, code: 'unauthenticated' });
    expect(none.headers.get('www-authenticate')).toMatch(/^Bearer/);
    const wrong = await gateway.fetch('/v1/cluster', { token: 'wrong' });
    expect(wrong.status).toBe(401);
    const viewer = await gateway.fetch('/v1/cluster', { token: 'viewer' });
    expect(viewer.status).toBe(200);
    const post = { method: 'POST', body: { name: 'v' } };
    const tooLow = await gateway.fetch('/v1/networks', { ...post, token: 'viewer' });
    expect(tooLow.body).toMatchObject({ status: 403, code: 'forbidden', requiredRole: 'operator' });
    const txn = { method: 'POST', body: {} };
    const operator = await gateway.fetch('/v1/kv/txn', { ...txn, token: 'operator' });
    expect(operator.status).toBe(403);
    expect((await gateway.fetch('/v1/kv/txn', txn)).status).toBe(200);
  });

  it('carries out a keyed request once and gives its answer again', async () => {
    const key = { 'idempotency-key': 'k-1' };
    const first = await create('once', key);
    expect(first.status).toBe(201);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    const again = await create('once', key);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('etag')).toBe(first.headers.get('etag'));
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    const other = await create('another', key);
    expect(other.body).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
  });

  it('lets two requests with one key run once, side by side', async () => {
    const key = { 'idempotency-key': 'k-2' };
    const [one, other] = await Promise.all([create('twin', key), create('twin', key)]);
    expect([one?.status, other?.status]).toEqual([201, 201]);
    expect(one?.body).toEqual(other?.body);
  });

  it('gives the key of a refused request back', async () => {
    const key = { 'idempotency-key': 'k-3' };
    expect((await create('web', key)).status).toBe(409);
    expect((await create('fresh', key)).status).toBe(201);
  });

  it('honours If-None-Match and If-Match', async () => {
    const settings = await gateway.fetch('/v1/cluster/settings');
    const tag = settings.headers.get('etag') ?? '';
    const same = { headers: { 'if-none-match': tag } };
    expect((await gateway.fetch('/v1/cluster/settings', same)).status).toBe(304);
    const path = '/v1/networks/web';
    const shown = await gateway.fetch(path);
    // Its endpoints come and go without a new revision of its own: a known tag spares nothing.
    const known = { headers: { 'if-none-match': shown.headers.get('etag') ?? '' } };
    expect((await gateway.fetch(path, known)).status).toBe(200);
    const other = await gateway.fetch(path, { headers: { 'if-match': '"1"' } });
    expect(other.body).toMatchObject({ status: 412, code: 'precondition_failed' });
    const idle = { method: 'POST', body: { name: 'm' }, headers: { 'if-match': '"1"' } };
    const passedOver = await gateway.fetch('/v1/networks', idle);
    expect(passedOver.body).toMatchObject({ code: 'invalid_request', field: 'If-Match' });
  });

  it('says so when a service is not there', async () => {
    const slow = await gateway.fetch('/v1/networks/web', { method: 'DELETE' });
    expect(slow.body).toMatchObject({ status: 503, code: 'unavailable' });
    expect(slow.headers.get('retry-after')).toBe('1');
  }, 15_000);

  it('tells a replica that is no member from one that does not answer', async () => {
    const key = { method: 'POST', body: { key: Buffer.alloc(32).toString('base64') } };
    for (const [path, options] of [
      ['/v1/cluster/replicas/m9', {}],
      ['/v1/cluster/replicas/m9/hash', {}],
      ['/v1/cluster/replicas/m9:unlock', key],
      ['/v1/kv?key=a&replica=m9', {}],
      ['/v1/cluster/backup?replica=m9', {}],
      ['/v1/cluster/members/m9', { method: 'DELETE' }],
    ] as const) {
      const { body } = await gateway.fetch(path, options);
      expect([path, body]).toMatchObject([path, { status: 404, code: 'member_not_found' }]);
    }
  });

  it('serves its open pages without a token', async () => {
    for (const path of ['/', '/docs', '/docs/errors', '/healthz', '/readyz', '/metrics']) {
      const page = await gateway.fetch(path, { token: 'none' });
      expect([path, page.status]).toEqual([path, 200]);
    }
    const metrics = await gateway.fetch('/metrics');
    expect(metrics.body).toContain(
      'skein_http_request_duration_seconds_count{method="POST",route="/v1/networks",status="201"}',
    );
    const document = await gateway.fetch('/openapi.json');
    expect(document.body.openapi).toBe('3.1.0');
  });

  it('streams past events, then live ones, and resumes after the last one', async () => {
    const past = services.happen('network.created', 'n7');
    const stream = await openStream(`/v1/events?from=${past.revision}&prefix=network.`);
    expect(await stream.next()).toMatchObject({ id: String(past.revision) });
    services.happen('endpoint.attached', 'n7');
    const live = services.happen('network.deleted', 'n7');
    expect(await stream.next()).toMatchObject({ data: { type: 'network.deleted' } });
    stream.close();
    const later = services.happen('network.created', 'n8');
    const resumed = await openStream('/v1/events', { 'last-event-id': String(live.revision) });
    expect(await resumed.next()).toMatchObject({ id: String(later.revision) });
    resumed.close();
  });

  it('answers past events as one page to who accepts JSON only', async () => {
    const headers = { accept: 'application/json' };
    const page = await gateway.fetch('/v1/events?from=0&limit=2', { headers });
    expect(page.body.events).toHaveLength(2);
  });
});

interface ServerSentEvent {
  readonly id: string | undefined;
  readonly data: { type: string };
}

async function openStream(path: string, headers: Record<string, string> = {}) {
  const control = new AbortController();
  const response = await fetch(gateway.url + path, {
    headers: { authorization: 'Bearer v-secret', ...headers },
    signal: control.signal,
  });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const body = response.body as ReadableStream<Uint8Array>;
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const next = async (): Promise<ServerSentEvent> => {
    for (;;) {
      const end = text.indexOf('\n\n');
      const block = end < 0 ? undefined : text.slice(0, end);
      if (block === undefined) {
        const read = await reader.read();
        if (read.done) throw new Error('the stream ended');
        text += read.value;
        continue;
      }
      text = text.slice(end + 2);
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data !== undefined) return { id: /^id: (.*)$/m.exec(block)?.[1], data: JSON.parse(data) };
    }
  };
  return { next, close: () => control.abort() };
}
