// Leases of hosts, and what becomes of what a host without one held: over a store in memory, with time in the test's hands.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keys } from '@skein/contracts';
import { settled } from '../testing/records';
import { context, World } from '../testing/world';
import { defaultHostLeaseMs as leaseMs, fenceMarginMs } from './host-lease';

let world: World;
const hosts = ['h1', 'h2', 'h3'];

beforeEach(async () => {
  world = await World.open();
  await world.network('n1', 'web', { onHostLoss: 'fence' });
  await world.network('n2', 'store');
  for (const id of hosts) await world.host(id);
});
afterEach(() => world.close());

/** Everybody but the silent ones is heard for a while, and calls those dead. */
async function silence(...silent: string[]): Promise<void> {
  for (let beat = 0; beat < 4; beat += 1) {
    world.now += 500;
    for (const id of hosts) if (!silent.includes(id)) world.heartbeat(id, silent);
    await world.domain.liveness.look();
    await settled();
  }
  for (const id of silent) expect(world.view.state.host(id)?.state).toBe('down');
}

async function look(): Promise<string[]> {
  const taken = await world.domain.fencing.look();
  await settled();
  return taken;
}

async function addressOf(name: string): Promise<string> {
  const [found] = ['n1', 'n2'].flatMap((id) => world.view.endpoint(id, name) ?? []);
  return found?.addresses[0] ?? 'gone';
}

describe('a lease', () => {
  it('is granted with the answer to a heartbeat', () => {
    expect(world.heartbeat('h1')).toMatchObject({ registerAgain: false, leaseMs });
  });

  it('is granted by nobody who may no longer be in office', () => {
    world.isInOffice = false;
    expect(world.heartbeat('h1').leaseMs).toBeUndefined();
  });

  it('is not granted to another boot, nor to a host that is down', async () => {
    expect(world.heartbeat('h1', [], 'boot-0')).toEqual({
      registerAgain: true,
      revision: world.view.revision,
    });
    await silence('h1');
    expect(world.heartbeat('h1').leaseMs).toBeUndefined();
  });

  it('is not granted for a share of before the host came back', async () => {
    await world.attach('web', 'h1', { name: 'a' });
    const { kept, programmed } = world.agent('h1');
    const before = { revision: programmed, digest: kept.digest };
    await silence('h1');
    world.agent('h1').isSilent = true;
    await world.host('h1');
    const beat = (programmed: number, digest: string) =>
      world.domain.registry.heartbeat({
        host: 'h1',
        bootId: 'boot-1',
        programmed,
        digest,
        repairs: {},
        opinions: [],
      });
    const old = beat(before.revision, 'ffffffffffffffff');
    expect(old.registerAgain).toBe(false);
    expect(old.leaseMs).toBeUndefined();
    world.agent('h1').isSilent = false;
    world.domain.feeds.feed('h1')?.resync();
    await settled();
    expect(world.heartbeat('h1').leaseMs).toBe(leaseMs);
    expect(beat(before.revision - 1, before.digest).leaseMs).toBeUndefined();
  });
});

describe('a host that is looked at', () => {
  const shown = (id: string) => world.domain.queries.host(world.view.state.host(id)!);

  it('has its lease with it, as long as that can last, and what falls silent without', async () => {
    await world.attach('web', 'h1', { name: 'a' });
    await world.attach('store', 'h1', { name: 'b' });
    expect(shown('h1').lease).toBeUndefined();
    world.heartbeat('h1');
    world.now += 1_000;
    const lease = { epoch: 1, bootId: 'boot-1', lastsMs: leaseMs, leftMs: leaseMs - 1_000 };
    expect(shown('h1').lease).toEqual({ ...lease, fences: ['web'] });
    world.now += leaseMs;
    expect(shown('h1').lease).toMatchObject({ leftMs: 0 });
  });

  it('has what its peers think of it, of those who were heard lately', async () => {
    world.heartbeat('h2', ['h1'], 'boot-1', ['h2', 'h3']);
    world.heartbeat('h3', [], 'boot-1', ['h1', 'h2']);
    expect(shown('h1').opinions).toEqual({ alive: 1, suspect: [], dead: ['h2'] });
    expect(shown('h2').opinions).toEqual({ alive: 1, suspect: [], dead: [] });
    world.now += 5_000;
    expect(shown('h1').opinions).toBeUndefined();
  });
});

