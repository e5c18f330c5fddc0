// What keeps the store in order beside reading and writing: leases, compaction, alarms, settings, the protocol's version. Each
// takes a well-formed request and either changes the state or refuses.

import { Draft } from './draft';
import { compactionFault, damageFault, growthFault, leaseFault } from './faults';
import { type StoreState } from './state';
import { refuse, type Outcome, type ReplyByType, type StoreRequest } from './types';

type Request<Type extends StoreRequest['type']> = Extract<StoreRequest, { type: Type }>;
type Answer<Type extends keyof ReplyByType> = Outcome<ReplyByType[Type]>;

/** Versions that the compacting entry itself frees; those after it go on. */
const sweptAtOnce = 1_024;
/** What a lease counts against the quota. */
const leaseBytes = 64;

export function grantLease(
  state: StoreState,
  request: Request<'grantLease'>,
): Answer<'grantLease'> {
  const fault = damageFault(state) ?? growthFault(state, leaseBytes);
  if (fault !== undefined) return fault;
  const { leases, revision } = state;
  if (request.lease !== undefined && leases.has(request.lease)) {
    return refuse('lease_exists', 'A lease has this name already', { field: 'lease' });
  }
  const lease = request.lease ?? leases.freeName();
  leases.grant(lease, request.ttlMs);
  state.hash.text(lease);
  return { ok: true, reply: { lease, ttlMs: request.ttlMs, revision } };
}

/** `grant` tells the lease that was meant from a later one of its name, which lives. */
export function endLease(
  state: StoreState,
  request: Request<'revokeLease'> | Request<'expireLease'>,
): Answer<'revokeLease'> {
  const { lease } = request;
  const fault = damageFault(state) ?? leaseFault(state, lease, '');
  if (fault !== undefined) return fault;
  const grant = 'grant' in request ? request.grant : undefined;
  if (grant !== undefined && state.leases.get(lease)?.grant !== grant) {
    return refuse('lease_not_found', 'The lease of this name is a later one', {
      field: 'grant',
      facts: { lease },
    });
  }
  const draft = new Draft(state);
  const keys = state.leases.end(lease);
  for (const key of keys) draft.bury(key);
  return { ok: true, reply: { revision: draft.commit(), deleted: keys.length } };
}

/** Leases that have ended meanwhile are passed over. */
export function checkpointLease(
  state: StoreState,
  request: Request<'checkpointLease'>,
): Answer<'checkpointLease'> {
  for (const { lease, remainingMs } of request.leases) state.leases.checkpoint(lease, remainingMs);
  return { ok: true, reply: { revision: state.revision } };
}

export function compact(state: StoreState, { revision }: Request<'compact'>): Answer<'compact'> {
  const fault = compactionFault(state, revision);
  if (fault !== undefined) return fault;
  state.compact(revision);
  state.sweep(sweptAtOnce);
  return { ok: true, reply: { revision: state.revision, compactRevision: revision } };
}

export function setAlarm(
  state: StoreState,
  { alarm, replica }: Request<'setAlarm'>,
): Answer<'setAlarm'> {
  const { revision, at } = state;
  if (state.alarms.some((each) => each.alarm === alarm && each.replica === replica)) {
    return { ok: true, reply: { revision, changed: false } };
  }
  const about = replica === undefined ? {} : { replica };
  state.alarms = [...state.alarms, { alarm, ...about, at }];
  return { ok: true, reply: { revision, changed: true } };
}

/** Without `replica`, of all replicas. */
export function clearAlarm(
  state: StoreState,
  { alarm, replica }: Request<'clearAlarm'>,
): Answer<'clearAlarm'> {
  const kept = state.alarms.filter(
    (each) => each.alarm !== alarm || (replica !== undefined && each.replica !== replica),
  );
  const changed = kept.length < state.alarms.length;
  state.alarms = kept;
  return { ok: true, reply: { revision: state.revision, changed } };
}

export function setSettings(
  state: StoreState,
  { quotaBytes, historyRevisions, historyMs }: Request<'setSettings'>,
): Answer<'setSettings'> {
  const { settings } = state;
  state.settings = {
    quotaBytes: quotaBytes ?? settings.quotaBytes,
    historyRevisions: historyRevisions ?? settings.historyRevisions,
    historyMs: historyMs ?? settings.historyMs,
  };
  return { ok: true, reply: { ...state.settings, revision: state.revision } };
}

/** The version only rises. One that this release does not know is kept too: whoever runs the store has to stop then. */
export function setProtocol(
  state: StoreState,
  { version }: Request<'setProtocol'>,
): Answer<'setProtocol'> {
  state.protocolVersion = Math.max(state.protocolVersion, version);
  const { revision, protocolVersion } = state;
  return { ok: true, reply: { revision, protocolVersion } };
}
