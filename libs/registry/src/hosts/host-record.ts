// A host's record from one state to the next, and the parts of transactions that speak of it. Pure; it knows neither store nor
// view.

import {
  keys,
  SkeinError,
  type Compare,
  type HostRecord,
  type ParsedRequestOf,
  type RemovedHostRecord,
  type registerHostContract,
} from '@skein/contracts';
import { canonicalJson } from '@skein/share';
import type { HostEntry } from '../state/entries';

export type Registration = ParsedRequestOf<typeof registerHostContract>;

/** Boots that are remembered so that they don't come back: the latest. */
const maxFormerBoots = 32;

/** The host as it is once it has registered. `removed`: what is kept of it, if it was removed before. */
export function registered(
  registration: Registration,
  known: HostEntry | undefined,
  removed: RemovedHostRecord | undefined,
  now: number,
): HostRecord {
  const { bootId } = registration;
  const before = known ?? removed;
  const isSameBoot = before?.bootId === bootId;
  const goesOn = known !== undefined && isSameBoot;
  const former = (before?.formerBoots ?? []).filter((each) => each !== bootId);
  if (before !== undefined && !isSameBoot) former.push(before.bootId);
  const kept = known === undefined ? {} : carriedOver(known);
  return {
    ...kept,
    ...registration,
    epoch: (before?.epoch ?? 0) + (goesOn ? 0 : 1),
    state: 'up',
    since: known?.state === 'up' ? known.since : now,
    ...(former.length === 0 ? {} : { formerBoots: former.slice(-maxFormerBoots) }),
  };
}

function carriedOver({ isDraining, flaps, routes }: HostEntry): Partial<HostRecord> {
  return {
    ...(isDraining === undefined ? {} : { isDraining }),
    ...(flaps === undefined ? {} : { flaps }),
    ...(routes === undefined ? {} : { routes }),
  };
}

/** Throws if this boot of this host is over. */
export function refuseDeadBoot(
  { id, bootId }: Registration,
  before: Pick<HostRecord, 'formerBoots'> | undefined,
): void {
  if (before?.formerBoots?.includes(bootId) !== true) return;
  const message =
    `Host ${id} was started anew since this boot: restart the agent if this machine was, and give ` +
    'each machine a host id of its own if two of them use this one';
  throw new SkeinError('boot_replaced', message, { field: 'bootId', facts: { host: id, bootId } });
}

/** Throws if the host was removed while it ran, and nobody has let it in again. */
export function refuseRemoved(
  { id, bootId }: Registration,
  removed: RemovedHostRecord | undefined,
): void {
  if (removed === undefined || removed.isReadmitted === true || removed.bootId !== bootId) return;
  const message =
    `Host ${id} was removed, and what it held was released: restart the machine, or stop its ` +
    `containers and run 'skein host readmit ${id}'`;
  const { epoch } = removed;
  const { at: removedAt } = removed.removed;
  throw new SkeinError('host_removed', message, {
    field: 'id',
    facts: { host: id, bootId, epoch, removedAt },
  });
}

export function recordOf({ revision: _, ...record }: HostEntry): HostRecord {
  return record;
}

export function isSameRecord(one: HostRecord, other: HostRecord): boolean {
  return canonicalJson(one) === canonicalJson(other);
}

export function putHost(record: HostRecord): { type: 'put'; key: string; value: string } {
  return { type: 'put', key: keys.host(record.id), value: JSON.stringify(record) };
}

export function unchanged(entry: HostEntry): Compare {
  const key = keys.host(entry.id);
  return { key, target: 'modRevision', operator: '=', value: entry.revision };
}

export function absent(key: string): Compare {
  return { key, target: 'version', operator: '=', value: 0 };
}
