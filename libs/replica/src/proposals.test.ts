// Writes on their way: gathered into entries, answered by what was applied, and never called refused while they may yet be done.

import { describe, expect, it } from '@jest/globals';
import type { LogEntry, Proposal } from '@skein/raft';
import { createStore, decodeCommand, type StoreRequest } from '@skein/store';
import { maxWaitingCharacters, orphanPatienceMs, Proposals } from './proposals';

const put = (key: string, sequence?: number): StoreRequest => ({
  type: 'put',
  key,
  value: 'v',
  ...(sequence === undefined ? {} : { once: { client: 'c', sequence } }),
});
/** The code of a refusal, or `done`; absent until it is answered. */
function fate(proposals: Proposals, request: StoreRequest): { now?: string } {
  const told: { now?: string } = {};
  proposals.submit(request, (answered) => {
    expect(told.now).toBeUndefined();
    told.now = answered.ok ? 'done' : answered.refusal.code;
  });
  return told;
}

function proposing() {
  const proposed: Proposal[] = [];
  let isDeferred = false;
  const proposals = new Proposals({
    propose: (batch) => proposed.push(...batch),
    wallMs: () => 7,
    defer: () => (isDeferred = true),
  });
  const store = createStore();
  /** The end of the turn. */
  const turn = () => {
    if (isDeferred) proposals.flush();
    isDeferred = false;
  };
  const accept = (at: number, term = 1) =>
    proposals.settled({ id: proposed[at]?.id, accepted: true, index: at + 1, term });
  const entry = (at: number, term = 1): LogEntry => ({
    index: at + 1,
    term,
    kind: 'command',
    data: proposed[at]?.data ?? new Uint8Array(),
  });
  const apply = (committed: LogEntry) =>
    proposals.applied(committed, store.apply(committed.index, proposals.commandOf(committed)));
  return { proposed, proposals, accept, apply, entry, turn };
}

describe('proposals', () => {
  it('gathers the requests of a turn into one entry and answers each', () => {
    const { proposed, proposals, accept, apply, entry, turn } = proposing();
    const revisions: number[] = [];
    for (const request of [put('a'), put('b'), put('a')]) {
      proposals.submit(request, (each) => revisions.push(each.ok ? each.reply.revision : -1));
    }
    turn();
    expect(proposed).toHaveLength(1);
    const command = decodeCommand(proposed[0]?.data ?? new Uint8Array());
    expect(command).toEqual({ at: 7, requests: [put('a'), put('b'), put('a')] });
    accept(0);
    apply(entry(0));
    expect(revisions).toEqual([1, 2, 3]);
  });

  it('lets requests gather while enough entries are on their way', () => {
    const { proposed, proposals, accept, apply, entry, turn } = proposing();
    for (const key of ['a', 'b', 'c', 'd']) {
      fate(proposals, put(key));
      turn();
      if (proposed.length <= 2) accept(proposed.length - 1);
    }
    expect(proposed).toHaveLength(2);
    apply(entry(0));
    turn();
    expect(proposed).toHaveLength(3);
    const { requests } = decodeCommand(proposed[2]?.data ?? new Uint8Array());
    expect(requests).toEqual([put('c'), put('d')]);
  });

  it('says not_leader of what the core did not take', () => {
    const { proposed, proposals, turn } = proposing();
    const told = fate(proposals, put('a'));
    turn();
    const id = proposed[0]?.id;
    proposals.settled({ id, accepted: false, code: 'not_leader', leader: null });
    expect(told.now).toBe('not_leader');
  });

  it('says not_leader of an entry that another term has replaced', () => {
    const { proposals, accept, entry, turn } = proposing();
    const told = fate(proposals, put('a'));
    turn();
    accept(0, 1);
    proposals.applied({ ...entry(0), term: 2 }, []);
    expect(told.now).toBe('not_leader');
  });

  it('answers a write that a successor has committed, though leadership was lost (bug 22)', () => {
    const { proposals, accept, apply, entry, turn } = proposing();
    const told = fate(proposals, put('a'));
    turn();
    accept(0);
    proposals.leadershipLost(1_000);
    expect(told.now).toBeUndefined();
    apply(entry(0));
    expect(told.now).toBe('done');
  });

  it('calls the outcome unknown if nobody tells what became of it, never refused (bugs 22, 24)', () => {
    const { proposals, accept, turn } = proposing();
    const numbered = fate(proposals, put('a', 1));
    const plain = fate(proposals, put('b'));
    turn();
    accept(0);
    const waiting = fate(proposals, put('c'));
    proposals.leadershipLost(1_000);
    expect(waiting.now).toBe('not_leader');
    proposals.tick(1_000 + orphanPatienceMs - 1);
    expect([numbered.now, plain.now]).toEqual([undefined, undefined]);
    proposals.tick(1_000 + orphanPatienceMs);
    expect([numbered.now, plain.now]).toEqual(['unavailable', 'unknown_outcome']);
  });

  it('goes on with what comes after leadership is taken again, whatever became of the old', () => {
    const { proposed, proposals, accept, turn } = proposing();
    for (const key of ['a', 'b']) {
      fate(proposals, put(key));
      turn();
      accept(proposed.length - 1);
    }
    proposals.leadershipLost(0);
    fate(proposals, put('c'));
    turn();
    expect(proposed).toHaveLength(3);
  });

  it('keeps a batch below what the core takes, whatever its text', () => {
    const { proposed, proposals, turn } = proposing();
    for (let n = 0; n < 300; n += 1) {
      fate(proposals, { type: 'put', key: '鍵', value: '値'.repeat(1_024) });
    }
    turn();
    expect(proposed).toHaveLength(2);
    for (const { data } of proposed) expect(data.length).toBeLessThan(768 * 1024);
  });

  it('refuses what would wait if it is too much text, and takes more once that has gone', () => {
    const { proposed, proposals, turn } = proposing();
    const large: StoreRequest = { type: 'put', key: 'a', value: 'x'.repeat(512 * 1024) };
    const most = Math.floor(maxWaitingCharacters / JSON.stringify(large).length);
    for (let n = 0; n < most; n += 1) fate(proposals, large);
    expect(fate(proposals, large).now).toBe('overloaded');
    turn();
    expect(proposed).toHaveLength(2);
    const late = fate(proposals, large);
    expect(late.now).toBeUndefined();
    proposals.leadershipLost(0);
    expect(late.now).toBe('not_leader');
    for (let n = 0; n < most; n += 1) fate(proposals, large);
    expect(fate(proposals, large).now).toBe('overloaded');
  });

  it('does not take the answer of another leader’s command at its index for its own', () => {
    const { proposals, accept, apply, entry, turn } = proposing();
    const told = fate(proposals, put('a'));
    turn();
    accept(0, 1);
    apply({ ...entry(0), term: 2 });
    expect(told.now).toBe('not_leader');
  });
});
