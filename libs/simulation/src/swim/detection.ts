// Lifeguard's threshold experiment: some members stall once, for long enough to be declared dead, and the time is taken
// until the first healthy member has done so, and until the last has. Judges nothing.

import { loopback, settleMs } from './false-positives';
import { lifeguardConfig, type LifeguardConfiguration } from './lifeguard-configurations';
import { SwimCluster } from './swim-cluster';

/** The longest of the paper's stalls. */
const stallMs = 32_768;

export interface DetectionExperiment {
  readonly configuration: LifeguardConfiguration;
  readonly seed: number;
  /** Default 128. */
  readonly memberCount?: number;
  readonly stalledCount: number;
}

/** One entry a stalled member, in milliseconds from the beginning of its stall; Infinity: not before its end. */
export interface DetectionResult {
  readonly firstMs: readonly number[];
  readonly allMs: readonly number[];
}

export function measureDetection(experiment: DetectionExperiment): DetectionResult {
  const { configuration, seed, memberCount = 128, stalledCount } = experiment;
  const config = lifeguardConfig(configuration);
  const cluster = new SwimCluster({ seed, memberCount, config, network: loopback });
  const stalled = cluster.random.shuffle(cluster.names).slice(0, stalledCount);
  const declaredBy = new Map(stalled.map((name) => [name, new Map<string, number>()]));
  cluster.run(settleMs + cluster.random.int(config.probeIntervalMs));
  const startedAt = cluster.queue.nowMs;
  cluster.onEvent = ({ observer, event, atMs }) => {
    if (event.kind !== 'memberDead' || declaredBy.has(observer)) return;
    const observers = declaredBy.get(event.member.name);
    if (observers !== undefined && !observers.has(observer)) {
      observers.set(observer, atMs - startedAt);
    }
  };
  for (const name of stalled) cluster.stall(name, 'sockets');
  cluster.run(stallMs);
  const times = [...declaredBy.values()].map((observers) => [...observers.values()]);
  const healthy = memberCount - stalledCount;
  return {
    firstMs: times.map((each) => Math.min(...each)),
    allMs: times.map((each) => (each.length < healthy ? Infinity : Math.max(...each))),
  };
}
