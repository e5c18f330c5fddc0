// What is committed, and by whom: each rule is broken by hand.

import { describe, expect, it } from '@jest/globals';
import { keys, type KeyValue } from '@skein/contracts';
import { SmallWorld } from '../testing/small-world';
import { Activations } from './activations';
import { Admission } from './admission';
import { OneHolder } from './one-holder';

describe('P1, one holder', () => {
  it('finds a MAC that is committed to two endpoints of a network', () => {
    const world = new SmallWorld();
    const checker = new OneHolder(world.violations, world.committed, () => []);
    world.attach('a', 'h1', '10.1.0.2');
    checker.took(world.last);
    expect(world.rules).toEqual([]);
    world.attach('b', 'h1', '10.2.0.2');
    checker.took(world.last);
    expect(world.rules).toEqual([]);
    world.attach('c', 'h2', '10.3.0.2', '02:42:0a:01:00:02');
    checker.took(world.last);
    expect(world.rules).toEqual(['P1']);
  });
});

describe('P2, admission', () => {
  it.each([
    ['down', (world: SmallWorld) => world.putHost('h1', 'down')],
    ['drained', (world: SmallWorld) => world.putHost('h1', 'up', { isDraining: true })],
  ])('finds an attach to a host that is %s, and leaves alone who was there before', (_, change) => {
    const world = new SmallWorld();
    const checker = new Admission(world.violations, world.committed);
    world.attach('a', 'h1', '10.1.0.2');
    checker.took(world.last);
    change(world);
    checker.took(world.last);
    world.attach('b', 'h2', '10.1.0.3');
    checker.took(world.last);
    world.detach('a');
    checker.took(world.last);
    expect(world.rules).toEqual([]);
    world.attach('c', 'h1', '10.1.0.4');
    checker.took(world.last);
    expect(world.rules).toEqual(['P2']);
  });
});

describe('P2, activations', () => {
  const key = keys.actor('network', 'n1');
  const kv = (createRevision: number): KeyValue => ({
    ...{ key, value: '{}', version: 1 },
    createRevision,
    modRevision: createRevision,
  });
  const event = (revision: number, type: 'put' | 'delete', createRevision: number) => ({
    revision,
    at: 0,
    events: [{ type, kv: kv(createRevision) }],
  });

  it.each([
    [10, 5, []],
    [20, 11, []],
    [12, 5, ['P2']],
    [10, 11, ['P2']],
    [25, 11, ['P2']],
    [3, 5, ['P2']],
  ])('judges a commit at %i under the activation of %i', (revision, fencing, rules) => {
    const world = new SmallWorld();
    const checker = new Activations(world.violations);
    checker.took(event(5, 'put', 5));
    checker.took(event(11, 'put', 11));
    checker.took(event(24, 'delete', 11));
    checker.committed({ key, fencing, revision });
    expect(world.rules).toEqual(rules);
  });
});
