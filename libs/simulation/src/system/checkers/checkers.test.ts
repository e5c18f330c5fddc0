// Each checker is shown what it must find, and what it must let pass.

import { describe, expect, it } from '@jest/globals';
import { SmallWorld } from '../testing/small-world';
import { Authority } from './authority';
import { DataPlane } from './data-plane';
import { KeptWrites } from './kept-writes';
import { KnownWay } from './known-way';
import { NeedToKnow } from './need-to-know';
import { OneHolder } from './one-holder';

async function attachedPair(onHostLoss: 'keep' | 'fence' = 'keep') {
  const world = new SmallWorld(onHostLoss);
  world.attach('a', 'h1', '10.1.0.2');
  const revision = world.attach('b', 'h2', '10.1.0.3');
  await world.program('h1');
  await world.program('h2');
  return { world, revision };
}

describe('P1, one holder', () => {
  it('finds an address that answers on two hosts at once', async () => {
    const { world } = await attachedPair();
    const { violations, committed, hosts } = world;
    const checker = new OneHolder(violations, committed, () => hosts.values());
    checker.kernelChanged(world.host('h1'), null);
    expect(world.rules).toEqual([]);
    world.detach('a');
    world.attach('c', 'h3', '10.1.0.2');
    await world.program('h3');
    checker.kernelChanged(world.host('h3'), null);
    expect(world.rules).toEqual(['P1']);
  });

  it('lets an old holder pass whose guard keeps it silent', async () => {
    const { world } = await attachedPair('fence');
    const { violations, committed, hosts, queue } = world;
    const checker = new OneHolder(violations, committed, () => hosts.values());
    world.detach('a');
    world.attach('c', 'h3', '10.1.0.2');
    await world.program('h3');
    const ports = [...(world.host('h3').kernel.networks.get('skein-100')?.veths.keys() ?? [])];
    const guard = world.host('h3').kernel.networks.get('skein-100')?.guard;
    for (const port of ports) guard?.ports.set(port, queue.nowMs + 1_000);
    if (guard !== null && guard !== undefined) guard.untilWallMs = Infinity;
    checker.kernelChanged(world.host('h3'), null);
    expect(world.rules).toEqual([]);
  });

  it('finds an address that is committed to two endpoints', async () => {
    const { world } = await attachedPair();
    const { violations, committed, hosts } = world;
    const checker = new OneHolder(violations, committed, () => hosts.values());
    world.attach('c', 'h3', '10.1.0.9');
    checker.took(world.last);
    expect(world.rules).toEqual([]);
    world.attach('d', 'h2', '10.1.0.9');
    checker.took(world.last);
    expect(world.rules).toEqual(['P1']);
  });
});

describe('P2, authority', () => {
  it('finds a row that nobody committed', async () => {
    const { world } = await attachedPair();
    const checker = new Authority(world.violations, world.committed);
    const row = { kind: 'neighbor', action: 'put', netns: 'skein-100', reason: 'test' } as const;
    const [address, mac] = ['10.1.0.3', '02:42:0a:01:00:03'];
    checker.kernelChanged(world.host('h1'), { ...row, address, mac });
    expect(world.rules).toEqual([]);
    checker.kernelChanged(world.host('h1'), { ...row, address: '10.1.0.77', mac });
    expect(world.rules).toEqual(['P2']);
  });

  it('finds an answer for a revision that the kernel does not hold', async () => {
    const { world, revision } = await attachedPair();
    const checker = new Authority(world.violations, world.committed);
    const host = world.host('h1');
    const digest = world.committed.state.digestOf('h1');
    checker.acknowledged(host, { programmed: revision, digest }, false);
    expect(world.rules).toEqual([]);
    host.kernel.networks.get('skein-100')?.fdb.clear();
    checker.acknowledged(host, { programmed: revision, digest }, false);
    expect(world.rules).toEqual(['P2']);
  });

  it('finds an agent that goes back, and one that holds another share', async () => {
    const { world, revision } = await attachedPair();
    const digest = world.committed.state.digestOf('h1');
    const back = new Authority(world.violations, world.committed);
    back.acknowledged(world.host('h1'), { programmed: revision, digest }, true);
    const earlier = world.committed.shareAt('h1', revision - 1)?.digest ?? '';
    back.acknowledged(world.host('h1'), { programmed: revision - 1, digest: earlier }, true);
    expect(world.violations.list).toHaveLength(1);
    back.acknowledged(world.host('h1'), { programmed: revision, digest: 'another' }, true);
    expect(world.violations.list).toHaveLength(2);
  });

  it('tells a kernel that differs from the committed state', async () => {
    const { world } = await attachedPair();
    const checker = new Authority(world.violations, world.committed);
    expect(checker.differences(world.host('h1'))).toEqual([]);
    world.attach('c', 'h2', '10.1.0.4');
    expect(checker.differences(world.host('h1'))).not.toEqual([]);
  });
});

