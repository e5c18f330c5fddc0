import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '@skein/swim';
import { turnsOf } from './turns';

const turns = { compared: ['skein', 'swarm'], pairs: 3, others: ['bridge', 'veth'] };

function rounds(seed: number, count: number): string[][] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => turnsOf(random, turns));
}

describe('turns of a round', () => {
  it('are pairs one right after the other, and each of the others once', () => {
    for (const round of rounds(1, 50)) {
      expect(round.filter((name) => name === 'bridge' || name === 'veth')).toHaveLength(2);
      const runs = round.join(' ').split(/ ?(?:bridge|veth) ?/);
      const pairs = runs.flatMap((run) => run.match(/\S+ \S+/g) ?? []);
      expect(pairs).toHaveLength(3);
      for (const pair of pairs) expect(['skein swarm', 'swarm skein']).toContain(pair);
    }
  });

  it('begin with either of a pair, and with any way', () => {
    const firsts = rounds(1, 200).map(([first]) => first);
    for (const way of [...turns.compared, ...turns.others]) {
      expect(firsts.filter((first) => first === way).length).toBeGreaterThan(20);
    }
  });

  it('are the same for the same seed, and others for another', () => {
    expect(rounds(7, 5)).toEqual(rounds(7, 5));
    expect(rounds(7, 5)).not.toEqual(rounds(8, 5));
  });
});
