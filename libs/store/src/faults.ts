// What the state refuses: leases and keys that are not there, revisions out of reach, a full or a damaged store, requests that
// not every replica understands yet. Decided from the state and the request alone, so every replica refuses alike.

import { type StoreState } from './state';
import { refuse, type Fault } from './types';

export function leaseFault(state: StoreState, lease: string | undefined, path: string): Fault {
  if (lease === undefined || state.leases.has(lease)) return undefined;
  return refuse('lease_not_found', 'There is no such lease', {
    field: `${path}lease`,
    facts: { lease },
  });
}

/** Whether the state as of `revision` can be read; 0 and absent are now. */
export function revisionFault(state: StoreState, revision: number, path: string): Fault {
  if (revision === 0) return undefined;
  if (revision >= state.compactRevision && revision <= state.revision) return undefined;
  return outOfReach(state, revision, path);
}

/** Whether history can be compacted to `revision`, as etcd decides it. */
export function compactionFault(state: StoreState, revision: number): Fault {
  if (revision > state.compactRevision && revision <= state.revision) return undefined;
  return outOfReach(state, revision, '');
}

function outOfReach(state: StoreState, revision: number, path: string): Fault {
  const facts = { revision: state.revision, compactRevision: state.compactRevision };
  const field = `${path}revision`;
  return revision > state.revision
    ? refuse('revision_future', 'The revision does not exist yet', { field, facts })
    : refuse('revision_compacted', 'The revision has been compacted', { field, facts });
}

/** Whether anything may be written at all. */
export function damageFault(state: StoreState): Fault {
  if (state.alarms.length === 0) return undefined;
  const alarm = state.alarms.find((each) => each.alarm === 'corrupt');
  if (alarm === undefined) return undefined;
  const facts = alarm.replica === undefined ? {} : { replica: alarm.replica };
  return refuse('store_corrupt', 'Replicas differ; writes wait for an operator', { facts });
}

/**
 * Whether the store may grow by `bytes`. The request that goes beyond the quota raises the alarm, which stays until an
 * operator lowers it.
 */
export function growthFault(state: StoreState, bytes: number): Fault {
  const { quotaBytes } = state.settings;
  const isRaised = state.alarms.some(({ alarm }) => alarm === 'nospace');
  if (!isRaised && (quotaBytes === 0 || state.bytes + bytes <= quotaBytes)) return undefined;
  if (!isRaised) state.alarms = [...state.alarms, { alarm: 'nospace', at: state.at }];
  return refuse('no_space', 'The store has used up its quota', {
    facts: { bytes: state.bytes, quotaBytes },
  });
}

export function protocolFault(state: StoreState, needed: number): Fault {
  const { protocolVersion } = state;
  if (needed <= protocolVersion) return undefined;
  return refuse('version_unsupported', 'Not all members understand this yet', {
    facts: { protocolVersion, needed },
  });
}
