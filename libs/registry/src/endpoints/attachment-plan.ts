// From what is asked for to the records and the transaction that attach it, and from a refused transaction to the reason.
// Pure: it is given the view, ids and addresses.

import {
  keys,
  SkeinError,
  type Allocation,
  type AllocationRequest,
  type Compare,
  type EndpointRecord,
  type EndpointSpec,
  type IdempotencyRecord,
  type RequestKey,
} from '@skein/contracts';
import { cidr, overlaps, parsePrefixedAddress, sortableAddress } from '@skein/ip';
import { absent, unchanged } from '../hosts/host-record';
import type { CommittedView } from '../state/committed-view';
import type { HostEntry, NetworkEntry } from '../state/entries';
import { namesOf } from '../state/name-index';
import type { Draft } from './transaction-merger';

/** One endpoint to be: what was asked for, with its id, name and host. */
export interface Planned {
  readonly id: string;
  readonly name: string;
  readonly spec: EndpointSpec;
  readonly host: HostEntry;
  /** Place in the request, for errors that name a field. */
  readonly index: number;
  /** The key of the request, if it is to be committed with the endpoint. */
  readonly once?: RequestKey | undefined;
  /** The container engine that takes the interface into its sandbox. */
  readonly engine?: EndpointRecord['engine'];
}

export interface Cause {
  readonly request: string;
  readonly at: number;
}

export function planned(
  spec: EndpointSpec,
  host: HostEntry,
  id: string,
  index: number,
  once?: RequestKey,
): Planned {
  return { id, name: spec.name ?? `ep-${id.slice(0, 8)}`, spec, host, index, once };
}

/** Throws what the view knows to stand in the way. */
export function demandPossible(
  view: CommittedView,
  network: NetworkEntry,
  plans: readonly Planned[],
): void {
  const taken = new Map<string, string>();
  for (const plan of plans) {
    const host = view.state.host(plan.host.id);
    if (host?.state !== 'up') throw hostNotUp(plan);
    if (host.isDraining === true) throw hostDraining(plan);
    refuseMeeting(view, network, plan);
    for (const name of namesIn(plan)) {
      const holder = view.endpointNamed(network.id, name)?.id ?? taken.get(name);
      if (holder !== undefined) throw nameTaken(plan, { name, holder });
      taken.set(name, plan.id);
    }
  }
}

/** Networks whose subnets overlap may not meet in one sandbox: what is inside could not tell their addresses apart. */
function refuseMeeting(view: CommittedView, network: NetworkEntry, plan: Planned): void {
  const netns = plan.spec.sandbox?.netns;
  if (netns === undefined) return;
  for (const otherId of view.state.networksOf(plan.host.id)) {
    const other = view.state.network(otherId);
    if (other === undefined || otherId === network.id) continue;
    // Others were kept apart when they were made.
    if (network.allowOverlap !== true && other.allowOverlap !== true) continue;
    const overlap = overlapOf(network, other);
    if (overlap === null) continue;
    for (const { host, sandbox, name } of view.state.endpointsOf(otherId).values()) {
      if (host !== plan.host.id || sandbox?.netns !== netns) continue;
      const [own, theirs] = overlap;
      const message = `${own} overlaps ${theirs} of network ${other.name}, which ${netns} is on as ${name}`;
      throw new SkeinError('subnet_overlap', message, {
        field: `endpoints.${plan.index}.sandbox.netns`,
        facts: { cidr: own, overlaps: theirs, network: other.name, endpoint: name },
      });
    }
  }
}

function overlapOf(one: NetworkEntry, other: NetworkEntry): [string, string] | null {
  for (const own of one.subnets) {
    const theirs = other.subnets.find((each) => overlaps(cidr(own.cidr), cidr(each.cidr)));
    if (theirs !== undefined) return [own.cidr, theirs.cidr];
  }
  return null;
}

export function allocationRequest({ id, spec, host }: Planned): AllocationRequest {
  const request: AllocationRequest = { endpointId: id, host: host.id, bootId: host.bootId };
  if (spec.addresses !== undefined) request.addresses = spec.addresses;
  if (spec.families !== undefined) request.families = spec.families;
  if (spec.mac !== undefined) request.mac = spec.mac;
  return request;
}

