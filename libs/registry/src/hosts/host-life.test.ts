// New boots, removal, drain, and hosts that come and go: over a store in memory, with time in the test's hands.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keys } from '@skein/contracts';
import { settled } from '../testing/records';
import { context, type World } from '../testing/world';
import { addressOf, openWorldOfThree, silence, threeHosts } from '../testing/world-of-three';
import { defaultHostLeaseMs as leaseMs, fenceMarginMs } from './host-lease';

let world: World;

beforeEach(async () => {
  world = await openWorldOfThree();
});
afterEach(() => world.close());

async function look(): Promise<string[]> {
  const taken = await world.domain.fencing.look();
  await settled();
  return taken;
}

describe('a new boot', () => {
  beforeEach(async () => {
    for (const name of ['a', 'b']) await world.attach('web', 'h1', { name });
    await world.attach('store', 'h1', { name: 'd' });
  });

  it('has the next epoch, and nothing of what the boot before held', async () => {
    const { host } = await world.host('h1', { bootId: 'boot-2' });
    expect(host).toMatchObject({ epoch: 2, state: 'up', formerBoots: ['boot-1'] });
    expect(['a', 'b', 'd'].map((name) => addressOf(world, name))).toEqual(['gone', 'gone', 'gone']);
    expect(world.ipam.released).toHaveLength(3);
  });

  it('is up only after all of that is gone', async () => {
    const states: string[] = [];
    world.view.onChange(() => {
      const { state = 'none' } = world.view.state.host('h1') ?? {};
      states.push(`${state} ${world.view.state.networksOf('h1').size}`);
    });
    await world.host('h1', { bootId: 'boot-2' });
    expect(states.filter((each, index) => each !== states[index - 1])).toEqual([
      'down 2',
      'down 0',
      'up 0',
    ]);
  });

  it('goes on where another registry was interrupted', async () => {
    const { txn } = world.store;
    let count = 0;
    world.store.txn = (...asked) => {
      count += 1;
      return count === 2 ? Promise.reject(new Error('died')) : txn.apply(world.store, asked);
    };
    await expect(world.host('h1', { bootId: 'boot-2' })).rejects.toThrow('died');
    expect(world.view.state.host('h1')).toMatchObject({ state: 'down', bootId: 'boot-1' });
    await world.takeOver();
    const { host } = await world.host('h1', { bootId: 'boot-2' });
    expect(host).toMatchObject({ epoch: 2, state: 'up' });
    expect(addressOf(world, 'a')).toBe('gone');
  });

  it('shuts the boot before out, however late that speaks', async () => {
    await world.host('h1', { bootId: 'boot-2' });
    await expect(world.host('h1', { bootId: 'boot-1' })).rejects.toMatchObject({
      code: 'boot_replaced',
      field: 'bootId',
    });
    expect(world.heartbeat('h1', [], 'boot-1')).toMatchObject({ registerAgain: true });
    expect(world.view.state.host('h1')).toMatchObject({ bootId: 'boot-2', epoch: 2, state: 'up' });
  });
});

