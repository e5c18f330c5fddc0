// Addresses of endpoints that were detached while their container may go on being heard.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keys, type AddressRecord } from '@skein/contracts';
import { defaultHostLeaseMs, fenceMarginMs } from '../hosts/host-lease';
import { settled } from '../testing/records';
import { context, World } from '../testing/world';
import { orphanAfterMs } from './address-sweep';

let world: World;
beforeEach(async () => {
  world = await World.open();
  await world.network('n1', 'web');
  await world.network('n2', 'jobs', { onHostLoss: 'fence' });
  for (const id of ['h1', 'h2']) await world.host(id);
});
afterEach(() => world.close());

const held = async (networkId = 'n1'): Promise<AddressRecord[]> => {
  const { kvs } = await world.store.range({ key: keys.addresses(networkId), prefix: true });
  return kvs.map(({ value }) => JSON.parse(value) as AddressRecord);
};
const detach = (network: string, endpoint: string) =>
  world.domain.attachments.delete({ network, endpoint, waitMs: 50 }, context());
const goDown = async (host: string): Promise<void> => {
  world.agent(host).isSilent = true;
  await world.domain.registry.takeDown([{ host, reason: 'test' }]);
  await settled();
};
/** Often enough, over a time that is long enough. */
const sweep = async (): Promise<number> => {
  let sum = await world.domain.sweep.sweep();
  world.now += orphanAfterMs;
  sum += await world.domain.sweep.sweep();
  return sum;
};

describe('a detached endpoint’s address', () => {
  it('is free at once when its host has unplugged it', async () => {
    await world.attach('web', 'h1', { name: 'a' });
    expect(await detach('web', 'a')).toMatchObject({ behind: [] });
    expect(await held()).toEqual([]);
  });

  it('stays held while its agent does not answer, and is free soon after it does', async () => {
    await world.attach('web', 'h1', { name: 'a' });
    world.agent('h1').isSilent = true;
    expect(await detach('web', 'a')).toMatchObject({ behind: ['h1'] });
    expect(await held()).toMatchObject([{ state: 'held', host: 'h1' }]);
    expect(await sweep()).toBe(0);
    world.agent('h1').isSilent = false;
    world.domain.feeds.feed('h1')?.resync();
    await settled();
    expect(await held()).toEqual([]);
  });

  it('stays held on a network that keeps, while its host is down', async () => {
    await world.attach('web', 'h1', { name: 'a' });
    await goDown('h1');
    await detach('web', 'a');
    expect(await sweep()).toBe(0);
    expect(await held()).toHaveLength(1);
    world.agent('h1').isSilent = false;
    await world.host('h1');
    expect(await world.domain.sweep.sweep()).toBe(1);
    expect(await held()).toEqual([]);
  });

  it('is free once its host is started anew, or removed', async () => {
    await world.attach('web', 'h1', { name: 'a' });
    await world.attach('web', 'h2', { name: 'b' });
    for (const id of ['h1', 'h2']) await goDown(id);
    for (const name of ['a', 'b']) await detach('web', name);
    expect(await sweep()).toBe(0);
    await world.domain.removal.remove('h2', context());
    expect(await world.domain.sweep.sweep()).toBe(1);
    await world.host('h1', { bootId: 'boot-2' });
    expect(await world.domain.sweep.sweep()).toBe(1);
  });

  it('is free on a network that fences once its host has lost its lease', async () => {
    await world.attach('jobs', 'h1', { name: 'a' });
    await goDown('h1');
    world.domain.fencing.silentInMs(world.view.state.host('h1')!);
    world.now += defaultHostLeaseMs + fenceMarginMs;
    await detach('jobs', 'a');
    expect(await held('n2')).toEqual([]);
  });
});
