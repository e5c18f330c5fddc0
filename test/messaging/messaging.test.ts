import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { SkeinError } from '@skein/contracts';
import { Deadline, Messenger, type Logger, type RequestContext } from '@skein/messaging';
import { startNatsServer, type NatsServer } from '../support/nats-server';
import { bulk, echo, happened, perHost, report, service, told, write } from './test-conversations';

const definition = { name: service, version: '1.0.0', description: 'For tests.' };
const logged: { facts: Record<string, unknown>; message: string }[] = [];
const log = (facts: object, message: string): void =>
  void logged.push({ facts: facts as Record<string, unknown>, message });
const logger: Logger = { debug: log, info: log, warn: log, error: log };

let server: NatsServer;
let raw: NatsConnection;
const opened: Messenger[] = [];

async function open(name: string): Promise<Messenger> {
  const messenger = await Messenger.connect({ servers: [server.url], name }, logger);
  opened.push(messenger);
  return messenger;
}

async function openPair(): Promise<{ client: Messenger; provider: Messenger }> {
  return { client: await open('client'), provider: await open('provider') };
}

async function faultOf(promise: Promise<unknown>): Promise<SkeinError> {
  try {
    await promise;
  } catch (thrown) {
    if (thrown instanceof SkeinError) return thrown;
    throw thrown;
  }
  throw new Error('expected a fault');
}

