// What a driver meets at the core's door when the log is cut and snapshots move: headers, limits of a
// compaction, restarts, and tasks whose answers come late, twice or never.
import { describe, expect, it } from '@jest/globals';
import { encodeConfiguration } from './codec';
import { createRaft } from './raft';
import type { RaftMessage } from './messages';
import type {
  Configuration,
  LogEntry,
  Raft,
  RaftConfig,
  RaftEffects,
  RestoredState,
  SnapshotHeader,
} from './types';

const plain = (...incoming: string[]): Configuration => ({ incoming, outgoing: [], learners: [] });
const lone: RestoredState = {
  hardState: { term: 0, vote: null, commit: 0 },
  entries: [],
  configuration: plain('n1'),
};

function start(restored: RestoredState, config: Partial<RaftConfig> = {}): Raft {
  return createRaft({ id: 'n1', random: () => 0, ...config }, restored);
}

/** Completes the write of a step and applies what is committed, with all that follows. */
function complete(raft: Raft, effects: RaftEffects): void {
  const { append, apply } = effects;
  const last = apply[apply.length - 1];
  if (append !== null) {
    const { id, lastIndex, lastTerm } = append;
    complete(raft, raft.step({ kind: 'appended', id, lastIndex, lastTerm }));
  }
  if (last !== undefined) complete(raft, raft.step({ kind: 'applied', index: last.index }));
}

function led(commands: number): Raft {
  const raft = start(lone);
  for (let i = 0; i < 10; i += 1) complete(raft, raft.step({ kind: 'tick' }));
  for (let i = 0; i < commands; i += 1) {
    const proposals = [{ data: new Uint8Array(10) }];
    complete(raft, raft.step({ kind: 'propose', proposals }));
  }
  return raft;
}

const header: SnapshotHeader = { index: 5, term: 1, configuration: plain('n1', 'n2') };
const chunk = (offset: number, size: number): RaftMessage => ({
  kind: 'installSnapshot',
  from: 'n2',
  term: 1,
  snapshot: header,
  offset,
  size,
  data: new Uint8Array(10),
  crc: 7,
});

function follower(): Raft {
  return start({ ...lone, configuration: plain('n1', 'n2') });
}

describe('compaction', () => {
  it('takes entries out of memory, and is harmless when repeated', () => {
    const raft = led(4);
    for (const index of [3, 3, 1]) raft.step({ kind: 'compact', index });
    expect(raft.status()).toMatchObject({ firstIndex: 4, lastIndex: 5, commitIndex: 5 });
  });

  it('asserts that nothing goes that is not applied', () => {
    const raft = led(2);
    raft.step({ kind: 'propose', proposals: [{ data: new Uint8Array(1) }] });
    expect(() => raft.step({ kind: 'compact', index: 4 })).toThrow('raft: compacting to 4');
  });
});

describe('the header of a snapshot', () => {
  it('says the configuration that was in force at its index, not the newest', () => {
    const raft = led(1);
    const change = { kind: 'set', voters: ['n1'], learners: ['n2'] } as const;
    complete(raft, raft.step({ kind: 'proposeConfiguration', change }));
    expect(raft.snapshotHeader(2)).toEqual({
      index: 2,
      term: 1,
      configuration: plain('n1'),
      configurationIndex: 0,
    });
    const changed = { incoming: ['n1'], outgoing: [], learners: ['n2'] };
    expect(raft.snapshotHeader(3)).toMatchObject({ configuration: changed, configurationIndex: 3 });
    raft.step({ kind: 'compact', index: 3 });
    expect(raft.snapshotHeader(3)).toMatchObject({ configuration: changed, configurationIndex: 3 });
  });

  it('is there only for what is handed out and still known', () => {
    const raft = led(3);
    raft.step({ kind: 'compact', index: 2 });
    expect([0, 1, 5].map((index) => raft.snapshotHeader(index))).toEqual([null, null, null]);
    expect([2, 4].map((index) => raft.snapshotHeader(index)?.index)).toEqual([2, 4]);
  });
});

describe('a restart from a snapshot', () => {
  const entry = (index: number, configuration?: Configuration): LogEntry => ({
    index,
    term: 2,
    kind: configuration === undefined ? 'noop' : 'configuration',
    data: configuration === undefined ? new Uint8Array() : encodeConfiguration(configuration),
  });
  const snapshot = { index: 5, term: 2, configuration: plain('n1', 'n2'), configurationIndex: 3 };
  const stored = { hardState: { term: 2, vote: null, commit: 5 }, configuration: plain('n9') };

  it('takes the configuration of the header, and its place', () => {
    const { configuration, configurationIndex } = start({
      ...stored,
      snapshot,
      entries: [],
    }).status();
    expect([configuration.incoming, configurationIndex]).toEqual([['n1', 'n2'], 3]);
  });

  it('prefers a newer one of the log, and goes back if that is truncated (bugs 2 and 3)', () => {
    const entries = [entry(6), entry(7, plain('n1', 'n2', 'n3'))];
    const raft = start({ ...stored, snapshot, entries });
    expect(raft.status()).toMatchObject({ configurationIndex: 7, lastIndex: 7, firstIndex: 6 });
    const message: RaftMessage = {
      kind: 'append',
      from: 'n2',
      term: 3,
      prevIndex: 6,
      prevTerm: 2,
      commit: 6,
      entries: [{ ...entry(7), term: 3 }],
    };
    raft.step({ kind: 'receive', message });
    expect(raft.status()).toMatchObject({
      configurationIndex: 3,
      configuration: plain('n1', 'n2'),
    });
  });
});

