// Attaching and detaching over a store in memory, with played agents and a played ipam.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keys, SkeinError } from '@skein/contracts';
import { context, World } from '../testing/world';
import { orphanAfterMs } from './address-sweep';

let world: World;

beforeEach(async () => {
  world = await World.open();
  await world.network('n1', 'web');
  for (const id of ['h1', 'h2', 'h3']) await world.host(id);
});
afterEach(() => world.close());

async function refusalOf(attempt: Promise<unknown>): Promise<SkeinError> {
  const thrown: unknown = await attempt.then(
    () => expect(true).toBe(false),
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(SkeinError);
  return thrown as SkeinError;
}

describe('attach', () => {
  it('answers when every live host of the network has programmed it, and no other host hears of it', async () => {
    await world.attach('web', 'h1', { name: 'a' });
    const { endpoints, revision, behind } = await world.attach('web', 'h2', { name: 'b' });
    expect(behind).toEqual([]);
    expect(endpoints[0]).toMatchObject({ name: 'b', host: 'h2', revision });
    for (const id of ['h1', 'h2']) {
      expect(world.agent(id).kept.endpoint(endpoints[0]!.id)?.addresses).toEqual(['10.1.0.3/16']);
      expect(world.agent(id).programmed).toBe(revision);
    }
    expect(world.agent('h3').kept.toShare().networks).toEqual([]);
    expect(world.agent('h3').pushes).toBe(1);
  });

  it('names who is behind', async () => {
    await world.attach('web', 'h1');
    world.agent('h1').isSilent = true;
    const { behind } = await world.attach('web', 'h2');
    expect(behind).toEqual(['h1']);
  });

  it('tells the faults of its own endpoints', async () => {
    const fault = { endpointId: '00000001-endpoint', code: 'sandbox_not_found', message: 'gone' };
    world.agent('h1').faults = [fault, { ...fault, endpointId: 'another' }];
    const { faults } = await world.attach('web', 'h1');
    expect(faults).toEqual([fault]);
  });

  it('gives a name of its own to an endpoint without one', async () => {
    const { endpoints } = await world.attach('web', 'h1');
    expect(endpoints[0]?.name).toBe('ep-00000001');
  });

  it('takes two hundred at once, each with an address of its own, in few commits', async () => {
    const before = world.store.revision;
    const names = Array.from({ length: 200 }, (_, index) => `e${index}`);
    const attached = await Promise.all(names.map((name) => world.attach('web', 'h1', { name })));
    const addresses = attached.flatMap(({ endpoints }) => endpoints.flatMap((e) => e.addresses));
    expect(new Set(addresses).size).toBe(200);
    expect(world.store.revision - before - world.ipam.allocations).toBeLessThan(20);
    expect(world.agent('h1').kept.toShare().endpoints).toHaveLength(200);
  });

  it('lets one of two have a name, and releases the address of the other', async () => {
    const results = await Promise.allSettled([
      world.attach('web', 'h1', { name: 'front' }),
      world.attach('web', 'h2', { name: 'front' }),
    ]);
    const [kept] = results.flatMap((each) =>
      each.status === 'fulfilled' ? each.value.endpoints : [],
    );
    const [refused] = results.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    expect(refused).toMatchObject({
      code: 'endpoint_name_taken',
      field: 'endpoints.0.name',
      facts: { name: 'front', holder: kept?.id },
    });
    expect(world.ipam.released).toHaveLength(1);
    expect(world.ipam.released).not.toContain(kept?.id);
  });

  it('attaches all or none', async () => {
    await world.attach('web', 'h1', { name: 'a' });
    const endpoints = [
      { host: 'h1', name: 'b' },
      { host: 'h1', name: 'c', aliases: ['a'] },
    ];
    const refusal = await refusalOf(
      world.domain.attachments.create({ network: 'web', endpoints, waitMs: 100 }, context()),
    );
    expect(refusal).toMatchObject({ code: 'endpoint_name_taken', field: 'endpoints.1.aliases.0' });
    const { kvs } = await world.store.range({ key: keys.endpoints('n1'), prefix: true });
    expect(kvs).toHaveLength(1);
  });

  it('refuses unknown networks and hosts, and hosts that are down', async () => {
    await world.domain.registry.takeDown([{ host: 'h3', reason: 'test' }]);
    expect((await refusalOf(world.attach('db', 'h1'))).code).toBe('network_not_found');
    expect((await refusalOf(world.attach('web', 'h9'))).code).toBe('host_not_found');
    const refusal = await refusalOf(world.attach('web', 'h3'));
    expect(refusal).toMatchObject({ code: 'host_not_up', field: 'endpoints.0.host' });
    expect(world.ipam.allocations).toBe(0);
  });

  it('passes on what ipam refuses', async () => {
    world.ipam.refusal = new SkeinError('pool_exhausted', 'Full', { facts: { used: 3 } });
    const refusal = await refusalOf(world.attach('web', 'h1'));
    expect(refusal).toMatchObject({ code: 'pool_exhausted', facts: { used: 3 } });
  });

  it('attaches nothing with an address that was taken back meanwhile', async () => {
    const { allocate } = world.ipam;
    let robbed = 0;
    world.ipam.allocate = async (...args) => {
      const allocated = await allocate.apply(world.ipam, args);
      if (robbed++ === 0) await world.ipam.release('n1', [args[1][0]!.endpointId]);
      return allocated;
    };
    const { endpoints } = await world.attach('web', 'h1');
    expect(endpoints[0]?.addresses).toEqual(['10.1.0.3/16']);
    expect(robbed).toBe(2);
  });

  it('attaches nothing with an address that another has been given meanwhile', async () => {
    const { allocate } = world.ipam;
    let robbed = 0;
    world.ipam.allocate = async (...args) => {
      const allocated = await allocate.apply(world.ipam, args);
      if (robbed++ > 0) return allocated;
      const [taken] = allocated.allocations;
      const addresses = [taken!.addresses[0]!.replace('/16', '')];
      await world.ipam.release('n1', [taken!.endpointId]);
      const thief = { endpointId: 'thief', host: 'h2', addresses };
      await allocate.call(world.ipam, 'n1', [thief], context());
      return allocated;
    };
    const { endpoints } = await world.attach('web', 'h1');
    expect(endpoints[0]?.addresses).toEqual(['10.1.0.3/16']);
    expect(world.ipam.released).not.toContain('thief');
  });

  it('tells what was committed though its view does not get there in time', async () => {
    await world.attach('web', 'h1');
    world.view.reached = async () => false;
    world.view.advance = () => undefined;
    world.view.progress = () => undefined;
    const { endpoints, behind } = await world.attach('web', 'h2', { name: 'b' });
    expect(endpoints).toMatchObject([{ name: 'b', host: 'h2', addresses: ['10.1.0.3/16'] }]);
    expect(behind).toEqual(['h1', 'h2']);
  });

  it('names the hosts that have not answered when it leaves office meanwhile', async () => {
    world.agent('h1').isSilent = true;
    const attaching = world.attach('web', 'h1');
    await new Promise((resolve) => setTimeout(resolve, 50));
    world.domain.feeds.stop();
    expect((await attaching).behind).toEqual(['h1']);
    expect((await world.attach('web', 'h1')).behind).toEqual(['h1']);
  });

  it('names the endpoint’s own host if that goes down meanwhile: nobody there has plugged it in', async () => {
    await world.attach('web', 'h2');
    world.agent('h1').isSilent = true;
    const attaching = world.attach('web', 'h1');
    await new Promise((resolve) => setTimeout(resolve, 50));
    await world.domain.registry.takeDown([{ host: 'h1', reason: 'started anew' }]);
    expect((await attaching).behind).toEqual(['h1']);
  });

  it('finds a network that its view has not seen yet', async () => {
    await world.network('n2', 'db');
    const { endpoints } = await world.attach('db', 'h1');
    expect(endpoints[0]?.networkId).toBe('n2');
  });
});

describe('detach', () => {
  it('takes the endpoint from every host, frees its name and releases its address', async () => {
    await world.attach('web', 'h1', { name: 'a' });
    const { endpoints } = await world.attach('web', 'h2', { name: 'b', aliases: ['bee'] });
    const request = { network: 'web', endpoint: 'bee', waitMs: 500 };
    const { behind } = await world.domain.attachments.delete(request, context());
    expect(behind).toEqual([]);
    expect(world.ipam.released).toEqual([endpoints[0]!.id]);
    expect(
      world
        .agent('h1')
        .kept.toShare()
        .hosts.map(({ id }) => id),
    ).toEqual(['h1']);
    expect(world.agent('h2').kept.toShare().networks).toEqual([]);
    await world.attach('web', 'h1', { name: 'b', aliases: ['bee'] });
  });

  it('does not say that an endpoint is gone when it is the fence that has fallen', async () => {
    const { endpoints } = await world.attach('web', 'h1', { name: 'a' });
    await world.store.put({ key: 'none', value: 'a newer activation' });
    const request = { network: 'web', endpoint: 'a', waitMs: 0 };
    const refusal = await refusalOf(world.domain.attachments.delete(request, context()));
    expect(refusal.code).toBe('unavailable');
    expect(await world.store.get(keys.endpoint('n1', endpoints[0]!.id))).toBeDefined();
  });

  it('answers in time though the addresses cannot be released', async () => {
    await world.attach('web', 'h1', { name: 'a' });
    world.ipam.release = () => new Promise(() => undefined);
    const request = { network: 'web', endpoint: 'a', waitMs: 100 };
    const { behind } = await world.domain.attachments.delete(request, context());
    expect(behind).toEqual([]);
  });

  it('does not find what is not there', async () => {
    const request = { network: 'web', endpoint: 'none', waitMs: 0 };
    const refusal = await refusalOf(world.domain.attachments.delete(request, context()));
    expect(refusal).toMatchObject({ code: 'endpoint_not_found', field: 'endpoint' });
  });
});

describe('sweep', () => {
  it('takes back addresses whose endpoint does not come to be in time', async () => {
    await world.attach('web', 'h1');
    await world.ipam.allocate('n1', [{ endpointId: 'lost', host: 'h1' }], context());
    const { sweep } = world.domain;
    expect(await sweep.sweep()).toBe(0);
    world.now += orphanAfterMs - 1;
    expect(await sweep.sweep()).toBe(0);
    world.now += 1;
    expect(await sweep.sweep()).toBe(1);
    expect(world.ipam.released).toEqual(['lost']);
    expect(sweep.released).toBe(1);
  });
});
