// What one seeded run of the whole system may suffer: each seed draws its own weather. It must not know how faults are done.

import type { ClusterConditions } from '../cluster/options';
import type { NetworkConditions } from '../network';
import type { Random } from '../random';
import type { PlantedSystemFault } from './plants';

export interface SystemSimulationOptions {
  /** Simulated time with faults, before all of them stop. Default: drawn, 30 to 90 s. */
  readonly faultMs?: number;
  readonly planted?: PlantedSystemFault;
  /** Called with one line for each thing that happens. */
  readonly onTrace?: (line: string) => void;
}

export const systemFaultKinds = [
  'managerCrash',
  'managerPause',
  'managerCut',
  'managerDiskStall',
  'registryCrash',
  'registryPause',
  'registryCut',
  'ipamCrash',
  'ipamPause',
  'ipamCut',
  'agentCrash',
  'agentPause',
  'agentCut',
  'hostReboot',
  'hostLost',
  'hostDrained',
  'hostRetired',
  'natsDown',
  'gossipLoss',
  'gossipCut',
  'clockJump',
  'kernelMeddled',
  'kernelRefuses',
] as const;
export type SystemFaultKind = (typeof systemFaultKinds)[number];

export interface SystemConditions {
  readonly hosts: number;
  readonly faultMs: number;
  readonly faultKinds: readonly SystemFaultKind[];
  readonly meanFaultGapMs: number;
  readonly meanFaultMs: number;
  readonly network: NetworkConditions;
  readonly gossip: NetworkConditions;
  readonly registryTtlMs: number;
  readonly ipamTtlMs: number;
  readonly holdDownMs: number;
  readonly restMs: number;
  readonly meanThinkMs: number;
  readonly clients: number;
  readonly maxContainers: number;
  readonly managers: ClusterConditions;
}

export function drawSystemConditions(
  random: Random,
  options: SystemSimulationOptions,
): SystemConditions {
  const chosen = systemFaultKinds.filter(() => random.chance(0.6));
  const isRough = random.chance(0.5);
  const faultMs = options.faultMs ?? random.pick([20_000, 30_000, 45_000, 60_000]);
  const network: NetworkConditions = {
    loss: isRough ? random.next() * 0.04 : 0,
    duplication: isRough ? random.next() * 0.1 : 0,
    minDelayMs: 0.2,
    maxDelayMs: random.pick([1, 2, 10]),
    straggler: random.chance(0.4) ? random.next() * 0.03 : 0,
    isOrdered: random.chance(0.6),
  };
  return {
    hosts: random.between(3, 5),
    faultMs,
    faultKinds: chosen.length === 0 ? ['agentCrash'] : chosen,
    meanFaultGapMs: random.pick([900, 1_800, 3_500]),
    meanFaultMs: random.pick([400, 1_500, 4_000]),
    network,
    gossip: { ...network, isOrdered: false, loss: network.loss * 2, maxDelayMs: 3 },
    registryTtlMs: random.pick([2_000, 3_000, 5_000]),
    ipamTtlMs: random.pick([1_500, 3_000]),
    holdDownMs: random.pick([1_000, 3_000]),
    // Longer than any request: whoever asks for a detach has ended the container by then.
    restMs: 20_000,
    meanThinkMs: random.pick([250, 500, 900]),
    clients: random.between(2, 4),
    maxContainers: random.pick([8, 16, 28]),
    managers: managerConditions(random, faultMs, network),
  };
}

function managerConditions(
  random: Random,
  faultMs: number,
  network: NetworkConditions,
): ClusterConditions {
  const tickMs = 50;
  const electionTicks = 10;
  return {
    members: 3,
    faultMs,
    tickMs,
    electionTicks,
    leaseMs: electionTicks * tickMs * 0.9,
    network,
    disk: { minSyncMs: 0.2, maxSyncMs: random.pick([1, 4, 15]) },
    faultKinds: [],
    meanFaultGapMs: 1_000,
    meanFaultMs: 1_000,
    clockDrift: 0,
    clients: 0,
    watchers: 0,
    keys: 0,
    readShare: 0,
    meanThinkMs: 0,
    maxStalenessMs: 0,
    clientLoss: 0,
    quotaBytes: 0,
    historyRevisions: random.pick([60, 400, 5_000]),
    isMixedVersions: false,
    snapshotEntries: random.pick([40, 200, 100_000]),
    trailingEntries: random.pick([5, 50]),
    snapshotChunkBytes: 65_536,
    limits: {},
  };
}

/** A spell's length or a gap: never zero, sometimes long. */
export function drawSpell(random: Random, meanMs: number): number {
  return 1 - Math.log(1 - random.next()) * meanMs;
}
