// Addresses and MACs of one network against its endpoints, both ways: nobody holds what no endpoint has, no endpoint has what
// it does not hold, and nothing is had twice (P1). Pure.

import { keys, type AddressRecord, type EndpointRecord, type HostRecord } from '@skein/contracts';
import {
  address,
  cidr,
  compareAddresses,
  contains,
  macFromIpv4,
  parsePrefixedAddress,
  sortableAddress,
  type Address,
} from '@skein/ip';
import type { AuditedNetwork, AuditState } from './audit-state';
import { absent, evidenceOf, put, remove, unchanged, type Finding, type Row } from './finding';

export interface AuditLimits {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** What is held for an endpoint that is not there (yet) is a fault once it is as old as this. */
  readonly graceMs: number;
}

export function addressFindings(
  network: AuditedNetwork,
  state: AuditState,
  limits: AuditLimits,
): Finding[] {
  const users = usersOf(network);
  return [
    ...[...network.addresses].flatMap(([sortable, row]) =>
      recordFindings({ network, sortable, row, state, limits, users }),
    ),
    ...[...network.endpoints.values()].flatMap((endpoint) =>
      endpointFindings(network, endpoint, users, state),
    ),
    ...heldTwice(network, users),
    ...macFindings(network, limits),
  ];
}

/** Endpoints by the sortable form of each address that they say they have. */
function usersOf(network: AuditedNetwork): Map<string, Row<EndpointRecord>[]> {
  const users = new Map<string, Row<EndpointRecord>[]>();
  for (const endpoint of network.endpoints.values()) {
    for (const one of addressesOf(endpoint.record)) {
      const sortable = sortableAddress(one);
      const others = users.get(sortable);
      if (others === undefined) users.set(sortable, [endpoint]);
      else others.push(endpoint);
    }
  }
  return users;
}

export function addressesOf({ addresses }: Pick<EndpointRecord, 'addresses'>): Address[] {
  return addresses
    .flatMap((text) => {
      const parsed = parsePrefixedAddress(text);
      return parsed.ok ? [parsed.value.address] : [];
    })
    .sort(compareAddresses);
}

function recordFindings({
  network,
  sortable,
  row,
  state,
  limits,
  users,
}: {
  network: AuditedNetwork;
  sortable: string;
  row: Row<AddressRecord>;
  state: AuditState;
  limits: AuditLimits;
  users: ReadonlyMap<string, unknown>;
}): Finding[] {
  const { networkId, record: owner } = network;
  const { record } = row;
  const base = { networkId, subject: record.address, evidence: evidenceOf(row, owner) };
  const isNamed = sortable === sortableOf(record.address) && record.networkId === networkId;
  if (!isNamed) {
    const message = `${row.key} speaks of ${record.address} of network ${record.networkId}`;
    return [{ ...base, kind: 'record_malformed', subject: row.key, message }];
  }
  const isInside = owner?.record.subnets.some((subnet) =>
    contains(cidr(subnet.cidr), address(record.address)),
  );
  if (isInside === false) return [outsideSubnet(network, row)];
  if (record.state === 'resting') return [];
  if (record.kind !== 'endpoint') return strayReservation(network, row);
  return holderFindings({ network, row, state, limits, isUsed: users.has(sortable) });
}

function holderFindings({
  network,
  row,
  state,
  limits,
  isUsed,
}: {
  network: AuditedNetwork;
  row: Row<AddressRecord>;
  state: AuditState;
  limits: AuditLimits;
  isUsed: boolean;
}): Finding[] {
  const { networkId } = network;
  const { record } = row;
  const endpointId = record.endpointId ?? '';
  const endpoint = network.endpoints.get(endpointId);
  const base = { networkId, subject: record.address };
  const since = `since ${new Date(record.cause.at).toISOString()}`;
  const has = endpoint && addressesOf(endpoint.record).map(sortableAddress);
  if (!has?.includes(sortableOf(record.address))) {
    // Some endpoint has it: that one's finding speaks of it, and it must not be let go of.
    if (isUsed || limits.now - record.cause.at < limits.graceMs) return [];
    const known = endpoint === undefined ? 'does not exist' : 'has other addresses';
    const text = `${record.address} is held by endpoint ${endpointId}, which ${known}, ${since}`;
    const host = state.hosts.get(record.host ?? '');
    const isHeard = host !== undefined && mayBeHeard(network, record, host.record);
    const message = isHeard ? `${text}; its host is down, and its container may be heard` : text;
    const evidence = [
      ...evidenceOf(row, endpoint),
      ...(host === undefined ? [] : evidenceOf(host)),
    ];
    const fault = { ...base, kind: 'address_without_endpoint', message, evidence } as const;
    if (isHeard) return [fault];
    const rested = { ...record, state: 'resting' as const, until: limits.now + limits.graceMs };
    const guard =
      endpoint === undefined ? absent(keys.endpoint(networkId, endpointId)) : unchanged(endpoint);
    const success = [put(row.key, rested)];
    const does = `releases ${record.address}`;
    const compare = [unchanged(row), guard, ...(host === undefined ? [] : [unchanged(host)])];
    return [{ ...fault, repair: { does, compare, success } }];
  }
  if (endpoint === undefined) return [];
  const evidence = evidenceOf(row, endpoint);
  if (record.host !== endpoint.record.host) {
    const message = `${record.address} is held for host ${record.host}, its endpoint is on ${endpoint.record.host}`;
    return [{ ...base, kind: 'address_of_other_host', message, evidence }];
  }
  const host = state.hosts.get(endpoint.record.host);
  if (host === undefined || record.bootId === undefined || record.bootId === host.record.bootId) {
    return [];
  }
  const message = `${record.address} is held for an earlier boot of host ${host.record.name}`;
  const kind = 'address_of_earlier_boot';
  return [
    { ...base, kind, host: host.record.id, message, evidence: [...evidence, ...evidenceOf(host)] },
  ];
}

