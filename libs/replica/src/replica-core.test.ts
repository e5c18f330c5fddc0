// Cores driven by hand: who may answer what, and when. Each rule is one that a driver has been known to break; the bugs' numbers
// are those of the regression list.

import { describe, expect, it } from '@jest/globals';
import { TestCluster } from './fixture';

const trio = ['r1', 'r2', 'r3'] as const;

function three(settings: ConstructorParameters<typeof TestCluster>[1] = {}) {
  const cluster = new TestCluster(trio, settings);
  const leader = cluster.leader();
  const [follower, other] = cluster.followers();
  if (follower === undefined || other === undefined) throw new Error('two followers');
  return { cluster, leader, follower, other };
}

describe('writes', () => {
  it('are answered once a majority holds them', () => {
    const { cluster, leader, follower, other } = three();
    cluster.reachable = new Set([leader.id]);
    const told = leader.put('a');
    cluster.settle();
    expect(told.now).toBeUndefined();
    cluster.reachable = undefined;
    cluster.pass(100);
    expect(told.now).toBe('done');
    expect([leader, follower, other].map((each) => each.valueOf('a'))).toEqual(['1', '1', '1']);
  });

  it('are called refused only if they certainly are not done (bug 22)', () => {
    const { cluster, leader, follower } = three();
    const told = leader.put('a');
    leader.flush();
    cluster.reachable = new Set([leader.id, follower.id]);
    cluster.settle();
    expect(told.now).toBe('done');
    const cut = leader.put('b');
    leader.flush();
    cluster.reachable = new Set(trio.filter((id) => id !== leader.id));
    cluster.pass(1_000);
    expect(leader.core.isInOffice).toBe(false);
    expect(cut.now).toBeUndefined();
    cluster.pass(2_000);
    expect(cut.now).toBe('unknown_outcome');
  });

  it('that a client may repeat are told apart from those that it may not (bug 24)', () => {
    const { cluster, leader } = three();
    const once = { client: 'c', sequence: 1 };
    const numbered = leader.submit({ type: 'put', key: 'a', value: '1', once });
    const plain = leader.put('b');
    leader.flush();
    cluster.reachable = new Set(trio.filter((id) => id !== leader.id));
    cluster.pass(3_000);
    expect([numbered.now, plain.now]).toEqual(['unavailable', 'unknown_outcome']);
    const successor = cluster.leader();
    const again = successor.submit({ type: 'put', key: 'a', value: '1', once });
    const twice = successor.submit({ type: 'put', key: 'a', value: '1', once });
    cluster.settle();
    expect([again.now, twice.now]).toEqual(['done', 'done']);
    expect(successor.core.store.range({ key: 'a' })).toMatchObject({
      reply: { kvs: [{ version: 1 }] },
    });
  });

  it('on their way through a transfer are answered by what the successor commits', () => {
    const { cluster, leader, follower } = three();
    const told = leader.put('a');
    let transferred = '';
    leader.flush();
    leader.core.transfer(follower.id, ({ ok }) => (transferred = String(ok)));
    cluster.pass(200);
    expect(cluster.leader().id).toBe(follower.id);
    expect([told.now, transferred]).toEqual(['done', 'true']);
  });
});

