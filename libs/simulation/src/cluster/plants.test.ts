// Each rule that the simulated edges break on order must be noticed within a hundred seeds, and by the
// checkers that are there for it.
import { describe, expect, it } from '@jest/globals';
import { plantedClusterFaults } from './plants';
import { simulateCluster } from './simulate-cluster';

const MOST_SEEDS = 100;

describe('planted faults of the cluster', () => {
  it.each(plantedClusterFaults)('%s is found', (planted) => {
    let seed = 1;
    while (seed <= MOST_SEEDS) {
      if (simulateCluster(seed, { planted }).violations.length > 0) break;
      seed += 1;
    }
    expect(seed).toBeLessThanOrEqual(MOST_SEEDS);
  });
});
