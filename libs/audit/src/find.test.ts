import { beforeEach, describe, expect, it } from '@jest/globals';
import { keys } from '@skein/contracts';
import { auditFindings, auditStateOf, confirmed, findingKinds } from './index';
import {
  at,
  createNetwork,
  drop,
  endpoint,
  held,
  limits,
  look,
  mac,
  patch,
  put,
  soundState,
  store,
} from './testing/sound-state';
import { faults } from './testing/spoilt-states';

beforeEach(soundState);

describe('an audit of the store', () => {
  it('finds nothing in a sound state', async () => {
    expect(await look()).toEqual([]);
  });

  it.each(faults)('finds %s', async (_, spoil, kinds, end) => {
    await spoil();
    const found = await look();
    expect([...new Set(found.map(({ kind }) => kind))].sort()).toEqual([...kinds].sort());
    for (const { repair } of found) {
      if (repair === undefined) continue;
      const { compare, success } = repair;
      expect((await store.txn({ compare: [...compare], success: [...success] })).succeeded).toBe(
        true,
      );
    }
    // A repair may make room for the next one: a gateway is held once whoever had it is gone.
    for (const { repair } of await look()) {
      if (repair !== undefined)
        await store.txn({ compare: [...repair.compare], success: [...repair.success] });
    }
    const left = await look();
    if (end === 'repaired') expect(left).toEqual([]);
    else expect(left.map(({ repair }) => repair)).toContain(undefined);
  });

  it('has a case for every kind', () => {
    const tried = new Set(faults.flatMap(([, , kinds]) => kinds));
    const ofOthers = [
      'actor_differs',
      'endpoint_not_plugged',
      'plugged_without_endpoint',
      'plugged_addresses_differ',
    ];
    expect([...tried, ...ofOthers].sort()).toEqual([...findingKinds].sort());
  });

  it('gives what is new time to become whole', async () => {
    const young = { cause: { request: 'r', at: limits.now - 59_000 } };
    await put(at('44'), held('x', '10.0.0.68', young));
    await put(keys.mac('web', mac), { endpointId: 'x' });
    expect(await look()).toEqual([]);
  });

  it('repairs nothing that has moved since it was seen', async () => {
    await put(at('44'), held('x', '10.0.0.68'));
    const [finding] = await look();
    await put(keys.endpoint('web', 'x'), endpoint('x', '10.0.0.68'));
    const { compare = [], success = [] } = finding?.repair ?? {};
    expect((await store.txn({ compare: [...compare], success: [...success] })).succeeded).toBe(
      false,
    );
    expect(JSON.parse((await store.get(at('44')))?.value ?? '')).toMatchObject({ state: 'held' });
  });

  it('never lets go of an address whose endpoint lives', async () => {
    for (const [, spoil] of faults) {
      await spoil();
      for (const { repair } of await look()) {
        const writes = repair?.success.filter(({ key }) => key === at('02')) ?? [];
        for (const write of writes)
          expect(write).toMatchObject({ type: 'put', value: expect.stringContaining('"held"') });
      }
    }
  });

  it('passes over records that rest, and endpoints of hosts that are down', async () => {
    await patch(keys.host('h1'), { state: 'down', reason: 'gossip' });
    expect(await look()).toEqual([]);
  });

  it('keeps to one network where that is asked', async () => {
    await createNetwork('db', 5_001, [{ cidr: '10.1.0.0/24' }]);
    await drop(keys.networkName('db'));
    await drop(keys.networkName('web'));
    const { kvs, revision } = await store.range({ key: '/skein/', prefix: true });
    const found = auditFindings(auditStateOf(kvs, revision), limits, 'db');
    expect(found.map(({ subject }) => subject)).toEqual(['db']);
  });
});

describe('a second look', () => {
  it('confirms what stands on the same records, and nothing that was written meanwhile', async () => {
    await put(at('44'), held('x', '10.0.0.68'));
    await put(keys.endpointName('web', 'x'), { endpointId: 'x' });
    const first = await look();
    expect(first).toHaveLength(2);
    await patch(at('44'), { fencing: 9 });
    expect(confirmed(first, await look()).map(({ kind }) => kind)).toEqual([
      'name_without_endpoint',
    ]);
  });
});