describe('P3, kept writes', () => {
  const opened = (world: SmallWorld) => {
    const reclaimed: string[] = [];
    const { violations, committed } = world;
    const checker = new KeptWrites(violations, committed, (id) => void reclaimed.push(id));
    return { checker, reclaimed };
  };

  it('finds an acknowledged attach that is not there, at once or later', async () => {
    const { world, revision } = await attachedPair();
    const { checker } = opened(world);
    checker.attachedAt('b', revision);
    checker.took();
    expect(world.rules).toEqual([]);
    world.detach('b');
    checker.took();
    expect(world.rules).toEqual(['P3']);
    checker.attachedAt('never', revision);
    expect(world.violations.list).toHaveLength(2);
  });

  it('finds an acknowledged detach that is still there', async () => {
    const { world } = await attachedPair();
    const { checker } = opened(world);
    checker.detachedAt('a');
    expect(world.rules).toEqual(['P3']);
  });

  it('lets a fenced network take back what a host that is down has, and nothing else', async () => {
    const { world, revision } = await attachedPair('fence');
    const { checker, reclaimed } = opened(world);
    checker.attachedAt('a', revision);
    checker.attachedAt('b', revision);
    world.putHost('h2', 'down');
    world.detach('b');
    checker.took();
    expect([reclaimed, world.rules]).toEqual([['b'], []]);
    world.detach('a');
    checker.took();
    expect(world.rules).toEqual(['P3']);
  });
});

describe('P4, data plane', () => {
  it('finds a pair that talked and does no more, unless somebody laid hands on it', async () => {
    const { world } = await attachedPair();
    const all = (): boolean => true;
    const checker = new DataPlane(world.violations, world.hosts, all, () => false);
    checker.look();
    const network = world.host('h1').kernel.networks.get('skein-100');
    network?.neighbors.clear();
    checker.harmed('h1');
    checker.look();
    expect(world.rules).toEqual([]);
    await world.program('h1');
    checker.look();
    network?.neighbors.clear();
    checker.look();
    expect(world.rules).toEqual(['P4']);
  });

  it('finds a container that loses its interface', async () => {
    const { world } = await attachedPair();
    const checker = new DataPlane(
      world.violations,
      world.hosts,
      () => true,
      () => false,
    );
    checker.look();
    world.host('h2').kernel.networks.get('skein-100')?.veths.clear();
    checker.look();
    expect(world.rules).toEqual(['P4']);
  });
});