/** P1: a container outlives its agent, and on a network that keeps nothing silences it. */
function mayBeHeard(network: AuditedNetwork, { bootId }: AddressRecord, host: HostRecord): boolean {
  const isOfBoot = bootId === undefined || bootId === host.bootId;
  return isOfBoot && host.state === 'down' && network.record?.record.onHostLoss !== 'fence';
}

function outsideSubnet(network: AuditedNetwork, row: Row<AddressRecord>): Finding {
  const { networkId, record: owner } = network;
  const { record } = row;
  const fault = {
    kind: 'address_outside_subnet',
    networkId,
    subject: record.address,
    message: `${record.address} is in no subnet of its network`,
    evidence: evidenceOf(row, owner),
  } as const;
  if (record.state === 'held' && record.kind === 'endpoint') return fault;
  const compare = [unchanged(row), ...(owner === undefined ? [] : [unchanged(owner)])];
  const does = `drops the record of ${record.address}`;
  return { ...fault, repair: { does, compare, success: [remove(row.key)] } };
}

/** A record that reserves what the network does not name. */
function strayReservation(network: AuditedNetwork, row: Row<AddressRecord>): Finding[] {
  const { networkId, record: owner } = network;
  const { record } = row;
  const isNamed = owner?.record.subnets.some((subnet) =>
    record.kind === 'gateway'
      ? subnet.gateway === record.address
      : subnet.reserved[record.reservedAs ?? ''] === record.address,
  );
  if (isNamed !== false || owner === undefined) return [];
  const repair = {
    does: `drops the reservation of ${record.address}`,
    compare: [unchanged(row), unchanged(owner)],
    success: [remove(row.key)],
  };
  const message = `${record.address} is reserved as ${record.reservedAs}, which no subnet names`;
  const evidence = evidenceOf(row, owner);
  const kind = 'reservation_without_subnet';
  return [{ kind, networkId, subject: record.address, message, evidence, repair }];
}

function endpointFindings(
  network: AuditedNetwork,
  endpoint: Row<EndpointRecord>,
  users: ReadonlyMap<string, readonly Row<EndpointRecord>[]>,
  state: AuditState,
): Finding[] {
  const { networkId } = network;
  const { id, host, name } = endpoint.record;
  const findings: Finding[] = [];
  if (!state.hosts.has(host)) {
    const message = `endpoint ${name} is on host ${host}, which is not registered`;
    const evidence = evidenceOf(endpoint);
    findings.push({ kind: 'endpoint_on_missing_host', networkId, subject: id, message, evidence });
  }
  for (const one of addressesOf(endpoint.record)) {
    const sortable = sortableAddress(one);
    const row = network.addresses.get(sortable);
    if (row?.record.state === 'held' && row.record.endpointId === id) continue;
    findings.push(notHeld(endpoint, { sortable, row, state, users: users.get(sortable) ?? [] }));
  }
  return findings;
}