describe('reads', () => {
  it('wait for a confirmation that was asked for after them (bug 18)', () => {
    const { cluster, leader } = three();
    const early = leader.read('a');
    leader.flush();
    cluster.reachable = new Set([leader.id]);
    const late = leader.read('a');
    cluster.settle();
    expect([early.now, late.now]).toEqual([undefined, undefined]);
    cluster.reachable = undefined;
    cluster.pass(100);
    expect([early.now, late.now]).toEqual(['none', 'none']);
  });

  it('of a leader that was cut off are refused, never stale (bug 19)', () => {
    const { cluster, leader } = three();
    cluster.reachable = new Set(trio.filter((id) => id !== leader.id));
    // The old leader stands still while another one is elected and written to.
    const rest = trio.filter((id) => id !== leader.id);
    cluster.pass(1_500, rest);
    const successor = rest.map((id) => cluster.of(id)).find(({ core }) => core.isInOffice);
    successor?.put('a', 'new');
    cluster.settle();
    expect(leader.core.isInOffice).toBe(true);
    const told = leader.read('a');
    cluster.settle();
    expect(told.now).toBeUndefined();
    cluster.reachable = undefined;
    cluster.pass(100);
    expect(told.now).toBe('not_leader');
  });

  it('by lease end with the lease, by the clock and by a transfer (bug 20)', () => {
    const { cluster, leader, follower } = three({ leaseMs: 200 });
    cluster.pass(100);
    cluster.reachable = new Set([leader.id]);
    const held = leader.read('a', 'lease');
    leader.flush();
    expect(held.now).toBe('none');
    cluster.nowMs += 250;
    const late = leader.read('a', 'lease');
    leader.flush();
    expect(late.now).toBeUndefined();
    cluster.reachable = undefined;
    cluster.pass(100);
    leader.core.transfer(follower.id, () => undefined);
    const during = leader.read('a', 'lease');
    leader.flush();
    expect(during.now).toBeUndefined();
  });

  it('from memory wait until the log is replayed after a start (bug 21)', () => {
    const { cluster, follower } = three();
    for (let n = 0; n < 5; n += 1) {
      cluster.leader().put('a', String(n));
      cluster.pass(50);
    }
    follower.crash();
    follower.start();
    expect(follower.disk.hardState.commit).toBeGreaterThan(0);
    expect(follower.read('a', 'stale').now).toBe('unavailable');
    cluster.pass(100);
    expect(follower.read('a', 'stale').now).toBe('4');
  });

  it('of bounded age count from the question, and say how old the state is', () => {
    const { cluster, follower } = three();
    const first = follower.read('a', 'bounded', 300);
    cluster.settle();
    expect(first.now).toBe('none');
    cluster.reachable = new Set([follower.id]);
    cluster.nowMs += 250;
    expect(follower.read('a', 'bounded', 300).now).toBe('none');
    cluster.nowMs += 100;
    const old = follower.read('a', 'bounded', 300);
    expect(old.now).toBeUndefined();
    cluster.pass(1_000);
    expect(old.now).toBe('too_stale');
  });

  it('are served by a follower as linearizable as by the leader', () => {
    const { cluster, leader, follower } = three();
    const written = leader.put('a', 'x');
    cluster.settle();
    expect(written.now).toBe('done');
    const told = follower.read('a');
    cluster.settle();
    expect(told.now).toBe('x');
  });
});

describe('leases', () => {
  it('are ended by a leader only that still leads (bug 36)', () => {
    const { cluster, leader } = three();
    leader.submit({ type: 'grantLease', lease: 'l', ttlMs: 500 });
    cluster.settle();
    cluster.reachable = new Set(trio.filter((id) => id !== leader.id));
    cluster.pass(
      400,
      trio.filter((id) => id !== leader.id),
    );
    const before = leader.core.status().lastIndex;
    cluster.nowMs += 2_000;
    leader.core.tick(0);
    leader.flush();
    expect(leader.core.status().lastIndex).toBe(before);
    expect(leader.facts).not.toContainEqual({ kind: 'leaseExpired', lease: 'l' });
  });

  it('are renewed by a leader only that still leads (bug 36)', () => {
    const { cluster, leader } = three();
    leader.submit({ type: 'grantLease', lease: 'l', ttlMs: 500 });
    cluster.settle();
    const rest = trio.filter((id) => id !== leader.id);
    cluster.reachable = new Set(rest);
    cluster.pass(1_500, rest);
    let told: string | undefined;
    leader.core.keepAlive('l', (answered) => (told = answered.ok ? 'ok' : answered.refusal.code));
    cluster.settle();
    expect(told).toBeUndefined();
    cluster.reachable = undefined;
    cluster.pass(200);
    expect(told).toBe('not_leader');
  });

  it('run out in their time', () => {
    const { cluster, leader } = three();
    leader.submit({ type: 'grantLease', lease: 'l', ttlMs: 500 });
    leader.submit({ type: 'put', key: 'a', value: '1', lease: 'l' });
    cluster.pass(400);
    expect(leader.valueOf('a')).toBe('1');
    cluster.pass(200);
    expect(leader.valueOf('a')).toBe('none');
  });
});

