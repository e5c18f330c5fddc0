// Addresses are held for a boot of a host: what the boot before asked for, the one that repeats the request takes over.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { keys } from './fixture';
import { type AddressRecord } from './records';
import { addressesOf, allocate, create, reset, run, store, turnOn, view } from './turn-fixture';

const of = (bootId: string) => allocate(['a', { bootId }], ['b', { bootId }]);
const held = (): AddressRecord[] =>
  store.addresses('web').filter(({ kind }) => kind === 'endpoint');

beforeEach(() => {
  reset();
  create({ cidr: '10.0.0.0/24' }, { cidr: 'fd00::/64' });
});

describe('an allocation that another boot of the host repeats', () => {
  it('gives the same addresses and holds them for the boot that asks', () => {
    const first = addressesOf(run(of('first')));
    expect(addressesOf(run(of('second')))).toEqual(first);
    expect(held().map(({ bootId }) => bootId)).toEqual(Array(4).fill('second'));
    const { revision } = store;
    expect(addressesOf(run(of('second')))).toEqual(first);
    expect(store.revision).toBe(revision);
  });

  it('holds them for the host that asks', () => {
    run(of('first'));
    run(allocate(['a', { host: 'h2', bootId: 'other' }]));
    const others = held().filter(({ host }) => host === 'h2');
    expect(others.map(({ endpointId, bootId }) => `${endpointId} ${bootId}`)).toEqual(
      Array(2).fill('a other'),
    );
  });

  it('leaves them to the boot that has attached the endpoint', () => {
    run(of('second'));
    store.put(keys.endpoint('web', 'a'), {});
    const { revision } = store;
    const unaware = turnOn(view());
    unaware.run(of('first'));
    expect(store.commit(unaware.transaction()).succeeded).toBe(false);
    const aware = view();
    aware.refreshAttached('a', true);
    const turn = turnOn(aware);
    expect(addressesOf(turn.run(allocate(['a', { bootId: 'first' }])))).toHaveLength(2);
    expect(turn.transaction().success).toEqual([]);
    expect(store.commit(turn.transaction()).succeeded).toBe(true);
    expect(held().map(({ bootId }) => bootId)).toEqual(Array(4).fill('second'));
    expect(store.revision).toBe(revision);
  });
});