describe('a snapshot that comes in', () => {
  it('is stored chunk by chunk, installed once, and answered like an append', () => {
    const raft = follower();
    const first = raft.step({ kind: 'receive', message: chunk(0, 20) });
    expect(first.snapshots).toMatchObject([{ kind: 'store', from: 'n2', offset: 0, size: 20 }]);
    complete(raft, first);
    const stored = { kind: 'snapshotStored', index: 5, term: 1 } as const;
    const next = raft.step({ ...stored, offset: 10 });
    expect(next.send[0]?.message).toMatchObject({ kind: 'installSnapshotResponse', offset: 10 });
    const last = raft.step({ ...stored, offset: 20 });
    expect(last.snapshots).toEqual([{ kind: 'install', header, keepSuffix: false }]);
    expect(raft.status().isInstalling).toBe(true);
    // The same answer again starts no second install.
    expect(raft.step({ ...stored, offset: 20 }).snapshots).toEqual([]);
    const done = raft.step({ kind: 'snapshotInstalled', index: 5, term: 1 });
    expect(done.send[0]?.message).toMatchObject({ kind: 'appendResponse', index: 5 });
    expect(raft.status()).toMatchObject({
      isInstalling: false,
      commitIndex: 5,
      appliedIndex: 5,
      durableIndex: 5,
      configurationIndex: 5,
    });
  });

  it('is not installed when the log has come along meanwhile', () => {
    const raft = follower();
    complete(raft, raft.step({ kind: 'receive', message: chunk(0, 20) }));
    const entries = [1, 2, 3, 4, 5].map((index): LogEntry => {
      return { index, term: 1, kind: 'command', data: new Uint8Array(1) };
    });
    const message: RaftMessage = {
      kind: 'append',
      from: 'n2',
      term: 1,
      prevIndex: 0,
      prevTerm: 0,
      commit: 0,
      entries,
    };
    complete(raft, raft.step({ kind: 'receive', message }));
    const effects = raft.step({ kind: 'snapshotStored', index: 5, term: 1, offset: 20 });
    expect(effects.snapshots).toEqual([]);
    expect(effects.send[0]?.message).toMatchObject({ kind: 'appendResponse', index: 5 });
    expect(raft.status().commitIndex).toBe(5);
  });

  it('hands out nothing to apply while it is installed (bug 25)', () => {
    const raft = follower();
    const entry: LogEntry = { index: 1, term: 1, kind: 'noop', data: new Uint8Array() };
    const message: RaftMessage = {
      kind: 'append',
      from: 'n2',
      term: 1,
      prevIndex: 0,
      prevTerm: 0,
      commit: 1,
      entries: [entry],
    };
    const write = raft.step({ kind: 'receive', message }).append;
    raft.step({ kind: 'receive', message: chunk(0, 10) });
    raft.step({ kind: 'snapshotStored', index: 5, term: 1, offset: 10 });
    if (write === null) throw new Error('nothing is written');
    const { id, lastIndex, lastTerm } = write;
    expect(raft.step({ kind: 'appended', id, lastIndex, lastTerm }).apply).toEqual([]);
    expect(raft.step({ kind: 'snapshotInstalled', index: 5, term: 1 }).apply).toEqual([]);
    expect(raft.status().appliedIndex).toBe(5);
  });

  it('leaves writes that were under way nothing to prove (bug 12)', () => {
    const entries = [1, 2, 3, 4, 5, 6, 7].map((index): LogEntry => {
      return { index, term: 0, kind: 'command', data: new Uint8Array(1) };
    });
    const raft = start({ ...lone, configuration: plain('n1', 'n2'), entries });
    complete(raft, raft.step({ kind: 'receive', message: chunk(0, 10) }));
    raft.step({ kind: 'snapshotStored', index: 5, term: 1, offset: 10 });
    const vote: RaftMessage = {
      kind: 'vote',
      from: 'n2',
      term: 2,
      lastIndex: 9,
      lastTerm: 1,
      transfer: true,
    };
    const write = raft.step({ kind: 'receive', message: vote }).append;
    raft.step({ kind: 'snapshotInstalled', index: 5, term: 1 });
    if (write === null) throw new Error('the vote is not written');
    const { id, lastIndex, lastTerm } = write;
    raft.step({ kind: 'appended', id, lastIndex, lastTerm });
    expect(raft.status()).toMatchObject({ durableIndex: 5, lastIndex: 5 });
  });
});

describe('answers to tasks', () => {
  it('that nobody waits for any more are ignored', () => {
    const raft = led(1);
    const place = { index: 5, term: 1 };
    const late = { header, offset: 0, size: 9, data: new Uint8Array(9), crc: 0 };
    for (const input of [
      { kind: 'snapshotChunk', to: 'n7', ...late },
      { kind: 'snapshotUnavailable', to: 'n7' },
      { kind: 'snapshotStored', ...place, offset: 9 },
    ] as const) {
      const { send, snapshots, append } = raft.step(input);
      expect([send, snapshots, append]).toEqual([[], [], null]);
    }
  });

  it('of an install that never was are a bug of the driver', () => {
    const place = { index: 5, term: 1 };
    expect(() => led(1).step({ kind: 'snapshotInstalled', ...place })).toThrow('raft: no snapshot');
  });
});
