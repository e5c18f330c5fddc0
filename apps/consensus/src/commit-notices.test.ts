import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { LogEntry, RaftMessage } from '@skein/raft';
import { CommitNotices, holdMs } from './commit-notices';

const entry: LogEntry = { index: 5, term: 1, kind: 'command', data: new Uint8Array() };
const append = (entries: LogEntry[], commit = 4): RaftMessage => ({
  kind: 'append',
  from: 'm1',
  term: 1,
  prevIndex: 4,
  prevTerm: 1,
  commit,
  entries,
});

describe('commit notices', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  function notices() {
    const sent: [string, RaftMessage][] = [];
    return { sent, notices: new CommitNotices((to, message) => sent.push([to, message])) };
  }

  it('holds back an append without entries and sends it soon', () => {
    const { sent, notices: made } = notices();
    expect(made.takes('m2', append([]))).toBe(true);
    expect(sent).toEqual([]);
    jest.advanceTimersByTime(holdMs);
    expect(sent).toEqual([['m2', append([])]]);
  });

  it('leaves it out when an append with entries overtakes it, to that peer only', () => {
    const { sent, notices: made } = notices();
    made.takes('m2', append([]));
    made.takes('m3', append([]));
    expect(made.takes('m2', append([entry]))).toBe(false);
    jest.advanceTimersByTime(holdMs);
    expect(sent.map(([to]) => to)).toEqual(['m3']);
  });

  it('sends the newest of several', () => {
    const { sent, notices: made } = notices();
    made.takes('m2', append([], 4));
    made.takes('m2', append([], 5));
    jest.advanceTimersByTime(holdMs);
    expect(sent).toEqual([['m2', append([], 5)]]);
  });

  it('takes nothing else', () => {
    const { notices: made } = notices();
    const heartbeat = { kind: 'heartbeat', from: 'm1', to: 'm2', term: 1, commit: 4 };
    expect(made.takes('m2', heartbeat as unknown as RaftMessage)).toBe(false);
  });
});
