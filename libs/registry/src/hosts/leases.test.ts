// Leases of hosts, and what becomes of what a host without one held: over a store in memory, with time in the test's hands.

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
    await silence(world, 'h1');
    expect(world.heartbeat('h1').leaseMs).toBeUndefined();
  });

  it('is not granted for a share of before the host came back', async () => {
    await world.attach('web', 'h1', { name: 'a' });
    const { kept, programmed } = world.agent('h1');
    const before = { revision: programmed, digest: kept.digest };
    await silence(world, 'h1');
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
    await silence(world, 'h1');
  });

  it('takes nothing back before every lease has run out', async () => {
    await look();
    world.now += leaseMs + fenceMarginMs - 1;
    expect(await look()).toEqual([]);
    expect(addressOf(world, 'a')).toBe('10.1.0.2/16');
    world.now += 1;
    expect(await look()).toEqual(['h1']);
    expect(addressOf(world, 'a')).toBe('gone');
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
    expect(addressOf(world, 'a')).toBe('gone');
  });

  it('leaves other networks and other hosts what they have', async () => {
    await look();
    world.now += leaseMs + fenceMarginMs;
    await look();
    expect(addressOf(world, 'b')).toBe('10.1.0.3/16');
    expect(addressOf(world, 'c')).toBe('10.1.0.4/16');
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
    expect(addressOf(world, 'a')).toBe('10.1.0.2/16');
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
    for (const id of threeHosts) world.heartbeat(id);
    expect(await look()).toEqual([]);
    await silence(world, 'h1');
    expect(await look()).toEqual([]);
    expect(addressOf(world, 'a')).toBe('10.1.0.2/16');
  });

  it('begins anew if the host came back and went between two looks', async () => {
    await look();
    await world.host('h1');
    world.now += leaseMs + fenceMarginMs + 10_000;
    for (const id of threeHosts) world.heartbeat(id);
    await silence(world, 'h1');
    expect(await look()).toEqual([]);
    expect(addressOf(world, 'a')).toBe('10.1.0.2/16');
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
    expect(addressOf(world, 'a')).toBe('10.1.0.2/16');
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
