import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keys, type AddressRecord } from '@skein/contracts';
import { silentLogger } from '@skein/messaging';
import { World } from '../testing/world';
import { AddressSweep, orphanAfterMs } from './address-sweep';

let world: World;
let sweep: AddressSweep;
let attaching: string;
let released: [string, string[]][];
let refusing: string;
/** The host whose containers may still be heard. */
let talking: string;
let waits: { ms: number; action: () => void }[];

beforeEach(async () => {
  world = await World.open();
  await world.network('n1', 'web');
  await world.network('n2', 'db');
  await world.host('h1');
  released = [];
  attaching = refusing = talking = '';
  const { store, view } = world;
  waits = [];
  const after = (ms: number, action: () => void): (() => void) => {
    const wait = { ms, action };
    waits.push(wait);
    return () => void (waits = waits.filter((each) => each !== wait));
  };
  sweep = new AddressSweep({
    store,
    view,
    time: { wallMs: () => 0, monotonicMs: () => world.now, after, soon: (action) => action() },
    logger: silentLogger,
    isAttaching: (endpointId) => endpointId === attaching,
    lastHolder: { isSilent: ({ host }, revision) => host !== talking && revision > 0 },
    addresses: {
      allocate: () => Promise.reject(new Error('a sweep allocates nothing')),
      release: (networkId, ids) => {
        if (networkId === refusing) return Promise.reject(new Error('ipam does not answer'));
        released.push([networkId, ids]);
        return Promise.resolve(ids.length);
      },
    },
  });
});
afterEach(() => world.close());

const put = (key: string, value: string) => world.store.put({ key, value });
const hold = (endpointId: string, change: Partial<AddressRecord> = {}, last = 9) => {
  const networkId = change.networkId ?? 'n1';
  const cause = { request: 'r', at: 0 };
  const record = { address: `10.1.0.${last}`, networkId, state: 'held', kind: 'endpoint', cause };
  const key = keys.address(networkId, `4-0a01${last.toString(16).padStart(4, '0')}`);
  return put(key, JSON.stringify({ ...record, endpointId, host: 'h1', ...change }));
};
/** Twice, as far apart as it takes. */
const sweepTwice = async (): Promise<number> => {
  await sweep.sweep();
  world.now += orphanAfterMs;
  return sweep.sweep();
};

describe('the sweep of addresses', () => {
  it('takes back what is held for an endpoint that never came', async () => {
    await hold('lost');
    expect(await sweepTwice()).toBe(1);
    expect(released).toEqual([['n1', ['lost']]]);
  });

  it('leaves alone what its endpoint has, what rests, and what is reserved', async () => {
    await world.attach('web', 'h1', { name: 'a' });
    await hold('gone', { state: 'resting' }, 8);
    await hold('none', { kind: 'gateway' }, 1);
    await put(keys.address('n1', '4-0a010005'), '{ not JSON');
    await put(keys.address('n1', '4-0a010006'), '{"state":"held"}');
    expect(await sweepTwice()).toBe(0);
    expect(released).toEqual([]);
  });

  it('takes nothing back while its last holder may be heard', async () => {
    await hold('lost');
    talking = 'h1';
    expect(await sweepTwice()).toBe(0);
    talking = '';
    expect(await sweep.sweep()).toBe(1);
  });

  it('leaves alone what is being attached', async () => {
    await hold('slow');
    attaching = 'slow';
    expect(await sweepTwice()).toBe(0);
    attaching = '';
    expect(await sweep.sweep()).toBe(0);
    world.now += orphanAfterMs;
    expect(await sweep.sweep()).toBe(1);
  });

  it('counts from the first time that it sees an orphan, whatever its record says', async () => {
    await hold('old', { cause: { request: 'r', at: 9e12 } });
    expect(await sweep.sweep()).toBe(0);
    world.now += orphanAfterMs - 1;
    expect(await sweep.sweep()).toBe(0);
    world.now += 1;
    expect(await sweep.sweep()).toBe(1);
  });

  it('begins to count anew for an orphan that was none in between', async () => {
    await hold('late');
    await sweep.sweep();
    const { endpoints } = await world.attach('web', 'h1', { name: 'a' });
    const record = JSON.stringify({
      ...endpoints[0],
      id: 'late',
      name: 'late',
      revision: undefined,
    });
    await put(keys.endpoint('n1', 'late'), record);
    world.now += orphanAfterMs;
    expect(await sweep.sweep()).toBe(0);
    await world.store.delete({ key: keys.endpoint('n1', 'late') });
    expect(await sweep.sweep()).toBe(0);
    world.now += orphanAfterMs;
    expect(await sweep.sweep()).toBe(1);
  });

  it('asks network by network, in batches, and goes on where one can’t be asked', async () => {
    for (let index = 0; index < 400; index += 1) await hold(`e${index}`, {}, index);
    await hold('x', { networkId: 'n2' });
    refusing = 'n1';
    expect(await sweepTwice()).toBe(1);
    refusing = '';
    expect(await sweep.sweep()).toBe(401);
    const [, ...ofWeb] = released;
    expect(ofWeb.map(([id, ids]) => [id, ids.length])).toEqual([
      ['n1', 256],
      ['n1', 144],
      ['n2', 1],
    ]);
  });

  it('looks again and again, resting a millisecond an address, until it is stopped', async () => {
    for (let index = 0; index < 501; index += 1) await hold(`e${index}`, {}, index);
    const next = async (): Promise<number | undefined> => {
      waits.shift()?.action();
      for (let turn = 0; turn < 50 && waits.length === 0; turn += 1) await setImmediate();
      return waits[0]?.ms;
    };
    sweep.start();
    expect(waits.map(({ ms }) => ms)).toEqual([10_000]);
    expect(await next()).toBe(500);
    expect(await next()).toBe(10_000);
    sweep.stop();
    expect(waits).toEqual([]);
    sweep.start();
    expect(await next()).toBe(500);
    sweep.stop();
    world.now += orphanAfterMs;
    expect(await next()).toBeUndefined();
    expect(released).toEqual([]);
  });

  it('leaves alone what is attached anew while it looks', async () => {
    for (let index = 0; index < 501; index += 1) await hold(`e${index}`, {}, index);
    const look = async (whileResting: () => void): Promise<number> => {
      const swept = sweep.sweep();
      while (waits.length === 0) await setImmediate();
      whileResting();
      waits.shift()?.action();
      return swept;
    };
    expect(await look(() => undefined)).toBe(0);
    world.now += orphanAfterMs;
    expect(await look(() => (attaching = 'e0'))).toBe(500);
    expect(released.flatMap(([, ids]) => ids)).not.toContain('e0');
  });

  it('judges nothing by a view that is behind the store', async () => {
    await hold('there');
    await sweep.sweep();
    world.now += orphanAfterMs;
    Object.assign(world.view, { reached: () => Promise.resolve(false) });
    await expect(sweep.sweep()).rejects.toThrow('behind');
    expect(released).toEqual([]);
  });
});
