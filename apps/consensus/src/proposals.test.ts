// Writes on their way: gathered into entries, answered by what was applied, and never called refused while they may yet be done.

import { describe, expect, it } from '@jest/globals';
import type { LogEntry, Proposal } from '@skein/raft';
import { createStore, decodeCommand, type StoreRequest } from '@skein/store';
import { maxWaitingCharacters, Proposals } from './proposals';

const put = (key: string, sequence?: number): StoreRequest => ({
  type: 'put',
  key,
  value: 'v',
  ...(sequence === undefined ? {} : { once: { client: 'c', sequence } }),
});
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
/** The code of a rejection, or `done`. */
const fate = (answer: Promise<unknown>) =>
  answer.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );

function proposing() {
  const proposed: Proposal[] = [];
  const proposals = new Proposals(
    (batch) => proposed.push(...batch),
    () => 7,
  );
  const store = createStore();
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
  return { proposed, proposals, accept, apply, entry };
}

describe('proposals', () => {
  it('gathers the requests of a turn into one entry and answers each', async () => {
    const { proposed, proposals, accept, apply, entry } = proposing();
    const answers = [put('a'), put('b'), put('a')].map((request) => proposals.submit(request));
    await turn();
    expect(proposed).toHaveLength(1);
    const command = decodeCommand(proposed[0]?.data ?? new Uint8Array());
    expect(command).toEqual({ at: 7, requests: [put('a'), put('b'), put('a')] });
    accept(0);
    apply(entry(0));
    const revisions = (await Promise.all(answers)).map((each) => each.ok && each.reply.revision);
    expect(revisions).toEqual([1, 2, 3]);
  });

  it('lets requests gather while enough entries are on their way', async () => {
    const { proposed, proposals, accept, apply, entry } = proposing();
    for (const key of ['a', 'b', 'c', 'd']) {
      void proposals.submit(put(key));
      await turn();
      if (proposed.length <= 2) accept(proposed.length - 1);
    }
    expect(proposed).toHaveLength(2);
    apply(entry(0));
    await turn();
    expect(proposed).toHaveLength(3);
    const { requests } = decodeCommand(proposed[2]?.data ?? new Uint8Array());
    expect(requests).toEqual([put('c'), put('d')]);
  });

  it('says not_leader of what the core did not take', async () => {
    const { proposed, proposals } = proposing();
    const answer = fate(proposals.submit(put('a')));
    await turn();
    const id = proposed[0]?.id;
    proposals.settled({ id, accepted: false, code: 'not_leader', leader: null });
    expect(await answer).toBe('not_leader');
  });

  it('says not_leader of an entry that another term has replaced', async () => {
    const { proposals, accept, entry } = proposing();
    const answer = fate(proposals.submit(put('a')));
    await turn();
    accept(0, 1);
    proposals.applied({ ...entry(0), term: 2 }, []);
    expect(await answer).toBe('not_leader');
  });

  it('leaves open what was in the log when leadership was lost', async () => {
    const { proposals, accept } = proposing();
    const numbered = fate(proposals.submit(put('a', 1)));
    const plain = fate(proposals.submit(put('b')));
    await turn();
    accept(0);
    const waiting = fate(proposals.submit(put('c')));
    proposals.abandon();
    expect(await numbered).toBe('unavailable');
    expect(await plain).toBe('unknown_outcome');
    expect(await waiting).toBe('not_leader');
  });

  it('keeps a batch below what the core takes, whatever its text', async () => {
    const { proposed, proposals } = proposing();
    for (let n = 0; n < 300; n += 1) {
      void fate(proposals.submit({ type: 'put', key: '鍵', value: '値'.repeat(1_024) }));
    }
    await turn();
    expect(proposed).toHaveLength(2);
    for (const { data } of proposed) expect(data.length).toBeLessThan(768 * 1024);
  });

  it('refuses what would wait if it is too much text, and takes more once that has gone', async () => {
    const { proposed, proposals } = proposing();
    const large: StoreRequest = { type: 'put', key: 'a', value: 'x'.repeat(512 * 1024) };
    const answers: Promise<string>[] = [];
    const most = Math.floor(maxWaitingCharacters / JSON.stringify(large).length);
    for (let n = 0; n < most; n += 1) answers.push(fate(proposals.submit(large)));
    expect(() => proposals.submit(large)).toThrow(expect.objectContaining({ code: 'overloaded' }));
    await turn();
    expect(proposed).toHaveLength(2);
    answers.push(fate(proposals.submit(large)));
    proposals.abandon();
    expect(await answers.at(-1)).toBe('not_leader');
    for (let n = 0; n < most; n += 1) void fate(proposals.submit(large));
    expect(() => proposals.submit(large)).toThrow(expect.objectContaining({ code: 'overloaded' }));
  });

  it('does not take the answer of another leader’s command at its index for its own', async () => {
    const { proposals, accept, apply, entry } = proposing();
    const answer = fate(proposals.submit(put('a')));
    await turn();
    accept(0, 1);
    apply({ ...entry(0), term: 2 });
    expect(await answer).toBe('not_leader');
  });
});
