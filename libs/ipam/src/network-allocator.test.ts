import { describe, expect, it } from '@jest/globals';
import { cause, FixtureStore, keys } from './fixture';
import { NetworkAllocator, type AllocatorEffect, type AllocatorInput } from './network-allocator';

const now = { wallMs: 10_000, monotonicMs: 0 };
const fence = { key: '/actor', target: 'createRevision', operator: '=', value: 0 } as const;

function setUp(maxWaiting?: number) {
  const store = new FixtureStore();
  store.create({ name: 'web', subnets: [{ cidr: '10.0.0.0/30' }] });
  const allocator = new NetworkAllocator({
    keys,
    networkId: 'web',
    restMs: 1_000,
    ...(maxWaiting === undefined ? {} : { maxWaiting }),
  });
  const step = (input: AllocatorInput): AllocatorEffect[] => allocator.step(input, now);
  const submit = (...ids: number[]): AllocatorEffect[] =>
    step({
      type: 'submit',
      commands: ids.map((id) => ({
        id,
        command: { kind: 'allocate', requests: [{ endpointId: `e${id}`, host: 'h1' }], cause },
        deadlineMs: 100,
      })),
    });
  const load = (isCurrent = true): AllocatorEffect[] =>
    step({ type: 'loaded', content: store.content('web'), isCurrent });
  const commit = (effects: AllocatorEffect[]): AllocatorEffect[] => {
    const [effect] = effects;
    if (effect?.type !== 'commit') throw new Error(`expected a commit, not ${effect?.type}`);
    const { succeeded, revision } = store.commit(effect.transaction);
    return step(succeeded ? { type: 'committed', revision } : { type: 'rejected' });
  };
  const reread = (effects: AllocatorEffect[]): AllocatorEffect[] => {
    const [effect] = effects.filter(({ type }) => type === 'reread');
    if (effect?.type !== 'reread') throw new Error('expected a reread');
    return step({ type: 'reread', found: effect.keys.flatMap((key) => store.get(key) ?? []) });
  };
  const ready = (id: number): AllocatorEffect[] => {
    submit(id);
    step({ type: 'activated', fence, fencing: 1 });
    return load();
  };
  return { store, allocator, step, submit, load, reread, commit, ready };
}
const kinds = (effects: AllocatorEffect[]): string[] => effects.map(({ type }) => type);