describe('P5, need to know', () => {
  it('finds a push that tells of a network that the host has no part in', async () => {
    const { world, revision } = await attachedPair();
    const checker = new NeedToKnow(world.violations, world.committed);
    const share = world.committed.state.shareOf('h1');
    const push = { kind: 'snapshot', revision, digest: '', share } as const;
    checker.pushed(world.host('h1'), push);
    expect(world.rules).toEqual([]);
    checker.pushed(world.host('h3'), push);
    expect(world.rules).toEqual(['P5']);
  });

  it('finds a network that stays on a host in calm weather, and waits in foul', async () => {
    const { world } = await attachedPair();
    const checker = new NeedToKnow(world.violations, world.committed);
    world.detach('b');
    for (let second = 0; second < 60; second += 1) checker.look(world.host('h2'), false, 1_000);
    expect(world.rules).toEqual([]);
    for (let second = 0; second < 20; second += 1) checker.look(world.host('h2'), true, 1_000);
    expect(world.rules).toEqual(['P5']);
  });
});

describe('P6, known way', () => {
  it('finds a host without the row, unless it is named, down or harmed', async () => {
    const { world } = await attachedPair();
    let isHarmed = false;
    const { violations, committed, hosts } = world;
    const checker = new KnownWay(violations, committed, hosts, () => isHarmed);
    const revision = world.attach('c', 'h2', '10.1.0.4');
    const answer = { endpoints: [{ id: 'c' }], revision, behind: [] as string[] };
    checker.attached({ ...answer, behind: ['h1'] });
    isHarmed = true;
    checker.attached(answer);
    isHarmed = false;
    expect(world.rules).toEqual([]);
    checker.attached(answer);
    expect(world.rules).toEqual(['P6']);
  });

  it('asks nothing of a host that left meanwhile and has come again', async () => {
    const { world } = await attachedPair();
    const { violations, committed, hosts } = world;
    const checker = new KnownWay(violations, committed, hosts, () => false);
    const revision = world.attach('c', 'h1', '10.1.0.4');
    await world.program('h1');
    world.detach('b');
    await world.program('h2');
    const joined = world.attach('d', 'h2', '10.1.0.5');
    checker.attached({ endpoints: [{ id: 'c' }], revision, behind: [] });
    expect(world.rules).toEqual([]);
    checker.attached({ endpoints: [{ id: 'd' }], revision: joined, behind: ['h1', 'h2'] });
    expect(world.rules).toEqual([]);
  });

  it('asks nothing of a host that was down, and came up while the attach waited', async () => {
    const { world } = await attachedPair();
    const { violations, committed, hosts } = world;
    const checker = new KnownWay(violations, committed, hosts, () => false);
    world.putHost('h1', 'down');
    const revision = world.attach('c', 'h2', '10.1.0.4');
    world.putHost('h1', 'up');
    checker.attached({ endpoints: [{ id: 'c' }], revision, behind: [] });
    expect(world.rules).toEqual([]);
    const next = world.attach('d', 'h2', '10.1.0.5');
    checker.attached({ endpoints: [{ id: 'd' }], revision: next, behind: [] });
    expect(world.rules).toEqual(['P6']);
  });

  it('finds that the endpoint’s own host does not know the ways to the others', async () => {
    const { world } = await attachedPair();
    const { violations, committed, hosts } = world;
    const checker = new KnownWay(violations, committed, hosts, () => false);
    const revision = world.attach('c', 'h3', '10.1.0.4');
    const answer = { endpoints: [{ id: 'c' }], revision };
    await Promise.all(['h1', 'h2'].map((each) => world.program(each)));
    checker.attached({ ...answer, behind: ['h3'] });
    expect(world.rules).toEqual([]);
    checker.attached({ ...answer, behind: [] });
    expect(world.rules).toEqual(['P6']);
  });

  it('finds a stranger among those who are said to be behind', async () => {
    const { world, revision } = await attachedPair();
    const { violations, committed, hosts } = world;
    const checker = new KnownWay(violations, committed, hosts, () => false);
    checker.attached({ endpoints: [{ id: 'b' }], revision, behind: [] });
    expect(world.rules).toEqual([]);
    checker.attached({ endpoints: [{ id: 'b' }], revision, behind: ['h3'] });
    expect(world.rules).toEqual(['P6']);
  });
});
