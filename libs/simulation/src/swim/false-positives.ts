// Lifeguard's experiment: some members stall in turns, and false declarations of death are counted, all of them and those
// at healthy members. Configurations as in the paper (Lifeguard, DSN 2018), each a difference to plain SWIM.

import { swimConfig, type SwimConfig } from '@skein/swim';
import { SwimCluster, type StallKind } from './swim-cluster';

export type LifeguardConfiguration =
  'SWIM' | 'LHA-Probe' | 'LHA-Suspicion' | 'Buddy System' | 'Lifeguard' | 'Skein';

const plain: Partial<SwimConfig> = {
  suspicionMultiplier: 5,
  suspicionMaxMultiplier: 1,
  localHealthMax: 1,
  nack: false,
  buddy: false,
  stallMs: Infinity,
  silenceMs: Infinity,
};

const differences: Record<LifeguardConfiguration, Partial<SwimConfig>> = {
  SWIM: {},
  'LHA-Probe': { localHealthMax: 8, nack: true },
  'LHA-Suspicion': { suspicionMaxMultiplier: 6 },
  'Buddy System': { buddy: true },
  Lifeguard: { localHealthMax: 8, nack: true, suspicionMaxMultiplier: 6, buddy: true },
  Skein: {
    localHealthMax: 8,
    nack: true,
    suspicionMaxMultiplier: 6,
    buddy: true,
    stallMs: 500,
    silenceMs: 2_000,
  },
};

export const lifeguardConfigurations = Object.keys(differences) as LifeguardConfiguration[];

export interface StallExperiment {
  readonly configuration: LifeguardConfiguration;
  readonly seed: number;
  /** Default 128. */
  readonly memberCount?: number;
  /** C: members that stall at the same time. */
  readonly stalledCount: number;
  /** D: how long each stall lasts; I: how long the members run between two. */
  readonly stallMs: number;
  readonly intervalMs: number;
  /** Default 120 000. */
  readonly durationMs?: number;
  readonly kind?: StallKind;
}

/** Nobody is ever killed, so each declared death is wrong; those of members that never stall count. */
export interface StallResult {
  /** Deaths declared, anywhere, of members that never stall. */
  readonly falsePositives: number;
  /** Those of them declared at members that never stall either. */
  readonly atHealthy: number;
  /** Deaths declared of members that do stall: no fault if the stall outlasts the suspicion. */
  readonly ofStalled: number;
  readonly packets: number;
}

export function measureFalsePositives(experiment: StallExperiment): StallResult {
  const { configuration, seed, memberCount = 128, stalledCount, durationMs = 120_000 } = experiment;
  const config = swimConfig('lan', { ...plain, ...differences[configuration] });
  const cluster = new SwimCluster({ seed, memberCount, config });
  const stalled = new Set(cluster.random.shuffle(cluster.names).slice(0, stalledCount));
  let falsePositives = 0;
  let atHealthy = 0;
  let ofStalled = 0;
  cluster.run(15_000);
  const packetsBefore = cluster.packetsSent;
  cluster.onEvent = ({ observer, event }) => {
    if (event.kind !== 'memberDead') return;
    if (stalled.has(event.member.name)) {
      ofStalled += 1;
      return;
    }
    falsePositives += 1;
    if (!stalled.has(observer)) atHealthy += 1;
  };
  const { kind = 'messages', stallMs, intervalMs } = experiment;
  const cycle = (): void => {
    for (const name of stalled) cluster.stall(name, kind);
    cluster.queue.after(stallMs, () => {
      for (const name of stalled) cluster.resume(name);
      cluster.queue.after(intervalMs, cycle);
    });
  };
  cycle();
  cluster.run(durationMs);
  return { falsePositives, atHealthy, ofStalled, packets: cluster.packetsSent - packetsBefore };
}
