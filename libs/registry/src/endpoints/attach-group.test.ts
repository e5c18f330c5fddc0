// Attaches that came together: each has its own result, whatever becomes of the others.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keys, SkeinError, type EndpointSpec } from '@skein/contracts';
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
