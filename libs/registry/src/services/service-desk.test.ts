// Services of a network, over a store in memory.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keys } from '@skein/contracts';
import { context, World } from '../testing/world';
import type { ServiceDesk } from './service-desk';

let world: World;
let desk: ServiceDesk;

beforeEach(async () => {
  world = await World.open();
  await world.network('n1', 'web');
  for (const id of ['h1', 'h2']) await world.host(id);
  desk = world.domain.services;
});
afterEach(() => world.close());

const page = { network: 'web', limit: 100 };
const names = async (): Promise<string[]> =>
  (await desk.list(page, context())).services.map(({ name }) => name);
const show = (service: string) => desk.get({ network: 'web', service }, context());
const declare = (name: string) => desk.declare({ network: 'web', name, labels: {} }, context());
const withdraw = (service: string, ifRevisions?: number[]) =>
  desk.withdraw({ network: 'web', service, ifRevisions }, context());

describe('services', () => {
  it('are what endpoints were attached with, by name, with live backends counted apart', async () => {
    await world.attach('web', 'h1', { name: 'b', service: 'api' });
    await world.attach('web', 'h2', { name: 'a', service: 'api' });
    await world.attach('web', 'h2', { name: 'c' });
    expect(await names()).toEqual(['api']);
    const host = world.view.state.host('h2');
    const { revision: _, ...record } = host ?? { revision: 0 };
    const value = JSON.stringify({ ...record, state: 'down' });
    const down = await world.store.put({ key: keys.host('h2'), value });
    await world.view.reached(down.revision, 1_000);
    const { backends, live, suspended, declared } = await show('api');
    expect(backends.map(({ name, state }) => [name, state])).toEqual([
      ['a', 'suspended'],
      ['b', 'live'],
    ]);
    expect({ live, suspended, declared }).toEqual({ live: 1, suspended: 1, declared: undefined });
  });

  it('are listed without a backend once declared, and only once', async () => {
    const made = await declare('api');
    expect(made).toMatchObject({ name: 'api', live: 0, backends: [], declared: {} });
    expect(await names()).toEqual(['api']);
    expect((await show('api')).revision).toBe(made.revision);
    await expect(declare('api')).rejects.toMatchObject({ code: 'service_exists' });
  });

  it('are withdrawn only as the caller has seen them, and without backends', async () => {
    const { revision } = await declare('api');
    await expect(withdraw('api', [revision - 1])).rejects.toMatchObject({
      code: 'precondition_failed',
      facts: { revision },
    });
    await expect(withdraw('api', [])).rejects.toMatchObject({ code: 'precondition_failed' });
    await world.attach('web', 'h1', { name: 'a', service: 'api' });
    await expect(withdraw('api', [revision])).rejects.toMatchObject({ code: 'service_in_use' });
    const detach = { network: 'web', endpoint: 'a', waitMs: 300 };
    const stale = world.domain.attachments.delete({ ...detach, ifRevisions: [1] }, context());
    await expect(stale).rejects.toMatchObject({ code: 'precondition_failed' });
    await world.domain.attachments.delete(detach, context());
    await withdraw('api', [revision]);
    await expect(show('api')).rejects.toMatchObject({ code: 'service_not_found' });
    await expect(withdraw('api')).rejects.toMatchObject({ code: 'service_not_found' });
  });

  it('are read page by page', async () => {
    for (const name of ['a', 'b', 'c']) await declare(name);
    const first = await desk.list({ network: 'web', limit: 2 }, context());
    expect(first.services.map(({ name }) => name)).toEqual(['a', 'b']);
    const { cursor } = first;
    const second = await desk.list({ network: 'web', limit: 2, cursor }, context());
    expect(second.services.map(({ name }) => name)).toEqual(['c']);
    expect(second.cursor).toBeUndefined();
  });
});
