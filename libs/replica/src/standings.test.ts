// What the leader makes of its members' word: whose state differs, and when.

import { describe, expect, it } from '@jest/globals';
import { Standings } from './standings';
import type { MemberStanding, ReplicaFact, StateHashPoint } from './types';

const points = (...hashes: [number, string][]): StateHashPoint[] =>
  hashes.map(([appliedIndex, hash]) => ({ appliedIndex, hash }));
const standing = (from: string, hashPoints: StateHashPoint[], protocolMax = 2): MemberStanding => ({
  from,
  protocolMax,
  version: '',
  priority: 50,
  diskLatencyMs: 0,
  snapshotIndex: 0,
  hashPoints,
});

function leading(own: StateHashPoint[], voters = ['r1', 'r2', 'r3']) {
  const accused: string[] = [];
  const facts: ReplicaFact[] = [];
  const agreed: number[] = [];
  const standings = new Standings({
    own: () => standing('r1', own),
    voters: () => voters,
    protocolVersion: () => 1,
    hashPoints: () => own,
    agreeOnProtocol: (version) => agreed.push(version),
    raiseCorrupt: (replica) => accused.push(replica),
    said: (fact) => facts.push(fact),
  });
  return { standings, accused, facts, agreed };
}

describe('states of members', () => {
  it('are compared where both have come, and not where one has', () => {
    const { standings, accused } = leading(points([1_000, 'a'], [2_000, 'b']));
    standings.heard(standing('r2', points([1_000, 'a'], [3_000, 'x'])), 0);
    standings.tick(0);
    expect(accused).toEqual([]);
  });

  it('that differ are said once, and the one that is alone is named', () => {
    const { standings, accused, facts } = leading(points([1_000, 'a']));
    standings.heard(standing('r2', points([1_000, 'b'])), 0);
    standings.tick(0);
    standings.tick(1);
    expect(accused).toEqual(['r2']);
    expect(facts).toEqual([
      { kind: 'stateDiffers', replica: 'r2', appliedIndex: 1_000, hashes: { r1: 'a', r2: 'b' } },
    ]);
    const alone = leading(points([1_000, 'a']));
    for (const id of ['r2', 'r3']) alone.standings.heard(standing(id, points([1_000, 'b'])), 0);
    alone.standings.tick(0);
    expect(new Set(alone.accused)).toEqual(new Set(['r1']));
  });
});

describe('the protocol', () => {
  it('rises once every voter has said that it understands it', () => {
    const { standings, agreed } = leading([]);
    standings.heard(standing('r2', [], 2), 0);
    standings.tick(0);
    expect(agreed).toEqual([]);
    standings.heard(standing('r3', [], 1), 0);
    standings.tick(0);
    expect(agreed).toEqual([]);
    standings.heard(standing('r3', [], 2), 0);
    standings.tick(0);
    expect(agreed).toEqual([2]);
  });

  it('is not agreed on by what somebody said long ago', () => {
    const { standings, agreed } = leading([]);
    for (const id of ['r2', 'r3']) standings.heard(standing(id, []), 0);
    standings.tick(60_000);
    expect(agreed).toEqual([]);
  });
});
