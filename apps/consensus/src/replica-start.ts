// What a replica starts from: its settings, its first members, what its disk held, and what it says when that is nothing though
// there should be something. Only translates.

import type { Configuration, HardState, RestoredState } from '@skein/raft';
import type { RaftLog, RepairReport } from '@skein/raft-sqlite';
import type { ReplicaSettings } from '@skein/replica';
import { createStore, Store } from '@skein/store';
import type { ConsensusConfiguration } from './consensus.config';

export const programVersion = '0.1.0';
/** Of an election timeout, what a lease of the leader lasts: clocks drift. */
const leaseShare = 0.9;

/** Of a replica that has lost everything, and with it every promise. */
export const hardStateLost: HardState = {
  term: 0,
  vote: null,
  commit: 0,
  isRecovering: true,
  isVoteLost: true,
};

export const directoryLost: RepairReport = {
  reason: 'the directory is empty but the cluster has begun: recovering from the leader',
  lostFrom: 1,
  keptEntries: 0,
  keptSnapshot: false,
  setAside: '',
};

export function initialConfiguration({
  voters,
  join: joins,
}: ConsensusConfiguration): Configuration {
  return { incoming: joins ? [] : [...voters].sort(), outgoing: [], learners: [] };
}

/** As after the very first start, or when the disk was replaced. */
export function isEmpty({ hardState, entries, snapshot }: RestoredState): boolean {
  const isBlank = hardState.term === 0 && hardState.isRecovering !== true;
  return isBlank && entries.length === 0 && snapshot === undefined;
}

export function settingsOf(config: ConsensusConfiguration): ReplicaSettings {
  const { replicaId, tickMs, leaseReads, autoPromote } = config;
  return {
    ...config,
    id: replicaId,
    random: Math.random,
    leaseMs: leaseReads ? config.electionTicks * tickMs * leaseShare : undefined,
    promotesLearners: autoPromote,
    version: programVersion,
  };
}

export async function loadStore(log: RaftLog): Promise<Store> {
  const loader = Store.loader();
  const header = await log.loadSnapshot((bytes) => loader.push(bytes));
  return header === null ? createStore() : loader.finish();
}