export function recordOf(
  plan: Planned,
  networkId: string,
  allocation: Allocation,
  created: Cause,
): EndpointRecord {
  const { id, name, spec, host, engine } = plan;
  const { addresses, mac } = allocation;
  const { aliases = [], labels = {}, service, sandbox } = spec;
  const record: EndpointRecord = {
    id,
    networkId,
    host: host.id,
    name,
    aliases,
    addresses,
    mac,
    labels,
    created,
  };
  if (service !== undefined) record.service = service;
  if (sandbox !== undefined) record.sandbox = sandbox;
  if (engine !== undefined) record.engine = engine;
  return record;
}

/** What ipam gave, by endpoint; it gives each something or refuses all. */
export function allocationsOf(allocations: readonly Allocation[]): (plan: Planned) => Allocation {
  const known = new Map(allocations.map((each) => [each.endpointId, each]));
  return ({ id }) => {
    const allocation = known.get(id);
    if (allocation === undefined) throw new Error(`ipam left out endpoint ${id}`);
    return allocation;
  };
}

/** The revision at which addresses were surely held; `isNew`: they were given out at that very one, as far as is known. */
export interface HeldAt {
  readonly at: number;
  readonly isNew: boolean;
}

/**
 * The transaction that makes the endpoints true; records are in the order of plans. Invariant (P1): each address is held as it was allocated at `held.at`; had it
 * been taken back since, its record would be gone or of a later revision.
 */
export function attachDraft(
  network: NetworkEntry,
  plans: readonly Planned[],
  records: readonly EndpointRecord[],
  held: HeldAt,
): Draft {
  const hosts = new Map(plans.map(({ host }) => [host.id, host]));
  return {
    compare: [
      { key: keys.network(network.id), target: 'version', operator: '>', value: 0 },
      ...[...hosts.values()].map(unchanged),
      ...records.flatMap((record) => [
        ...namesOf(record).map((name) => absent(keys.endpointName(record.networkId, name))),
        ...addressKeys(record).flatMap((key) => stillHeld(key, held)),
      ]),
      // Invariant: of two requests with one key at most one attaches anything.
      ...plans.flatMap(({ once }) =>
        once === undefined ? [] : absent(keys.idempotency(once.key)),
      ),
    ],
    success: records.flatMap((record, at) => [
      {
        type: 'put' as const,
        key: keys.endpoint(record.networkId, record.id),
        value: JSON.stringify(record),
      },
      ...namesOf(record).map((name) => ({
        type: 'put' as const,
        key: keys.endpointName(record.networkId, name),
        value: JSON.stringify({ endpointId: record.id }),
      })),
      ...remembered(record, plans[at]?.once),
    ]),
  };
}

function remembered(endpoint: EndpointRecord, once: RequestKey | undefined) {
  if (once === undefined) return [];
  const { key, request, lease } = once;
  const value: IdempotencyRecord = { state: 'attached', request, endpoint };
  return [
    { type: 'put' as const, key: keys.idempotency(key), value: JSON.stringify(value), lease },
  ];
}

function stillHeld(key: string, { at, isNew }: HeldAt): Compare[] {
  if (isNew) return [{ key, target: 'modRevision', operator: '=', value: at }];
  return [
    { key, target: 'modRevision', operator: '>', value: 0 },
    { key, target: 'modRevision', operator: '<', value: at + 1 },
  ];
}

export function addressKeys({ networkId, addresses }: EndpointRecord): string[] {
  return addresses.flatMap((text) => {
    const parsed = parsePrefixedAddress(text);
    return parsed.ok ? [keys.address(networkId, sortableAddress(parsed.value.address))] : [];
  });
}

export function namesIn({ name, spec }: Planned): string[] {
  return namesOf({ name, aliases: spec.aliases ?? [] });
}

function hostNotUp({ host, index }: Planned): SkeinError {
  return new SkeinError('host_not_up', `Host ${host.name} is not up`, {
    field: `endpoints.${index}.host`,
    facts: { host: host.id, state: host.state, since: host.since },
  });
}

function hostDraining({ host, index }: Planned): SkeinError {
  const message = `Host ${host.name} is drained: it takes no new endpoints`;
  return new SkeinError('host_draining', message, {
    field: `endpoints.${index}.host`,
    facts: { host: host.id },
  });
}

function nameTaken(plan: Planned, taken: { name: string; holder: string }): SkeinError {
  const alias = plan.spec.aliases?.indexOf(taken.name) ?? -1;
  const field = plan.name === taken.name ? 'name' : `aliases.${alias}`;
  return new SkeinError('endpoint_name_taken', `An endpoint has the name '${taken.name}' already`, {
    field: `endpoints.${plan.index}.${field}`,
    facts: taken,
  });
}