describe('a network’s allocator', () => {
  it('activates, reads, commits, and answers only then', () => {
    const { submit, step, load, commit } = setUp();
    expect(kinds(submit(1))).toEqual(['activate']);
    expect(kinds(step({ type: 'activated', fence, fencing: 1 }))).toEqual(['load']);
    const effects = load();
    expect(kinds(effects)).toEqual(['commit']);
    expect(commit(effects)).toMatchObject([{ type: 'answer', id: 1, outcome: { ok: true } }]);
  });

  it('sends everybody to the replica that has the activation', () => {
    const { allocator, submit, step } = setUp();
    submit(1, 2);
    const effects = step({ type: 'heldElsewhere', holder: 'r2' });
    expect(effects).toEqual([
      { type: 'elsewhere', id: 1, holder: 'r2' },
      { type: 'elsewhere', id: 2, holder: 'r2' },
    ]);
    expect(allocator.isIdle).toBe(true);
  });

  it('reads anew before it refuses on an old view', () => {
    const { commit, ready, submit, load } = setUp();
    commit(ready(1));
    const doubtful = commit(submit(2));
    expect(kinds(doubtful)).toEqual(['load']);
    expect(commit(load())).toMatchObject([
      { id: 2, outcome: { ok: false, refusal: { code: 'pool_exhausted' } } },
    ]);
  });

  it('reads what it compared when that did not hold, twice, then all of it, then says so', () => {
    const { ready, step, load, reread } = setUp();
    ready(1);
    const first = step({ type: 'rejected' });
    expect(first).toEqual([
      { type: 'reread', keys: ['/actor', '/network/web', '/address/web/4-0a000002'] },
    ]);
    expect(kinds(reread(first))).toEqual(['commit']);
    expect(kinds(step({ type: 'rejected' }))).toEqual(['load']);
    load();
    expect(kinds(step({ type: 'rejected' }))).toEqual(['load']);
    load();
    expect(step({ type: 'rejected' })).toMatchObject([
      { type: 'answer', outcome: { ok: false, refusal: { code: 'fenced' } } },
      { type: 'reread' },
    ]);
  });

  it('takes over what others wrote where it compared, and decides on that', () => {
    const { store, ready, submit, commit, reread } = setUp();
    commit(ready(1));
    // The registry released e1's address in a transaction of its own, as a reboot does.
    const key = '/address/web/4-0a000002';
    const record = JSON.parse(store.get(key)?.value ?? '') as object;
    store.put(key, { ...record, state: 'resting' });
    const refused = commit(submit(1));
    expect(kinds(refused)).toEqual(['reread']);
    const again = reread(refused);
    expect(kinds(again)).toEqual(['commit']);
    expect(commit(again)).toMatchObject([{ id: 1, outcome: { ok: true } }]);
    expect(JSON.parse(store.get(key)?.value ?? '')).toMatchObject({ state: 'held' });
  });

  it('reads all of a network that was given a subnet, and gives addresses of it', () => {
    const { store, ready, submit, load, commit, reread } = setUp();
    commit(ready(1));
    const { network } = store.content('web') ?? {};
    const gateway = { address: 'fd00::1', networkId: 'web', state: 'held', kind: 'gateway', cause };
    const more = { cidr: 'fd00::/64', gateway: 'fd00::1', reserved: {} };
    store.put('/network/web', { ...network, subnets: [more] });
    store.put('/address/web/6-fd000000000000000000000000000001', {
      ...gateway,
      reservedAs: 'gateway',
    });
    const refused = commit(submit(2));
    expect(kinds(refused)).toEqual(['reread']);
    expect(kinds(reread(refused))).toEqual(['load']);
    expect(commit(load())).toMatchObject([
      { outcome: { reply: { allocations: [{ addresses: ['fd00::2/64'] }] } } },
    ]);
  });

  it('lets what rests when it takes over rest on, whatever the record says', () => {
    const { store, allocator, submit, step, commit } = setUp();
    const record = { networkId: 'web', state: 'resting', kind: 'endpoint', endpointId: 'x', cause };
    store.put('/address/web/4-0a000003', { ...record, address: '10.0.0.3', until: 1 });
    const at = (monotonicMs: number) => ({ wallMs: 10_000_000, monotonicMs });
    const known = () => [...(allocator.beliefs ?? [])].map(([sortable]) => sortable.slice(-1));
    const turn = (id: number, monotonicMs: number): void => {
      const command = { kind: 'release', endpointIds: ['nobody'], cause } as const;
      const commands = [{ id, command, deadlineMs: 100_000 }];
      const [effect] = allocator.step({ type: 'submit', commands }, at(monotonicMs));
      if (effect?.type !== 'commit') throw new Error('expected a commit');
      const { revision } = store.commit(effect.transaction);
      allocator.step({ type: 'committed', revision }, at(monotonicMs));
    };
    submit(1);
    step({ type: 'activated', fence, fencing: 1 });
    const content = store.content('web');
    commit(allocator.step({ type: 'loaded', content, isCurrent: true }, at(50)));
    turn(2, 1_049);
    expect(known()).toContain('3');
    turn(3, 1_050);
    expect(known()).not.toContain('3');
  });

  it('leaves when its place was taken, which it finds while it looks again', () => {
    const { ready, step } = setUp();
    ready(1);
    step({ type: 'rejected' });
    const place = { key: '/actor', value: '', createRevision: 9, modRevision: 9, version: 1 };
    expect(kinds(step({ type: 'reread', found: [place] }))).toEqual(['activate']);
  });

  it('fails whoever waits if it can’t look again', () => {
    const { ready, step, allocator } = setUp();
    ready(1);
    step({ type: 'rejected' });
    expect(step({ type: 'failed', failure: 'no store' })).toEqual([
      { type: 'fail', id: 1, failure: 'no store' },
      { type: 'deactivate' },
    ]);
    step({ type: 'deactivated' });
    expect(allocator.isIdle).toBe(true);
  });

  it('refuses a taken address on an old view, with no more than one commit', () => {
    const { ready, commit, step } = setUp();
    commit(ready(1));
    const request = { endpointId: 'e2', host: 'h1', addresses: ['10.0.0.2'] };
    const command = { kind: 'allocate', requests: [request], cause } as const;
    const effects = step({ type: 'submit', commands: [{ id: 2, command, deadlineMs: 100 }] });
    expect(commit(effects)).toMatchObject([
      { type: 'answer', id: 2, outcome: { refusal: { code: 'address_taken' } } },
    ]);
  });

  it('takes a new activation after an unknown outcome', () => {
    const { ready, step } = setUp();
    ready(1);
    expect(kinds(step({ type: 'unknownOutcome' }))).toEqual(['deactivate']);
    expect(kinds(step({ type: 'deactivated' }))).toEqual(['activate']);
  });

  it('does nothing more on a view whose activation is gone', () => {
    const { ready, step, commit, submit, load } = setUp();
    commit(ready(1));
    expect(step({ type: 'lost' })).toEqual([]);
    expect(kinds(submit(2))).toEqual(['activate']);
    step({ type: 'activated', fence, fencing: 2 });
    expect(kinds(load(false))).toEqual(['activate']);
  });

  it('answers that the network is gone and leaves', () => {
    const { submit, step } = setUp();
    submit(1);
    step({ type: 'activated', fence, fencing: 1 });
    expect(step({ type: 'loaded', content: null, isCurrent: true })).toMatchObject([
      { type: 'answer', outcome: { refusal: { code: 'network_not_found' } } },
      { type: 'deactivate' },
    ]);
  });

  it('decides nothing whose deadline has passed', () => {
    const { allocator, submit, step, store } = setUp();
    submit(1);
    step({ type: 'activated', fence, fencing: 1 });
    const input = { type: 'loaded', content: store.content('web'), isCurrent: true } as const;
    const effects = allocator.step(input, { wallMs: 10_000, monotonicMs: 100 });
    expect(effects).toMatchObject([{ outcome: { refusal: { code: 'deadline_exceeded' } } }]);
    expect(kinds(effects)).toEqual(['answer']);
  });

  it('refuses what is more than may wait', () => {
    const { submit } = setUp(2);
    expect(submit(1, 2, 3)).toMatchObject([
      { type: 'answer', id: 3, outcome: { refusal: { code: 'overloaded' } } },
      { type: 'activate' },
    ]);
  });

  it('tells what it believes of its addresses, and reads all anew when it is told to', () => {
    const { store, allocator, ready, commit, step, load } = setUp();
    expect(allocator.beliefs).toBeNull();
    const effects = ready(1);
    expect(allocator.beliefs).toBeNull();
    commit(effects);
    const stored = () => store.all('/address/web/').map((kv) => [kv.key.slice(13), kv.modRevision]);
    expect([...(allocator.beliefs ?? [])]).toEqual(stored());
    store.apply({ type: 'delete', key: '/address/web/4-0a000002' });
    expect(kinds(step({ type: 'reload' }))).toEqual(['load']);
    load();
    expect([...(allocator.beliefs ?? [])]).toEqual(stored());
  });

  it('gives its place up when nobody asks', () => {
    const { commit, ready, step, allocator } = setUp();
    commit(ready(1));
    expect(kinds(step({ type: 'passivate' }))).toEqual(['deactivate']);
    step({ type: 'deactivated' });
    expect(allocator.isIdle).toBe(true);
  });
});
