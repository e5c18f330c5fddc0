// What one seeded run of a Raft cluster may suffer: each seed draws its own conditions (swarm
// testing), so that some runs lose messages, some only crash, and some are calm but slow. It must
// not know how the faults are done.
import type { DiskConditions } from '../disk';
import type { NetworkConditions } from '../network';
import type { Random } from '../random';

/**
 * A fault that breaks the promises on purpose, to show that the checkers see it. `disk-lies`: fsync
 * returns before anything is durable. `disk-forgets-votes`: a restart finds the term without its
 * vote. `stale-reads`: reads are answered from local state without asking for a read index.
 */
export type PlantedFault = 'disk-lies' | 'disk-forgets-votes' | 'stale-reads';

export const plantedFaults: readonly PlantedFault[] = [
  'disk-lies',
  'disk-forgets-votes',
  'stale-reads',
];

export interface RaftSimulationOptions {
  readonly members?: 3 | 5;
  /** Simulated time with faults, before all faults stop. Default 4000. */
  readonly faultMs?: number;
  readonly planted?: PlantedFault;
  /** Called with one line for each thing that happens; for people who look into one seed. */
  readonly onTrace?: (line: string) => void;
}

export type FaultKind =
  'crash' | 'powerCut' | 'pause' | 'diskStall' | 'oneWayCut' | 'isolation' | 'split' | 'transfer';

export interface SwarmConditions {
  readonly members: number;
  readonly faultMs: number;
  readonly tickMs: number;
  readonly electionTicks: number;
  /** Each replica's own clock: its tick takes this many times the usual. */
  readonly tickRates: readonly number[];
  readonly network: NetworkConditions;
  readonly disk: DiskConditions;
  readonly faultKinds: readonly FaultKind[];
  /** Mean time between two faults. */
  readonly meanFaultGapMs: number;
  readonly meanFaultMs: number;
  readonly clients: number;
  readonly keys: number;
  readonly readShare: number;
  readonly meanThinkMs: number;
  /**
   * The state machine survives a crash, with its applied index; otherwise it is rebuilt from the
   * log.
   */
  readonly isStateDurable: boolean;
  /** Small limits make flow control work for its living. */
  readonly maxInflightMessages: number;
  readonly maxMessageBytes: number;
  readonly maxApplyingEntries: number;
}

const allFaults: readonly FaultKind[] = [
  'crash',
  'crash',
  'powerCut',
  'pause',
  'diskStall',
  'oneWayCut',
  'isolation',
  'split',
  'transfer',
];

export function drawConditions(random: Random, options: RaftSimulationOptions): SwarmConditions {
  const members = options.members ?? (random.chance(0.6) ? 3 : 5);
  const isSkewed = random.chance(0.4);
  const maxDelayMs = random.pick([1, 3, 10, 30, 80]);
  const maxSyncMs = random.pick([1, 2, 5, 40]);
  const chosen = allFaults.filter(() => random.chance(0.6));
  return {
    members,
    faultMs: options.faultMs ?? 4000,
    tickMs: 10,
    electionTicks: 10,
    tickRates: Array.from({ length: members }, () => (isSkewed ? 0.5 + random.next() * 1.5 : 1)),
    network: {
      loss: random.chance(0.5) ? random.next() * 0.3 : 0,
      duplication: random.chance(0.5) ? random.next() * 0.3 : 0,
      minDelayMs: 0.2,
      maxDelayMs,
      straggler: random.chance(0.4) ? random.next() * 0.1 : 0,
      isOrdered: random.chance(0.5),
    },
    disk: { minSyncMs: 0.2, maxSyncMs },
    faultKinds: chosen.length === 0 ? ['crash'] : chosen,
    meanFaultGapMs: random.pick([20, 60, 150, 400]),
    meanFaultMs: random.pick([20, 50, 200, 600]),
    clients: random.between(2, 8),
    keys: random.between(1, 4),
    readShare: random.pick([0.2, 0.5, 0.8]),
    meanThinkMs: random.pick([5, 20, 60]),
    isStateDurable: random.chance(0.5),
    maxInflightMessages: random.pick([1, 2, 8, 64]),
    maxMessageBytes: random.pick([1, 200, 262_144]),
    maxApplyingEntries: random.pick([1, 4, 8192]),
  };
}

/** A spell's length or a gap: never zero, sometimes long. */
export function drawSpell(random: Random, meanMs: number): number {
  return 1 - Math.log(1 - random.next()) * meanMs;
}
