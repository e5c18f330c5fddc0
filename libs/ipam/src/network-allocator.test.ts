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
  const ready = (id: number): AllocatorEffect[] => {
    submit(id);
    step({ type: 'activated', fence, fencing: 1 });
    return load();
  };
  return { store, allocator, step, submit, load, commit, ready };
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

  it('decides once more after a compare that did not hold, then says so', () => {
    const { ready, step, load } = setUp();
    ready(1);
    expect(kinds(step({ type: 'rejected' }))).toEqual(['load']);
    load();
    expect(step({ type: 'rejected' })).toMatchObject([
      { type: 'answer', outcome: { ok: false, refusal: { code: 'fenced' } } },
      { type: 'load' },
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

  it('gives its place up when nobody asks', () => {
    const { commit, ready, step, allocator } = setUp();
    commit(ready(1));
    expect(kinds(step({ type: 'passivate' }))).toEqual(['deactivate']);
    step({ type: 'deactivated' });
    expect(allocator.isIdle).toBe(true);
  });
});