function notHeld(
  endpoint: Row<EndpointRecord>,
  {
    sortable,
    row,
    state,
    users,
  }: {
    sortable: string;
    row: Row<AddressRecord> | undefined;
    state: AuditState;
    users: readonly Row<EndpointRecord>[];
  },
): Finding {
  const { id, networkId, name, host, created } = endpoint.record;
  const text = textOf(endpoint.record, sortable);
  const base = { networkId, subject: text, evidence: evidenceOf(endpoint, row) };
  if (row?.record.state === 'held') {
    const holder = row.record.endpointId ?? row.record.reservedAs ?? row.record.kind;
    const message = `endpoint ${name} has ${text}, which is held by ${holder}`;
    return { ...base, kind: 'address_held_by_other', message };
  }
  const message = `endpoint ${name} has ${text}, which nobody holds`;
  const fault = { ...base, kind: 'endpoint_without_address', message } as const;
  if (users.length > 1) return fault;
  const key = keys.address(networkId, sortable);
  const bootId = state.hosts.get(host)?.record.bootId;
  const record: AddressRecord = {
    address: text,
    networkId,
    state: 'held',
    kind: 'endpoint',
    endpointId: id,
    host,
    ...(bootId === undefined ? {} : { bootId }),
    cause: created,
  };
  const compare = [unchanged(endpoint), row === undefined ? absent(key) : unchanged(row)];
  return {
    ...fault,
    repair: { does: `holds ${text} for ${name}`, compare, success: [put(key, record)] },
  };
}

function heldTwice(
  { networkId }: AuditedNetwork,
  users: ReadonlyMap<string, readonly Row<EndpointRecord>[]>,
): Finding[] {
  return [...users].flatMap(([sortable, rows]): Finding[] => {
    const [first] = rows;
    if (rows.length < 2 || first === undefined) return [];
    const text = textOf(first.record, sortable);
    const names = rows.map(({ record }) => `${record.name} on ${record.host}`).join(' and ');
    const message = `${text} is had by ${names}`;
    const evidence = evidenceOf(...rows);
    return [{ kind: 'address_held_twice', networkId, subject: text, message, evidence }];
  });
}

function macFindings(network: AuditedNetwork, { now, graceMs }: AuditLimits): Finding[] {
  const { networkId } = network;
  const holders = new Map<string, Row<EndpointRecord>>();
  const findings: Finding[] = [];
  for (const endpoint of network.endpoints.values()) {
    const { mac, id, name } = endpoint.record;
    const other = holders.get(mac);
    if (other !== undefined) {
      const message = `${mac} is had by ${other.record.name} and ${name}`;
      const evidence = evidenceOf(other, endpoint);
      findings.push({ kind: 'mac_held_twice', networkId, subject: mac, message, evidence });
    }
    holders.set(mac, endpoint);
    const [primary] = addressesOf(endpoint.record);
    const spelled = primary?.family === 4 ? macFromIpv4(primary) : null;
    const row = network.macs.get(mac);
    if (mac === spelled || row?.record.endpointId === id) continue;
    const message = `endpoint ${name} has ${mac}, which is not kept for it`;
    const evidence = evidenceOf(endpoint, row);
    const fault = { kind: 'endpoint_without_mac', networkId, subject: mac, message, evidence };
    const key = keys.mac(networkId, mac);
    const compare = [unchanged(endpoint), absent(key)];
    const repair = { does: `keeps ${mac}`, compare, success: [put(key, { endpointId: id })] };
    findings.push({ ...fault, kind: 'endpoint_without_mac', ...(row ? {} : { repair }) });
  }
  const youngest = new Map<string, number>();
  for (const { record } of network.addresses.values()) {
    const { endpointId, state, cause } = record;
    if (endpointId !== undefined && state === 'held') youngest.set(endpointId, cause.at);
  }
  for (const [mac, row] of network.macs) {
    const { endpointId } = row.record;
    const endpoint = network.endpoints.get(endpointId);
    const isInMotion = now - (youngest.get(endpointId) ?? -Infinity) < graceMs;
    if (endpoint?.record.mac === mac || isInMotion) continue;
    const message = `${mac} is kept for endpoint ${endpointId}, which does not have it`;
    const guard =
      endpoint === undefined ? absent(keys.endpoint(networkId, endpointId)) : unchanged(endpoint);
    const repair = {
      does: `frees ${mac}`,
      compare: [unchanged(row), guard],
      success: [remove(row.key)],
    };
    const evidence = evidenceOf(row, endpoint);
    const kind = 'mac_without_endpoint';
    findings.push({ kind, networkId, subject: mac, message, evidence, repair });
  }
  return findings;
}

function sortableOf(text: string): string {
  return sortableAddress(address(text));
}

function textOf({ addresses }: EndpointRecord, sortable: string): string {
  const found = addresses.find((text) => {
    const parsed = parsePrefixedAddress(text);
    return parsed.ok && sortableAddress(parsed.value.address) === sortable;
  });
  return found?.split('/')[0] ?? sortable;
}
