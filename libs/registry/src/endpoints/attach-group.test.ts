// Attaches that came together: each has its own result, whatever becomes of the others.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keys, SkeinError, type EndpointSpec, type RequestKey } from '@skein/contracts';
import { settled } from '../testing/records';
import { context, World } from '../testing/world';

let world: World;

beforeEach(async () => {
  world = await World.open();
  await world.network('n1', 'web');
  for (const id of ['h1', 'h2', 'h3']) await world.host(id);
});
afterEach(() => world.close());

function group(...endpoints: EndpointSpec[]) {
  const attaches = endpoints.map((endpoint, at) => ({ endpoint, request: `r${at}` }));
  return world.domain.attachGroup.create({ network: 'web', attaches, waitMs: 300 }, context());
}

describe('attach group', () => {
  it('asks ipam once and commits once for all, each under its own request', async () => {
    const before = world.store.revision;
    const specs = Array.from({ length: 50 }, (_, at) => ({ host: `h${(at % 3) + 1}` }));
    const { outcomes, behind } = await group(...specs);
    expect(behind).toEqual([]);
    expect(world.ipam.allocations).toBe(1);
    expect(world.store.revision - before).toBe(2);
    expect(outcomes.map((each) => 'created' in each && each.created.request)).toEqual(
      specs.map((_, at) => `r${at}`),
    );
    for (const id of ['h1', 'h2', 'h3']) {
      expect(world.agent(id).kept.toShare().endpoints).toHaveLength(50);
    }
  });

  it('refuses one and attaches the others', async () => {
    await world.attach('web', 'h1', { name: 'taken' });
    const { outcomes } = await group(
      { host: 'h1', name: 'a' },
      { host: 'h9' },
      { host: 'h2', name: 'taken' },
      { host: 'h3', name: 'b' },
    );
    expect(outcomes.map((each) => (each instanceof SkeinError ? each.code : each.name))).toEqual([
      'a',
      'host_not_found',
      'endpoint_name_taken',
      'b',
    ]);
    expect(outcomes[2]).toMatchObject({ field: 'endpoints.0.name' });
  });

  it('gives a name that two want to the first, and nothing to the second', async () => {
    const { outcomes } = await group({ host: 'h1', name: 'x' }, { host: 'h2', name: 'x' });
    expect(outcomes[0]).toMatchObject({ name: 'x', host: 'h1' });
    expect(outcomes[1]).toMatchObject({ code: 'endpoint_name_taken' });
    const { kvs } = await world.store.range({ key: keys.endpoints('n1'), prefix: true });
    expect(kvs).toHaveLength(1);
  });

  it('finds out one by one where ipam refuses them together', async () => {
    const { allocate } = world.ipam;
    world.ipam.allocate = (...args) => {
      const refused = args[1].some(({ addresses }) => addresses?.[0] === '10.1.0.77');
      if (refused) return Promise.reject(new SkeinError('address_taken', 'Taken'));
      return allocate.apply(world.ipam, args);
    };
    const { outcomes } = await group({ host: 'h1' }, { host: 'h2', addresses: ['10.1.0.77'] });
    expect(outcomes[0]).toMatchObject({ host: 'h1' });
    expect(outcomes[1]).toMatchObject({ code: 'address_taken' });
  });

  it('attaches nothing with an address that was taken back meanwhile', async () => {
    const { allocate } = world.ipam;
    let robbed = 0;
    world.ipam.allocate = async (...args) => {
      const allocated = await allocate.apply(world.ipam, args);
      if (robbed++ === 0) await world.ipam.release('n1', [args[1][0]!.endpointId]);
      return allocated;
    };
    const { outcomes } = await group({ host: 'h1' }, { host: 'h2' });
    const addresses = outcomes.flatMap((each) => ('addresses' in each ? each.addresses : []));
    expect(addresses).toHaveLength(2);
    expect(addresses).not.toContain('10.1.0.2/16');
    expect(robbed).toBe(2);
  });

  it('names who is behind, once for all', async () => {
    await world.attach('web', 'h1');
    world.agent('h1').isSilent = true;
    const { outcomes, behind } = await group({ host: 'h2' }, { host: 'h3' });
    expect(outcomes.every((each) => !(each instanceof SkeinError))).toBe(true);
    expect(behind).toEqual(['h1']);
  });
});