describe('a stalled disk', () => {
  it('costs a leader its office within a second, and no write is lost', () => {
    const { cluster, leader } = three();
    leader.put('a');
    cluster.settle();
    leader.disk.isStalled = true;
    const stuck = leader.put('b');
    cluster.pass(900);
    expect(leader.core.isInOffice).toBe(false);
    expect(cluster.leader().id).not.toBe(leader.id);
    expect(cluster.leader().valueOf('a')).toBe('1');
    leader.disk.isStalled = false;
    cluster.pass(1_000);
    expect(stuck.now).toBe('done');
    expect(leader.valueOf('b')).toBe('1');
  });
});

describe('snapshots', () => {
  const small = { snapshotEntries: 20, trailingEntries: 5 };

  function fill(cluster: TestCluster, count: number): void {
    for (let n = 0; n < count; n += 1) {
      cluster.leader().put(`k${n}`, String(n));
      cluster.settle();
    }
    cluster.pass(200);
  }

  it('are kept, shorten the log by all but a tail, and are enough to start again', () => {
    const { cluster, leader, follower } = three(small);
    fill(cluster, 50);
    expect(follower.core.snapshotIndex).toBeGreaterThanOrEqual(20);
    const { firstIndex } = follower.core.status();
    expect(firstIndex).toBe(follower.core.snapshotIndex - 5 + 1);
    follower.crash();
    follower.start();
    cluster.pass(200);
    expect(follower.valueOf('k0')).toBe('0');
    expect(follower.core.store.status.stateHash).toBe(leader.core.store.status.stateHash);
  });

  it('bring back a replica that missed too much; it does nothing else meanwhile (bug 25)', () => {
    const { cluster, leader, follower } = three(small);
    follower.crash();
    fill(cluster, 60);
    follower.start();
    follower.disk.isStalled = true;
    for (let n = 0; n < 40; n += 1) {
      cluster.pass(25);
      if (!follower.core.status().isInstalling) follower.disk.isStalled = false;
      cluster.settle();
    }
    cluster.pass(500);
    expect(follower.offices).toContain('replaced');
    expect(follower.core.store.status.stateHash).toBe(leader.core.store.status.stateHash);
  });

  it('that a leader can no longer read are kept anew, though nobody writes', () => {
    const { cluster, leader, follower } = three(small);
    follower.crash();
    fill(cluster, 50);
    leader.disk.isSnapshotDamaged = true;
    follower.start();
    cluster.pass(2_000);
    expect(leader.facts.filter(({ kind }) => kind === 'snapshotDamaged')).toHaveLength(1);
    expect(follower.offices).toContain('replaced');
    expect(follower.core.store.status.stateHash).toBe(leader.core.store.status.stateHash);
    expect(leader.core.isInOffice).toBe(true);
  });

  it('that are damaged change nothing and are asked for again', () => {
    const { cluster, leader, follower } = three(small);
    follower.crash();
    fill(cluster, 60);
    follower.start();
    follower.disk.damaged = 2;
    cluster.pass(1_000);
    expect(follower.disk.damaged).toBe(0);
    expect(follower.failure).toBeUndefined();
    expect(follower.offices.filter((office) => office === 'replaced')).toHaveLength(1);
    expect(follower.core.store.status.stateHash).toBe(leader.core.store.status.stateHash);
  });
});