describe('fence', () => {
  beforeEach(async () => {
    await world.attach('web', 'h1', { name: 'a', aliases: ['first'] });
    await world.attach('store', 'h1', { name: 'b' });
    await world.attach('web', 'h2', { name: 'c' });
    await silence('h1');
  });

  it('takes nothing back before every lease has run out', async () => {
    await look();
    world.now += leaseMs + fenceMarginMs - 1;
    expect(await look()).toEqual([]);
    expect(await addressOf('a')).toBe('10.1.0.2/16');
    world.now += 1;
    expect(await look()).toEqual(['h1']);
    expect(await addressOf('a')).toBe('gone');
    expect(world.ipam.released).toHaveLength(1);
    expect(await world.store.get(keys.endpointName('n1', 'first'))).toBeUndefined();
  });

  it('lets nobody free an address before it is silent', async () => {
    await look();
    const detach = (network: string, endpoint: string) =>
      world.domain.attachments.delete({ network, endpoint, waitMs: 10 }, context());
    await expect(detach('web', 'a')).rejects.toMatchObject({
      code: 'unavailable',
      facts: { retryInMs: leaseMs + fenceMarginMs },
    });
    await detach('store', 'b');
    world.now += leaseMs + fenceMarginMs;
    await detach('web', 'a');
    expect(await addressOf('a')).toBe('gone');
  });

  it('leaves other networks and other hosts what they have', async () => {
    await look();
    world.now += leaseMs + fenceMarginMs;
    await look();
    expect(await addressOf('b')).toBe('10.1.0.3/16');
    expect(await addressOf('c')).toBe('10.1.0.4/16');
  });

  it('counts anew in another registry, whose own time it is', async () => {
    await look();
    world.now += leaseMs + fenceMarginMs;
    await world.takeOver();
    expect(await look()).toEqual([]);
    world.now += leaseMs + fenceMarginMs;
    expect(await look()).toEqual(['h1']);
  });

  it('is done by nobody who was followed by another', async () => {
    await look();
    const deposed = await world.takeOver();
    world.now += leaseMs + fenceMarginMs;
    await deposed.fencing.look();
    await settled();
    expect(await addressOf('a')).toBe('10.1.0.2/16');
    world.isInOffice = false;
    await look();
    world.now += leaseMs + fenceMarginMs;
    expect(await look()).toEqual([]);
  });

  it('begins anew if the host came back in between, and takes nothing while it is up', async () => {
    await look();
    world.now += leaseMs;
    await world.host('h1');
    world.now += fenceMarginMs + leaseMs;
    for (const id of hosts) world.heartbeat(id);
    expect(await look()).toEqual([]);
    await silence('h1');
    expect(await look()).toEqual([]);
    expect(await addressOf('a')).toBe('10.1.0.2/16');
  });

  it('begins anew if the host came back and went between two looks', async () => {
    await look();
    await world.host('h1');
    world.now += leaseMs + fenceMarginMs + 10_000;
    for (const id of hosts) world.heartbeat(id);
    await silence('h1');
    expect(await look()).toEqual([]);
    expect(await addressOf('a')).toBe('10.1.0.2/16');
  });

  it('stops where the host comes back at that very moment', async () => {
    await look();
    world.now += leaseMs + fenceMarginMs;
    const { txn } = world.store;
    let isFirst = true;
    world.store.txn = async (...asked) => {
      if (isFirst) {
        isFirst = false;
        const kv = await world.store.get(keys.host('h1'));
        const record = { ...JSON.parse(kv!.value), state: 'up' };
        await txn.call(world.store, {
          success: [{ type: 'put', key: keys.host('h1'), value: JSON.stringify(record) }],
        });
      }
      return txn.apply(world.store, asked);
    };
    expect(await look()).toEqual([]);
    expect(await addressOf('a')).toBe('10.1.0.2/16');
  });

  it('deletes no name that another endpoint has taken since', async () => {
    await look();
    world.now += leaseMs + fenceMarginMs;
    const { txn } = world.store;
    let isFirst = true;
    world.store.txn = async (...asked) => {
      if (isFirst) {
        isFirst = false;
        const old = world.view.endpoint('n1', 'a')!;
        await txn.call(world.store, {
          success: [
            { type: 'delete', key: keys.endpoint('n1', old.id) },
            { type: 'put', key: keys.endpointName('n1', 'a'), value: '{"endpointId":"other"}' },
          ],
        });
      }
      return txn.apply(world.store, asked);
    };
    await look();
    expect((await world.store.get(keys.endpointName('n1', 'a')))?.value).toContain('other');
  });

  it('does not care what the wall clock says', async () => {
    await look();
    world.wallNow = world.now + 86_400_000;
    expect(await look()).toEqual([]);
    world.wallNow = 0;
    world.now += leaseMs + fenceMarginMs;
    expect(await look()).toEqual(['h1']);
  });
});

describe('a new boot', () => {
  beforeEach(async () => {
    for (const name of ['a', 'b']) await world.attach('web', 'h1', { name });
    await world.attach('store', 'h1', { name: 'd' });
  });

  it('has the next epoch, and nothing of what the boot before held', async () => {
    const { host } = await world.host('h1', { bootId: 'boot-2' });
    expect(host).toMatchObject({ epoch: 2, state: 'up', formerBoots: ['boot-1'] });
    expect(await Promise.all(['a', 'b', 'd'].map(addressOf))).toEqual(['gone', 'gone', 'gone']);
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
    expect(await addressOf('a')).toBe('gone');
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
    await silence('h1');
    const hurried = world.domain.removal.remove('h1', context(1_000));
    await expect(hurried).rejects.toMatchObject({ code: 'unavailable' });
    expect(await addressOf('a')).toBe('10.1.0.2/16');
    world.now += leaseMs + fenceMarginMs;
    expect(await remove()).toMatchObject({ releasedEndpoints: 2 });
  });

  it('refuses the boot that was removed, and says what to do; another one goes on counting', async () => {
    await silence('h1');
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
    await silence('h1');
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
    expect(await addressOf('a')).toBe('10.1.0.2/16');
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
    await silence('h1');
    await world.host('h1');
  }

  it('is kept down for longer each time, and says for how long', async () => {
    for (let time = 0; time < 3; time += 1) {
      await flap();
      world.now += 10_001;
      for (const id of hosts) world.heartbeat(id);
    }
    await silence('h1');
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