describe('attach under a key', () => {
  const once = (key: string, request = 'r'): RequestKey => ({ key, request, lease: 'hour' });

  beforeEach(() => world.store.grantLease({ lease: 'hour', ttlMs: 60_000 }));

  function keyed(...attaches: (EndpointSpec & { once?: RequestKey })[]) {
    const request = {
      network: 'web',
      attaches: attaches.map(({ once, ...endpoint }, at) => ({
        endpoint,
        request: `r${at}`,
        once,
      })),
      waitMs: 300,
    };
    return world.domain.attachGroup.create(request, context());
  }
  const endpoints = async () =>
    (await world.store.range({ key: keys.endpoints('n1'), prefix: true })).kvs;
  const held = async () =>
    (await world.store.range({ key: keys.addresses('n1'), prefix: true })).kvs.length;

  it('commits the key with the endpoint, under its lease', async () => {
    const { outcomes, replayed } = await keyed({ host: 'h1', once: once('k') });
    const kv = await world.store.get(keys.idempotency('k'));
    expect(kv).toMatchObject({
      lease: 'hour',
      modRevision: 'id' in outcomes[0]! && outcomes[0].revision,
    });
    expect(replayed.size).toBe(0);
  });

  it.each([{}, { name: 'a' }])('gives a repetition what the first one made: %j', async (fields) => {
    const spec = { host: 'h1', ...fields, once: once('k') };
    const { outcomes: first } = await keyed(spec);
    const { outcomes: again, replayed } = await keyed(spec);
    expect(again).toEqual(first);
    expect([...replayed]).toEqual([0]);
    expect(await endpoints()).toHaveLength(1);
    expect(await held()).toBe(1);
  });

  it('gives a repetition what the first one made, though its address has a holder now', async () => {
    const spec = { host: 'h1', addresses: ['10.1.0.77'], once: once('k') };
    const { outcomes: first } = await keyed(spec);
    world.ipam.refusal = new SkeinError('address_taken', 'Taken');
    expect((await keyed(spec)).outcomes).toEqual(first);
  });

  it('lets two of one key attach once, together or one after the other', async () => {
    const spec = { host: 'h1', once: once('k') };
    const [both, other] = await Promise.all([keyed(spec, spec, { host: 'h2' }), keyed(spec)]);
    const made = [...both.outcomes.slice(0, 2), ...other.outcomes];
    expect(new Set(made.map((each) => 'id' in each && each.id)).size).toBe(1);
    expect(await endpoints()).toHaveLength(2);
  });

  it('gives a repetition its endpoint when the network has gone since', async () => {
    const spec = { host: 'h1', once: once('k') };
    const { outcomes: first } = await keyed(spec);
    await world.store.delete({ key: keys.network('n1') });
    await world.store.delete({ key: keys.networkName('web') });
    const { outcomes } = await keyed(spec);
    expect(outcomes).toEqual(first);
    await expect(keyed({ host: 'h1', once: once('other') })).rejects.toMatchObject({
      code: 'network_not_found',
    });
  });

  it('tells a repetition that its endpoint has gone since, and nobody its addresses', async () => {
    const spec = { host: 'h1', once: once('k') };
    const [made] = (await keyed(spec)).outcomes;
    if (made === undefined || !('id' in made)) throw new Error('nothing was attached');
    await world.store.delete({ key: keys.endpoint('n1', made.id) });
    const { outcomes, replayed } = await keyed(spec);
    expect(outcomes[0]).toMatchObject({ code: 'endpoint_gone', facts: { id: made.id } });
    expect(replayed.size).toBe(0);
  });

  it('refuses the key for another request, and leaves nothing held', async () => {
    await keyed({ host: 'h1', once: once('k') });
    const { outcomes } = await keyed({ host: 'h2', once: once('k', 'another') }, { host: 'h3' });
    expect(outcomes[0]).toMatchObject({ code: 'idempotency_key_reused' });
    expect(outcomes[1]).toMatchObject({ host: 'h3' });
    await settled();
    expect(await held()).toBe(2);
  });

  it('keeps nothing of what was refused', async () => {
    await world.attach('web', 'h1', { name: 'taken' });
    const { outcomes } = await keyed({ host: 'h2', name: 'taken', once: once('k') });
    expect(outcomes[0]).toMatchObject({ code: 'endpoint_name_taken' });
    expect(await world.store.get(keys.idempotency('k'))).toBeUndefined();
  });

  it('refuses for the want of a lease only who named it', async () => {
    const gone = { ...once('k'), lease: 'gone' };
    const { outcomes } = await keyed({ host: 'h1', once: gone }, { host: 'h2' });
    expect(outcomes[0]).toMatchObject({ code: 'lease_not_found' });
    expect(outcomes[1]).toMatchObject({ host: 'h2' });
  });
});
