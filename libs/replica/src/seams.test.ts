// Where the parts of a replica meet: a lease's note and its renewal, a removal and an operator's order. Each is a sequence in which
// every part alone does right.

import { describe, expect, it } from '@jest/globals';
import { createStore, type Outcome, type StoreReply, type StoreRequest } from '@skein/store';
import { TestCluster } from './fixture';
import { Office } from './office';
import type { Answer } from './types';

/** An office whose writes wait until they are applied by hand. */
function office() {
  const store = createStore({ protocolVersion: 2 });
  const log: { request: StoreRequest; answer: Answer<StoreReply> }[] = [];
  const clock = { nowMs: 0 };
  const held: Office = new Office(
    {
      store: () => store,
      nowMs: () => clock.nowMs,
      wallMs: () => clock.nowMs,
      submit: (request, answer) => log.push({ request, answer }),
      confirm: (answer) => answer({ ok: true, reply: { asOfMs: clock.nowMs } }),
      said: () => undefined,
    },
    { historyRevisions: 1_000, historyMs: 0 },
  );
  const applyNext = (): StoreRequest => {
    const next = log.shift();
    if (next === undefined) throw new Error('nothing is on its way');
    const command = { at: clock.nowMs, requests: [next.request] };
    const outcomes: Outcome<StoreReply>[] = store.apply(store.appliedIndex + 1, command);
    held.applied(command, outcomes);
    for (const outcome of outcomes) next.answer(outcome);
    return next.request;
  };
  held.take();
  return { held, store, log, clock, applyNext };
}

const minuteMs = 60_000;

describe('a lease that is renewed while a note of its time left is on its way', () => {
  it('has its full time in the log before the renewal is answered', () => {
    const { held, store, log, clock, applyNext } = office();
    log.push({
      request: { type: 'grantLease', lease: 'l', ttlMs: 6 * minuteMs },
      answer: () => {},
    });
    applyNext();
    clock.nowMs = 5 * minuteMs + 1;
    held.tick(clock.nowMs);
    expect(log.map(({ request }) => request.type)).toEqual(['checkpointLease']);
    let left: number | undefined;
    held.keepAlive('l', () => (left = store.lease('l')?.remainingMs ?? 6 * minuteMs));
    while (log.length > 0) applyNext();
    expect(left).toBe(6 * minuteMs);
    expect(store.lease('l')).not.toHaveProperty('remainingMs');
  });

  it('is also safe from a note that is proposed while the last one is taken back', () => {
    const { held, store, log, clock, applyNext } = office();
    log.push({
      request: { type: 'grantLease', lease: 'l', ttlMs: 20 * minuteMs },
      answer: () => {},
    });
    applyNext();
    clock.nowMs = 6 * minuteMs;
    held.tick(clock.nowMs);
    applyNext();
    clock.nowMs = 12 * minuteMs;
    let left: number | undefined;
    held.keepAlive('l', () => (left = store.lease('l')?.remainingMs ?? 20 * minuteMs));
    held.tick(clock.nowMs);
    expect(log).toHaveLength(2);
    while (log.length > 0) applyNext();
    expect(left).toBe(20 * minuteMs);
    expect(store.lease('l')).not.toHaveProperty('remainingMs');
  });
});

describe('a removed replica that an operator makes the only voter', () => {
  it('takes part again and brings a new member in', () => {
    const cluster = new TestCluster(['r1', 'r2', 'r3']);
    const leader = cluster.leader();
    const [removed] = cluster.followers();
    if (removed === undefined) throw new Error('a follower');
    leader.put('a');
    cluster.pass(200);
    leader.core.changeMembers({ id: removed.id, action: 'remove' }, () => undefined);
    cluster.pass(1_000);
    cluster.reachable = new Set([removed.id, 'r4']);
    expect(removed.core.isRemoved).toBe(true);
    removed.core.forceConfiguration({ incoming: [removed.id], outgoing: [], learners: [] });
    cluster.settle();
    expect(removed.core.isInOffice).toBe(true);
    expect(removed.core.isRemoved).toBe(false);
    const joining = cluster.add('r4');
    removed.core.changeMembers({ id: 'r4', action: 'add', learner: false }, () => undefined);
    cluster.pass(2_000);
    expect(removed.core.status().configuration.incoming).toContain('r4');
    expect(joining.valueOf('a')).toBe('1');
  });
});

describe('a voter that comes back with an empty disk', () => {
  function replaced() {
    const cluster = new TestCluster(['r1', 'r2', 'r3']);
    const leader = cluster.leader();
    const [holder, other] = cluster.followers();
    if (holder === undefined || other === undefined) throw new Error('two followers');
    cluster.pass(500);
    cluster.reachable = new Set([leader.id, holder.id]);
    const told = leader.put('a');
    cluster.settle();
    expect(told.now).toBe('done');
    holder.crash();
    holder.disk.replace();
    holder.start();
    return { cluster, leader, holder, other };
  }

  it('does not elect who lacks what it has forgotten', () => {
    const { cluster, leader, holder, other } = replaced();
    cluster.reachable = new Set([holder.id, other.id]);
    cluster.pass(3_000);
    expect([holder, other].filter(({ core }) => core.isInOffice)).toEqual([]);
    cluster.reachable = undefined;
    cluster.pass(3_000);
    expect(cluster.leader().valueOf('a')).toBe('1');
    expect([leader, holder, other].map((each) => each.valueOf('a'))).toEqual(['1', '1', '1']);
    expect(holder.core.status().isRecovering).toBe(false);
  });

  it('is made whole by the leader who knew it, and counts again', () => {
    const { cluster, leader, holder, other } = replaced();
    cluster.reachable = undefined;
    cluster.pass(1_000);
    expect(holder.valueOf('a')).toBe('1');
    expect(holder.facts).toContainEqual({ kind: 'recovered' });
    other.crash();
    const told = leader.put('b');
    cluster.pass(500);
    expect(told.now).toBe('done');
  });

  it('says nothing of itself that it does not know: a new cluster and a new member start as ever', () => {
    const cluster = new TestCluster(['r1', 'r2', 'r3']);
    cluster.of('r3').crash();
    cluster.leader().put('a');
    cluster.settle();
    cluster.of('r3').start();
    cluster.add('r4');
    cluster.leader().core.changeMembers({ id: 'r4', action: 'add', learner: false }, () => {});
    cluster.pass(1_000);
    for (const id of ['r3', 'r4']) {
      expect(cluster.of(id).valueOf('a')).toBe('1');
      expect(cluster.of(id).facts).not.toContainEqual({ kind: 'recovered' });
    }
  });
});
