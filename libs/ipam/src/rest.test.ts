import { beforeEach, describe, expect, it } from '@jest/globals';
import { keys } from './fixture';
import { NetworkView } from './network-view';
import { type SubnetSpec } from './subnet-plan';
import { Turn, type AddressCommand } from './turn';
import {
  addressesOf,
  allocate,
  create,
  release,
  reset,
  restMs,
  run,
  store,
  view,
} from './turn-fixture';

beforeEach(reset);

describe('a rest', () => {
  /** One activation's view, on a monotonic clock, while the wall clock does as it likes. */
  const setUp = (...subnets: SubnetSpec[]) => {
    create(...subnets);
    const content = store.content('web');
    if (content === null) throw new Error('no network');
    let kept = new NetworkView(content);
    return {
      reload: (monotonicMs: number) => {
        kept = new NetworkView(store.content('web') ?? content, monotonicMs + restMs);
      },
      run: (command: AddressCommand, monotonicMs: number, wallMs: number) => {
        const fencing = store.get(keys.actor('network', 'web'))?.createRevision ?? 0;
        const key = keys.actor('network', 'web');
        const fence = { key, target: 'createRevision', operator: '=', value: fencing } as const;
        const clock = { now: wallMs, monotonicMs };
        const turn = new Turn(kept, { keys, fence, fencing, restMs, ...clock });
        const outcome = turn.run(command);
        turn.sweep();
        const { succeeded, revision } = store.commit(turn.transaction());
        if (!succeeded) throw new Error('not committed');
        kept.settle(revision, monotonicMs + restMs);
        return addressesOf(outcome);
      },
    };
  };
  const resting = () => store.addresses('web').filter(({ state }) => state === 'resting').length;

  it.each([
    ['forward by a year', 31_536_000_000],
    ['back by a year', -31_536_000_000],
    ['not at all', 0],
  ])('takes its time when the wall clock jumps %s', (_, jump) => {
    const actor = setUp({ cidr: '10.0.0.0/24' });
    const wall = 40_000_000_000;
    actor.run(allocate('a'), 0, wall);
    actor.run(release('a'), 10, wall + 10);
    actor.run(allocate('b'), 9 + restMs, wall + jump);
    expect(resting()).toBe(1);
    actor.run(allocate('c'), 10 + restMs, wall + jump + 1);
    expect(resting()).toBe(0);
  });

  it('begins again under a new activation, which can’t know how long it took', () => {
    const actor = setUp({ cidr: '10.0.0.0/24' });
    actor.run(allocate('a'), 0, 0);
    actor.run(release('a'), 1, 0);
    actor.reload(500);
    actor.run(allocate('b'), 499 + restMs, 10 * restMs);
    expect(resting()).toBe(1);
    actor.run(allocate('c'), 500 + restMs, 0);
    expect(resting()).toBe(0);
  });

  it('is over for the address that has rested before those that have not', () => {
    const actor = setUp({ cidr: '10.0.0.0/29' });
    actor.run(allocate('a', 'b', 'c', 'd', 'e'), 0, 0);
    actor.run(release('d'), 10, 0);
    actor.run(release('b'), 20, -5_000);
    expect(actor.run(allocate('f'), 10 + restMs, 0)).toEqual(['10.0.0.5/29']);
    expect(actor.run(allocate('g'), 15 + restMs, 0)).toEqual(['10.0.0.3/29']);
  });

  it('that a refused request had ended goes on', () => {
    const actor = setUp({ cidr: '10.0.0.0/30' });
    actor.run(allocate('a'), 0, 0);
    actor.run(release('a'), 10, 0);
    expect(actor.run(allocate('b', 'c'), 20, 0)).toEqual(['pool_exhausted']);
    expect(resting()).toBe(1);
    actor.run(release('nobody'), 9 + restMs, 0);
    expect(resting()).toBe(1);
    actor.run(release('nobody'), 10 + restMs, 0);
    expect(resting()).toBe(0);
  });
});

describe('memory', () => {
  it.each([
    ['10.0.0.0/8', 'fd00::/64'],
    ['10.0.0.0/22', 'fd00::/118'],
  ])('is taken by what is in use, of %s and %s alike', (four, six) => {
    create({ cidr: four }, { cidr: six });
    for (let batch = 0; batch < 5; batch += 1) {
      const names = Array.from({ length: 100 }, (_, index) => `e${batch}-${index}`);
      expect(addressesOf(run(allocate(...names)))).toHaveLength(200);
    }
    const one = view();
    // Two gateways, and two addresses of each of 500 endpoints.
    expect(one.size).toBe(1_002);
    expect(one.pools.flatMap((pool) => Object.values(pool)).filter(isLarge)).toEqual([]);
  });

  const isLarge = (value: unknown): boolean =>
    value instanceof Map ||
    value instanceof Set ||
    Array.isArray(value) ||
    ArrayBuffer.isView(value);
});
