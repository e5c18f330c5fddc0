import { beforeEach, describe, expect, it } from '@jest/globals';
import type { SnapshotHeader } from '@skein/raft';
import { Snapshots } from './snapshots';

const policy = { snapshotEntries: 100, snapshotBytes: 1_000, trailingEntries: 10 };
let appliedIndex: number;
let asked: SnapshotHeader[];

beforeEach(() => {
  appliedIndex = 0;
  asked = [];
});

function snapshots(lateness: number): Snapshots {
  const ports = {
    log: {
      saveSnapshot: (header: SnapshotHeader) => void asked.push(header),
      compact: () => undefined,
    },
    appliedIndex: () => appliedIndex,
    header: (index: number) => ({ index }) as SnapshotHeader,
    source: () => ({}) as never,
    forget: () => undefined,
    lateness: () => lateness,
    said: () => undefined,
  };
  return new Snapshots(ports, policy, undefined);
}

/** The indexes at which snapshots are taken while entries of `bytes` are applied. */
function taken(of: Snapshots, entries: number, bytes: number, savedBytes: number): number[] {
  for (let entry = 0; entry < entries; entry += 1) {
    appliedIndex += 1;
    of.applied(bytes);
    const before = asked.length;
    of.tick(false);
    const header = asked[before];
    if (header !== undefined) of.saved(header, savedBytes);
  }
  return asked.map(({ index }) => index);
}

describe('snapshots', () => {
  it('are due after so many entries', () => {
    expect(taken(snapshots(0), 250, 1, 0)).toEqual([100, 200]);
  });

  it('are due after so many bytes, or as many as the last one has', () => {
    expect(taken(snapshots(0), 60, 100, 2_000)).toEqual([10, 30, 50]);
  });

  it.each([
    [0, [20, 40, 60]],
    [0.25, [25, 50]],
    [0.5, [30, 60]],
  ])('of a voter with lateness %d come later than the first one’s', (lateness, indexes) => {
    expect(taken(snapshots(lateness), 60, 50, 0)).toEqual(indexes);
  });
});
