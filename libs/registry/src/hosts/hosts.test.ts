// Hosts that register, fall silent, come back and are removed, over a store in memory.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keys } from '@skein/contracts';
import { settled } from '../testing/records';
import { context, World } from '../testing/world';

let world: World;

beforeEach(async () => {
  world = await World.open();
  await world.network('n1', 'web');
});
afterEach(() => world.close());

/** Everybody but the silent ones is heard, and calls those dead. */
async function pass(ms: number, silent: string[]): Promise<string[]> {
  world.now += ms;
  for (const id of world.agents.keys()) {
    if (!silent.includes(id)) world.heartbeat(id, silent);
  }
  const down = await world.domain.liveness.look();
  await settled();
  return down;
}

async function silence(...silent: string[]): Promise<string[]> {
  const down: string[] = [];
  for (let beat = 0; beat < 4; beat += 1) down.push(...(await pass(500, silent)));
  return down;
}

describe('registration', () => {
  it('commits the host up and answers whom to gossip with', async () => {
    await world.host('h1');
    const { host, peers, revision } = await world.host('h2');
    expect(host).toMatchObject({ id: 'h2', state: 'up', epoch: 1 });
    expect(peers).toEqual([{ host: 'h1', gossip: '192.0.2.1:7946' }]);
    expect(world.view.state.host('h2')?.revision).toBe(revision);
  });

  it('writes nothing when repeated, and counts epochs by boot id', async () => {
    const first = await world.host('h1');
    expect((await world.host('h1')).revision).toBe(first.revision);
    expect((await world.host('h1', { bootId: 'boot-2' })).host.epoch).toBe(2);
  });

  it.each([
    ['name', { name: 'h1' }],
    ['vtep', { vtep: '192.0.2.1' }],
  ])('refuses the %s of another host', async (field, fields) => {
    await world.host('h1');
    await expect(world.host('h2', fields)).rejects.toMatchObject({ code: 'host_conflict', field });
  });

  it('gives the agent everything that concerns it', async () => {
    await world.host('h1');
    await world.attach('web', 'h1');
    world.agent('h1').kept.replace({ hosts: [], networks: [], endpoints: [] });
    await world.host('h1');
    expect(world.agent('h1').kept.toShare().endpoints).toHaveLength(1);
  });
});

describe('liveness', () => {
  beforeEach(async () => {
    for (const id of ['h1', 'h2', 'h3']) await world.host(id);
    for (const id of ['h1', 'h2']) await world.attach('web', id, { name: id });
  });

  it('commits a silent host down, and the others are told that it is not live', async () => {
    expect(await silence('h1')).toEqual(['h1']);
    expect(world.view.state.host('h1')).toMatchObject({ state: 'down' });
    expect(world.agent('h2').kept.host('h1')?.live).toBe(false);
    expect(world.agent('h2').kept.toShare().endpoints).toHaveLength(2);
    expect(world.heartbeat('h1')).toMatchObject({ registerAgain: true });
  });

  it('suspends its endpoints and restores them in one revision each', async () => {
    await silence('h1');
    const { queries } = world.domain;
    const stateOf = () => queries.endpoint(world.view.endpoint('n1', 'h1')!).state;
    expect(stateOf()).toBe('suspended');
    const before = world.store.revision;
    await world.host('h1');
    expect(world.store.revision).toBe(before + 1);
    expect(stateOf()).toBe('live');
    expect(world.agent('h2').kept.host('h1')?.live).toBe(true);
  });

  it('leaves an attach waiting for no host that is down', async () => {
    await silence('h1');
    world.agent('h1').isSilent = true;
    expect((await world.attach('web', 'h2')).behind).toEqual([]);
  });

  it('cuts nobody off while heartbeats come', async () => {
    expect(await silence()).toEqual([]);
  });

  it('holds still after it stood still itself', async () => {
    world.now += 5_000;
    for (const id of ['h2', 'h3']) world.heartbeat(id, ['h1']);
    const held = await world.domain.liveness.look();
    expect(held).toEqual(['h1']);
  });
});

describe('removal', () => {
  beforeEach(async () => {
    for (const id of ['h1', 'h2', 'h3']) await world.host(id);
    for (const id of ['h1', 'h2']) await world.attach('web', id, { name: id });
  });

  it('is refused while the host is up', async () => {
    await expect(world.domain.removal.remove('h1', context())).rejects.toMatchObject({
      code: 'host_in_use',
    });
  });

  it('detaches what a host that is down held, and forgets it', async () => {
    await silence('h1');
    const { releasedEndpoints } = await world.domain.removal.remove('h1', context());
    await settled();
    expect(releasedEndpoints).toBe(1);
    expect(world.ipam.released).toHaveLength(1);
    expect(await world.store.get(keys.host('h1'))).toBeUndefined();
    expect(world.agent('h2').kept.toShare()).toMatchObject({
      hosts: [{ id: 'h2' }],
      endpoints: [{ name: 'h2' }],
    });
  });
});

describe('views', () => {
  it('count networks and endpoints, and page by name', async () => {
    for (const id of ['h1', 'h2', 'h3']) await world.host(id);
    for (const name of ['a', 'b', 'c']) await world.attach('web', 'h1', { name });
    const { queries } = world.domain;
    const first = queries.endpoints('n1', { limit: 2 });
    expect(first.endpoints.map(({ name }) => name)).toEqual(['a', 'b']);
    const second = queries.endpoints('n1', { limit: 2, cursor: first.cursor });
    expect(second.endpoints.map(({ name }) => name)).toEqual(['c']);
    expect(second.cursor).toBeUndefined();
    expect(queries.hosts({ limit: 1 }).hosts[0]).toMatchObject({ networks: 1, endpoints: 3 });
    expect(queries.networks({ limit: 9 }).networks[0]).toMatchObject({
      endpoints: 3,
      hosts: ['h1'],
    });
  });
});
