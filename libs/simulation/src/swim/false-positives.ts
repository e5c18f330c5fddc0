// Lifeguard's interval experiment: some members stall in turns, and false declarations of death are counted, all of them and
// those at healthy members, with the messages that it took. Judges nothing.

import { lifeguardConfig, type LifeguardConfiguration } from './lifeguard-configurations';
import { SwimCluster, type StallKind } from './swim-cluster';

/** Members on one machine. */
export const loopback = { minDelayMs: 0.1, maxDelayMs: 1 };
/** The cluster comes to rest before anything stalls. */
export const settleMs = 15_000;

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
  /** Default `sockets`, the paper's. */
  readonly stallKind?: StallKind;
}

/** Nobody is ever killed, so each declared death is wrong; those of members that never stall count. */
export interface StallResult {
  /** Deaths declared, anywhere, of members that never stall. */
  readonly falsePositives: number;
  /** Those of them declared at members that never stall either. */
  readonly atHealthy: number;
  /** Deaths declared of members that do stall: no fault if the stall outlasts the suspicion. */
  readonly ofStalled: number;
  /** Packets and stream messages, and the bytes of their frames without encryption. */
  readonly messages: number;
  readonly bytes: number;
}

export function measureFalsePositives(experiment: StallExperiment): StallResult {
  const { configuration, seed, memberCount = 128, stalledCount, durationMs = 120_000 } = experiment;
  const config = lifeguardConfig(configuration);
  const cluster = new SwimCluster({ seed, memberCount, config, network: loopback });
  const stalled = new Set(cluster.random.shuffle(cluster.names).slice(0, stalledCount));
  let falsePositives = 0;
  let atHealthy = 0;
  let ofStalled = 0;
  cluster.run(settleMs);
  const before = { messages: cluster.packetsSent, bytes: cluster.bytesSent };
  cluster.onEvent = ({ observer, event }) => {
    if (event.kind !== 'memberDead') return;
    if (stalled.has(event.member.name)) {
      ofStalled += 1;
      return;
    }
    falsePositives += 1;
    if (!stalled.has(observer)) atHealthy += 1;
  };
  const { stallKind = 'sockets', stallMs, intervalMs } = experiment;
  const cycle = (): void => {
    for (const name of stalled) cluster.stall(name, stallKind);
    cluster.queue.after(stallMs, () => {
      for (const name of stalled) cluster.resume(name);
      cluster.queue.after(intervalMs, cycle);
    });
  };
  cycle();
  cluster.run(durationMs);
  const messages = cluster.packetsSent - before.messages;
  const bytes = cluster.bytesSent - before.bytes;
  return { falsePositives, atHealthy, ofStalled, messages, bytes };
}