describe('members', () => {
  function change(
    cluster: TestCluster,
    ...args: [Parameters<ReturnType<TestCluster['leader']>['core']['changeMembers']>[0]]
  ): { now?: string } {
    const told: { now?: string } = {};
    cluster.leader().core.changeMembers(args[0], (answered) => {
      told.now = answered.ok ? 'done' : answered.refusal.code;
    });
    return told;
  }

  it('learn before they vote, and then vote', () => {
    const { cluster, leader } = three();
    for (let n = 0; n < 30; n += 1) leader.put(`k${n}`);
    const joining = cluster.add('r4');
    cluster.pass(500);
    expect(joining.core.status()).toMatchObject({ lastIndex: 0, role: 'follower', term: 0 });
    const told = change(cluster, { id: 'r4', action: 'add', learner: false });
    cluster.pass(500);
    expect(told.now).toBe('done');
    expect(leader.core.status().configuration).toMatchObject({
      incoming: ['r1', 'r2', 'r3', 'r4'],
      learners: [],
    });
    expect(joining.valueOf('k29')).toBe('1');
  });

  it('are compared with what the asker knew', () => {
    const { cluster } = three();
    expect(change(cluster, { id: 'r4', action: 'add', expectedIndex: 99 }).now).toBe(
      'configuration_changed',
    );
    expect(change(cluster, { id: 'r9', action: 'promote' }).now).toBe('member_not_found');
  });

  it('that are removed say so once they are told, and stay quiet', () => {
    const { cluster, follower } = three();
    cluster.reachable = new Set(trio.filter((id) => id !== follower.id));
    const told = change(cluster, { id: follower.id, action: 'remove' });
    cluster.pass(300);
    expect(told.now).toBe('done');
    cluster.reachable = undefined;
    cluster.pass(1_000);
    expect(follower.core.isRemoved).toBe(true);
    expect(follower.facts.filter(({ kind }) => kind === 'removed')).toHaveLength(1);
    for (let n = 0; n < 100; n += 1) follower.core.tick(0);
    expect(cluster.mail.filter(({ message }) => message.from === follower.id)).toEqual([]);
  });

  it('lead no longer once they have removed themselves, and the asker is told', () => {
    const { cluster, leader } = three();
    const told = change(cluster, { id: leader.id, action: 'remove' });
    cluster.pass(1_500);
    expect(told.now).toBe('done');
    expect(cluster.leader().id).not.toBe(leader.id);
  });
});

describe('what members tell the leader', () => {
  it('raises the protocol only when every voter understands it', () => {
    const cluster = new TestCluster(trio, { protocolMax: 1 });
    const version = () => cluster.leader().core.store.status.protocolVersion;
    for (const id of trio) {
      cluster.pass(2_000);
      expect(version()).toBe(1);
      cluster.of(id).crash();
      cluster.leader();
      cluster.of(id).start({ protocolMax: 2 });
    }
    cluster.pass(3_000);
    expect(version()).toBe(2);
  });

  it('ends a replica that does not understand what was agreed on', () => {
    const { cluster, follower } = three();
    cluster.pass(2_000);
    expect(follower.core.store.status.protocolVersion).toBe(2);
    follower.crash();
    follower.start({ protocolMax: 1 });
    cluster.pass(1_000);
    expect(follower.failure?.message).toContain('the cluster speaks protocol 2');
  });
});

describe('a core that has ended', () => {
  it('leaves office, answers everything and says no more', () => {
    const { cluster, leader } = three();
    const written = leader.put('a');
    leader.flush();
    const read = leader.read('a');
    leader.core.retire();
    expect([written.now, read.now]).toEqual(['unknown_outcome', 'unavailable']);
    expect(leader.offices.at(-1)).toBe('left');
    expect(leader.put('b').now).toBe('unavailable');
    cluster.mail = [];
    leader.core.tick(0);
    expect(cluster.mail.filter(({ message }) => message.from === leader.id)).toEqual([]);
  });
});