beforeAll(async () => {
  server = await startNatsServer();
  raw = await connect({ servers: server.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((messenger) => messenger.drain()));
  logged.length = 0;
});
afterAll(async () => {
  await raw.close();
  await server.stop();
});

describe('request and answer', () => {
  it('carries bodies as plain JSON and context as headers', async () => {
    const { client, provider } = await openPair();
    let seen: RequestContext | undefined;
    provider.service(definition).serve(echo, (request, context) => {
      seen = context;
      return { text: request.text };
    });
    await provider.flush();
    const answer = await client.request(
      echo,
      { text: 'hi' },
      { requestId: 'r-1', timeoutMs: 2_000 },
    );
    expect(answer).toEqual({ text: 'hi' });
    expect(seen?.requestId).toBe('r-1');
    expect(seen?.subject).toBe('skein.v1.test.echo');
    expect(seen?.deadline.remainingMs()).toBeGreaterThan(0);
    expect(seen?.deadline.remainingMs()).toBeLessThanOrEqual(2_000);
    const plain = await raw.request('skein.v1.test.echo', '{"text":"plain"}');
    expect(plain.string()).toBe('{"text":"plain"}');
  });

  it('hands request id and deadline on to requests made on its behalf', async () => {
    const { client, provider } = await openPair();
    const contexts: RequestContext[] = [];
    const endpoints = provider.service(definition);
    endpoints.serve(bulk, async (_request, context) => {
      contexts.push(context);
      return provider.request(echo, { text: 'in' }, { context });
    });
    endpoints.serve(echo, (request, context) => {
      contexts.push(context);
      return { text: request.text };
    });
    await provider.flush();
    await client.request(bulk, { text: '' }, { requestId: 'outer', timeoutMs: 900 });
    expect(contexts.map(({ requestId }) => requestId)).toEqual(['outer', 'outer']);
    expect(contexts[1]?.deadline.remainingMs()).toBeLessThanOrEqual(900);
  });

  it('takes from each speaker what it says for itself, and nothing else', async () => {
    const { client, provider } = await openPair();
    provider.service(definition).serve(report, ({ host }, { subject }) => {
      return { text: `${host} on ${subject}` };
    });
    await provider.flush();
    const answer = await client.request(report, { host: 'h1' });
    expect(answer.text).toBe('h1 on skein.v1.test.h1.report');
    const refused = await raw.request('skein.v1.test.h1.report', '{"host":"h2"}');
    expect(JSON.parse(refused.string())).toMatchObject({ code: 'host_mismatch', field: 'host' });
  });

  it("drops an event that speaks for another than its subject's speaker", async () => {
    const { client, provider } = await openPair();
    const heard: string[] = [];
    const first = new Promise<void>((resolve) => {
      client.subscribeEvent(told, ({ host }) => {
        heard.push(host);
        resolve();
      });
    });
    await client.flush();
    raw.publish('skein.v1.event.test.told.h1', '{"host":"h2"}');
    await raw.flush();
    provider.publishEvent(told, { host: 'h1' });
    await first;
    expect(heard).toEqual(['h1']);
  });

  it('serves each instance on a subject of its own, and leaves it on stop', async () => {
    const { client, provider } = await openPair();
    const endpoints = provider.service(definition);
    const [one] = ['h1', 'h2'].map((instance) =>
      endpoints.serve(perHost, () => ({ text: instance }), { instance }),
    );
    await provider.flush();
    expect(await client.request(perHost, {}, { instance: 'h2' })).toEqual({ text: 'h2' });
    await one?.stop();
    expect((await faultOf(client.request(perHost, {}, { instance: 'h1' }))).code).toBe(
      'unavailable',
    );
    expect(await client.request(perHost, {}, { instance: 'h2' })).toEqual({ text: 'h2' });
  });
});

describe('bad input', () => {
  it.each([
    ['{"text":5}', 'invalid_request', 'text', /has to be text, not a number/],
    ['{}', 'invalid_request', 'text', /missing, has to be text/],
    ['{"text":"x","nested":{"n":1.5}}', 'invalid_request', 'nested.n', /has to be a whole number/],
    ['{"text":"x","colour":1}', 'invalid_request', 'colour', /no such field/],
    ['{"text":"elevenchars"}', 'invalid_request', 'text', /at most 10 characters/],
    ['[]', 'invalid_request', undefined, /has to be an object, not a list/],
    ['not json', 'malformed_json', undefined, /not JSON/],
    ['\u0001', 'malformed_json', undefined, /not JSON/],
    ['['.repeat(200_000), 'malformed_json', undefined, /not JSON/],
  ] as const)('answers $# with its code and field', async (body, code, field, message) => {
    const provider = await open('provider');
    provider.service(definition).serve(echo, ({ text }) => ({ text }));
    await provider.flush();
    const answer = await raw.request('skein.v1.test.echo', body);
    expect(answer.headers?.get('Nats-Service-Error-Code')).toBe('400');
    expect(answer.headers?.get('Nats-Service-Error')).toBe(code);
    const error = SkeinError.fromBody(answer.json());
    expect(error).toMatchObject({ code, field });
    expect(error.message).toMatch(message);
    const after = await raw.request('skein.v1.test.echo', '{"text":"alive"}');
    expect(after.json()).toEqual({ text: 'alive' });
  });

  it('refuses bytes that are no text', async () => {
    const provider = await open('provider');
    provider.service(definition).serve(echo, ({ text }) => ({ text }));
    await provider.flush();
    const answer = await raw.request('skein.v1.test.echo', Uint8Array.of(0x22, 0xff, 0xfe, 0x22));
    expect(answer.headers?.get('Nats-Service-Error')).toBe('malformed_json');
  });

  it('refuses what does not fit into a message, on both ways', async () => {
    const { client, provider } = await openPair();
    provider
      .service(definition)
      .serve(bulk, ({ replyLength }) => ({ text: 'x'.repeat(replyLength ?? 0) }));
    await provider.flush();
    const sent = await faultOf(client.request(bulk, { text: 'x'.repeat(1_100_000) }));
    expect(sent).toMatchObject({ code: 'payload_too_large', facts: { limit: 1_047_552 } });
    const answered = await faultOf(client.request(bulk, { text: '', replyLength: 1_100_000 }));
    expect(answered.code).toBe('payload_too_large');
    expect((await client.request(bulk, { text: '', replyLength: 1_000_000 })).text).toHaveLength(
      1_000_000,
    );
  });
});

describe('handler faults', () => {
  it('passes a typed error on with its field and facts', async () => {
    const { client, provider } = await openPair();
    provider.service(definition).serve(echo, () => {
      throw new SkeinError('pool_exhausted', 'Full', { field: 'pool', facts: { used: 254 } });
    });
    await provider.flush();
    expect(await faultOf(client.request(echo, { text: '' }))).toMatchObject({
      code: 'pool_exhausted',
      message: 'Full',
      field: 'pool',
      facts: { used: 254 },
    });
  });

  it('answers anything else as internal, and keeps its stack to the log', async () => {
    const { client, provider } = await openPair();
    provider.service(definition).serve(echo, async () => {
      await Promise.resolve();
      throw new Error('secret detail');
    });
    await provider.flush();
    const fault = await faultOf(client.request(echo, { text: '' }, { requestId: 'r-9' }));
    expect(fault).toMatchObject({ code: 'internal', facts: { requestId: 'r-9' } });
    expect(JSON.stringify(fault.toBody())).not.toContain('secret');
    const line = logged.find(({ message }) => message === 'handler failed');
    expect(line?.facts).toMatchObject({ requestId: 'r-9' });
    expect(line?.facts['stack']).toContain('secret detail');
  });

  it('refuses requests past its bound, and takes them again afterwards', async () => {
    const { client, provider } = await openPair();
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    provider.service(definition).serve(
      echo,
      async ({ text }) => {
        await held;
        return { text };
      },
      { maxPending: 2 },
    );
    await provider.flush();
    const two = [client.request(echo, { text: 'a' }), client.request(echo, { text: 'b' })];
    await client.flush();
    expect((await faultOf(client.request(echo, { text: 'c' }))).code).toBe('overloaded');
    release();
    await Promise.all(two);
    expect(await client.request(echo, { text: 'd' })).toEqual({ text: 'd' });
  });
});

describe('time', () => {
  it('does not run a request whose deadline has passed', async () => {
    const { client, provider } = await openPair();
    let runs = 0;
    provider.service(definition).serve(echo, ({ text }) => {
      runs += 1;
      return { text };
    });
    await provider.flush();
    const late = headers();
    late.set('Skein-Timeout-Ms', '0');
    const answer = await raw.request('skein.v1.test.echo', '{"text":""}', {
      timeout: 1_000,
      headers: late,
    });
    expect(answer.headers?.get('Nats-Service-Error')).toBe('deadline_exceeded');
    const unsent = client.request(echo, { text: '' }, { deadline: Deadline.after(-1) });
    expect((await faultOf(unsent)).code).toBe('deadline_exceeded');
    expect(runs).toBe(0);
  });

  it.each([
    [echo, { text: '' }, 'deadline_exceeded'],
    [write, {}, 'unknown_outcome'],
  ] as const)('names the timeout by whether it may be repeated', async (contract, body, code) => {
    const { client, provider } = await openPair();
    let release: () => void = () => undefined;
    const held = new Promise<{ text: string }>((resolve) => {
      release = () => resolve({ text: '' });
    });
    provider.service(definition).serve(contract, () => held);
    await provider.flush();
    expect((await faultOf(client.request(contract, body, { timeoutMs: 50 }))).code).toBe(code);
    release();
  });

  it('says at once that nobody serves a subject', async () => {
    const client = await open('client');
    const fault = await faultOf(client.request(write, {}, { timeoutMs: 60_000 }));
    expect(fault).toMatchObject({ code: 'unavailable', facts: { subject: 'skein.v1.test.write' } });
  });

  it('asks again until somebody serves it, if told to', async () => {
    const { client, provider } = await openPair();
    const asked = client.request(write, {}, { timeoutMs: 5_000, retryUnavailable: true });
    await raw.flush();
    provider.service(definition).serve(write, () => ({}));
    expect(await asked).toEqual({});
    const hopeless = client.request(bulk, { text: '' }, { timeoutMs: 60, retryUnavailable: true });
    // The last attempt may itself run into the deadline.
    expect(['unavailable', 'deadline_exceeded']).toContain((await faultOf(hopeless)).code);
  });
});

describe('events and bytes', () => {
  it('delivers events by contract and by pattern, and drops what does not fit', async () => {
    const { client, provider } = await openPair();
    const heard: unknown[] = [];
    let done: () => void = () => undefined;
    const all = new Promise<void>((resolve) => (done = resolve));
    client.subscribeEvent(happened, (body) => {
      heard.push(body.n);
      if (body.n === 2) done();
    });
    client.subscribeEvent(
      'skein.v1.event.>',
      (body, subject) => void heard.push({ subject, body }),
    );
    await client.flush();
    provider.publishEvent(happened, { n: 1 });
    provider.publishBytes(happened.subject, new TextEncoder().encode('{"n":"one"}'));
    provider.publishEvent(happened, { n: 2 });
    await all;
    await client.flush();
    expect(heard.filter((each) => typeof each === 'number')).toEqual([1, 2]);
    expect(heard).toContainEqual({ subject: happened.subject, body: { n: 'one' } });
    expect(logged.some(({ message }) => message === 'a message handler failed')).toBe(true);
  });

  it('carries bytes as they are, and survives a handler that throws', async () => {
    const { client, provider } = await openPair();
    const heard: number[][] = [];
    let done: () => void = () => undefined;
    const all = new Promise<void>((resolve) => (done = resolve));
    const subscription = client.subscribeBytes('raft.test.>', (data, subject) => {
      if (data.length === 0) throw new Error('empty');
      heard.push([...data]);
      if (subject.endsWith('.last')) done();
    });
    await client.flush();
    provider.publishBytes('raft.test.a', new Uint8Array());
    provider.publishBytes('raft.test.last', Uint8Array.of(0, 255, 128));
    await all;
    expect(heard).toEqual([[0, 255, 128]]);
    await subscription.drain();
    subscription.unsubscribe();
  });
});

describe('connection', () => {
  it('finds its subjects again after the server restarts on the same port', async () => {
    const { client, provider } = await openPair();
    provider.service(definition).serve(echo, ({ text }) => ({ text }));
    await provider.flush();
    const states: string[] = [];
    client.onStatus((status) => states.push(status));
    await server.pause();
    const fault = await faultOf(client.request(write, {}, { timeoutMs: 300 }));
    expect(['unavailable', 'unknown_outcome']).toContain(fault.code);
    await server.start();
    const answer = await client.request(
      echo,
      { text: 'back' },
      { timeoutMs: 10_000, retryUnavailable: true },
    );
    expect(answer).toEqual({ text: 'back' });
    expect(client.connected).toBe(true);
    expect(states).toEqual(['disconnected', 'connected']);
  });

  it('waits for a server that is not there yet, within its time', async () => {
    await server.pause();
    const early = Messenger.connect({
      servers: [server.url],
      name: 'early',
      connectTimeoutMs: 10_000,
    });
    await server.start();
    const messenger = await early;
    await messenger.drain();
    const nowhere = { servers: ['nats://127.0.0.1:1'], name: 'lost', connectTimeoutMs: 200 };
    expect((await faultOf(Messenger.connect(nowhere))).code).toBe('unavailable');
  });

  it('finishes running handlers before it closes, and takes no new requests', async () => {
    const { client, provider } = await openPair();
    let begun: () => void = () => undefined;
    const running = new Promise<void>((resolve) => (begun = resolve));
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    provider.service(definition).serve(echo, async ({ text }) => {
      begun();
      await held;
      return { text };
    });
    await provider.flush();
    const asked = client.request(echo, { text: 'last' });
    await running;
    const drained = provider.drain();
    await provider.flush();
    let closed = false;
    provider.onStatus(() => (closed = true));
    // The subject is left at once; the connection stays until the last answer is out.
    const refused = async () => (await faultOf(client.request(echo, { text: 'x' }))).code;
    for (let turn = 0; turn < 20; turn += 1) expect(await refused()).toBe('unavailable');
    expect(closed).toBe(false);
    release();
    expect(await asked).toEqual({ text: 'last' });
    await drained;
    expect(provider.connected).toBe(false);
  });
});