describe('removal', () => {
  beforeEach(async () => {
    await world.attach('web', 'h1', { name: 'a', aliases: ['first'] });
    await world.attach('store', 'h1', { name: 'b' });
  });

  const remove = () => world.domain.removal.remove('h1', context(60_000));

  it('can be previewed: what would go, by count and by name', async () => {
    const preview = await world.domain.removal.preview('h1', context());
    expect(preview).toMatchObject({
      host: 'h1',
      state: 'up',
      counts: { networks: 2, endpoints: 2, addresses: 2, names: 3 },
      networks: [
        { name: 'store', onHostLoss: 'keep', endpoints: 1 },
        { name: 'web', onHostLoss: 'fence', endpoints: 1 },
      ],
      endpoints: [
        { network: 'store', name: 'b', addresses: ['10.1.0.3/16'] },
        { network: 'web', name: 'a', names: ['a', 'first'] },
      ],
    });
    expect(world.view.state.host('h1')).toBeDefined();
  });

  it('waits for a fenced endpoint to be silent, as long as there is time', async () => {
    await silence(world, 'h1');
    const hurried = world.domain.removal.remove('h1', context(1_000));
    await expect(hurried).rejects.toMatchObject({ code: 'unavailable' });
    expect(addressOf(world, 'a')).toBe('10.1.0.2/16');
    world.now += leaseMs + fenceMarginMs;
    expect(await remove()).toMatchObject({ releasedEndpoints: 2 });
  });

  it('refuses the boot that was removed, and says what to do; another one goes on counting', async () => {
    await silence(world, 'h1');
    await look();
    world.now += leaseMs + fenceMarginMs;
    await remove();
    await settled();
    const back = world.host('h1');
    await expect(back).rejects.toMatchObject({ code: 'host_removed', facts: { epoch: 1 } });
    await expect(back).rejects.toThrow('skein host readmit h1');
    expect((await world.host('h1', { bootId: 'boot-2' })).host).toMatchObject({ epoch: 2 });
    await expect(world.host('h1')).rejects.toMatchObject({ code: 'boot_replaced' });
    expect(await world.store.get(keys.removedHost('h1'))).toBeUndefined();
  });

  it('can be taken back for the same boot', async () => {
    await silence(world, 'h1');
    await look();
    world.now += leaseMs + fenceMarginMs;
    await remove();
    await settled();
    await world.domain.removal.readmit('h1', context());
    expect((await world.host('h1')).host).toMatchObject({ epoch: 2, bootId: 'boot-1' });
    await expect(world.domain.removal.readmit('h1', context())).rejects.toMatchObject({
      code: 'host_not_found',
    });
  });
});

describe('drain', () => {
  const drain = (isDraining: boolean) =>
    world.domain.registry.drain({ host: 'h1', isDraining }, context());

  it('refuses new endpoints, keeps those that are there, and ends when told to', async () => {
    await world.attach('web', 'h1', { name: 'a' });
    expect(await drain(true)).toMatchObject({ isDraining: true, state: 'up' });
    await expect(world.attach('web', 'h1', { name: 'e' })).rejects.toMatchObject({
      code: 'host_draining',
      field: 'endpoints.0.host',
    });
    expect(addressOf(world, 'a')).toBe('10.1.0.2/16');
    expect(world.heartbeat('h1').leaseMs).toBe(leaseMs);
    expect(await drain(true)).toMatchObject({ isDraining: true });
    expect((await drain(false)).isDraining).toBeUndefined();
    await world.attach('web', 'h1', { name: 'e' });
  });

  it('is not called ended by a registry that has not seen it begin, nor by one that was deposed', async () => {
    const key = keys.host('h1');
    const record = JSON.parse((await world.store.get(key))!.value) as object;
    const drained = { ...record, isDraining: true };
    const put = world.store.put({ key, value: JSON.stringify(drained) });
    const ended = drain(false);
    await put;
    expect((await ended).isDraining).toBeUndefined();
    expect((await world.store.get(key))!.value).not.toContain('isDraining');
    const deposed = await world.takeOver();
    const asked = deposed.registry.drain({ host: 'h1', isDraining: false }, context(50));
    await expect(asked).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('outlives registrations, of new boots as well', async () => {
    await drain(true);
    expect((await world.host('h1')).host.isDraining).toBe(true);
    expect((await world.host('h1', { bootId: 'boot-2' })).host.isDraining).toBe(true);
  });
});

describe('a host that comes and goes', () => {
  async function flap(): Promise<void> {
    await silence(world, 'h1');
    await world.host('h1');
  }

  it('is kept down for longer each time, and says for how long', async () => {
    for (let time = 0; time < 3; time += 1) {
      await flap();
      world.now += 10_001;
      for (const id of threeHosts) world.heartbeat(id);
    }
    await silence(world, 'h1');
    const { queries } = world.domain;
    const seen = () => queries.host(world.view.state.host('h1')!);
    expect(seen()).toMatchObject({ flaps: 4, heldBackMs: 2_000 });
    world.now += 1_999;
    await expect(world.host('h1')).rejects.toMatchObject({
      code: 'host_held_back',
      facts: { flaps: 4, retryInMs: 1 },
    });
    world.now += 1;
    expect(seen().heldBackMs).toBeUndefined();
    expect((await world.host('h1')).host.state).toBe('up');
  });
});
