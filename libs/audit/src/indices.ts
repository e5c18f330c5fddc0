// Names, VNIs and the table of subnets against the networks and endpoints that they speak of: an index that lies makes things
// unfindable, or lets two have one name. Pure.

import { keys, type EndpointRecord, type NetworkRecord } from '@skein/contracts';
import { address, cidr, overlaps, parseCidr, sortableAddress } from '@skein/ip';
import type { AuditedNetwork, AuditState } from './audit-state';
import { absent, evidenceOf, put, remove, unchanged, type Finding, type Row } from './finding';

export function nameFindings(network: AuditedNetwork): Finding[] {
  const { networkId, names, endpoints } = network;
  const findings: Finding[] = [];
  for (const [name, row] of names) {
    const { endpointId } = row.record;
    const endpoint = endpoints.get(endpointId);
    if (endpoint !== undefined && namesOf(endpoint.record).includes(name)) continue;
    const message = `the name ${name} is kept for endpoint ${endpointId}, which does not have it`;
    const guard =
      endpoint === undefined ? absent(keys.endpoint(networkId, endpointId)) : unchanged(endpoint);
    const compare = [unchanged(row), guard];
    const repair = { does: `drops the name ${name}`, compare, success: [remove(row.key)] };
    const evidence = evidenceOf(row, endpoint);
    const kind = 'name_without_endpoint';
    findings.push({ kind, networkId, subject: name, message, evidence, repair });
  }
  for (const endpoint of endpoints.values()) {
    for (const name of namesOf(endpoint.record)) {
      const finding = unkeptName(network, endpoint, name);
      if (finding !== null) findings.push(finding);
    }
  }
  return findings;
}

function unkeptName(
  { networkId, names, endpoints }: AuditedNetwork,
  endpoint: Row<EndpointRecord>,
  name: string,
): Finding | null {
  const row = names.get(name);
  const { id } = endpoint.record;
  if (row?.record.endpointId === id) return null;
  const other = row && endpoints.get(row.record.endpointId);
  const base = { networkId, subject: name, evidence: evidenceOf(endpoint, row) };
  if (other !== undefined && namesOf(other.record).includes(name)) {
    const message = `endpoints ${id} and ${other.record.id} are both named ${name}`;
    return { ...base, kind: 'name_held_twice', message };
  }
  const key = keys.endpointName(networkId, name);
  const compare = [unchanged(endpoint), row === undefined ? absent(key) : unchanged(row)];
  const success = [put(key, { endpointId: id })];
  const repair = { does: `keeps the name ${name}`, compare, success };
  const message = `endpoint ${id} is named ${name}, which is not kept for it`;
  return { ...base, kind: 'endpoint_without_name', message, repair };
}

function namesOf({ name, aliases }: EndpointRecord): string[] {
  return [...new Set([name, ...aliases])];
}

export function networkFindings(state: AuditState): Finding[] {
  const findings: Finding[] = [];
  for (const network of state.networks.values()) {
    const { record: row } = network;
    if (row === undefined) findings.push(...ownerless(network));
    else {
      findings.push(...unindexed(row, state), ...gatewayFindings(network, row));
      findings.push(...routeFindings(row, state));
    }
  }
  return [...findings, ...staleIndices(state), ...tableFindings(state)];
}

/** Records of a network that does not exist: what no endpoint stands behind is dropped. */
function ownerless({ networkId, addresses, macs, names, endpoints }: AuditedNetwork): Finding[] {
  const guard = absent(keys.network(networkId));
  const kind = 'record_of_missing_network';
  const loose = [...addresses.values(), ...macs.values(), ...names.values()];
  const droppable = endpoints.size === 0;
  return [...loose, ...endpoints.values()].map((row): Finding => {
    const compare = [unchanged(row), guard];
    const repair = { does: `drops ${row.key}`, compare, success: [remove(row.key)] };
    const message = `${row.key} is of a network that does not exist`;
    const evidence = evidenceOf(row);
    const fault = { kind, networkId, subject: row.key, message, evidence } as const;
    return droppable ? { ...fault, repair } : fault;
  });
}

function unindexed(row: Row<NetworkRecord>, state: AuditState): Finding[] {
  const { id, name, vni } = row.record;
  const findings: Finding[] = [];
  const look = (
    kind: 'network_without_name' | 'network_without_vni',
    key: string,
    index: Row<{ networkId: string }> | undefined,
  ): void => {
    if (index?.record.networkId === id) return;
    const subject = kind === 'network_without_name' ? name : String(vni);
    const message = `${key} does not lead to network ${id}`;
    const fault = { kind, networkId: id, subject, message, evidence: evidenceOf(row, index) };
    const compare = [unchanged(row), absent(key)];
    const repair = { does: `writes ${key}`, compare, success: [put(key, { networkId: id })] };
    findings.push(index === undefined ? { ...fault, repair } : fault);
  };
  look('network_without_name', keys.networkName(name), state.networkNames.get(name));
  look('network_without_vni', keys.vni(vni), state.vnis.get(vni));
  return findings;
}

function staleIndices(state: AuditState): Finding[] {
  const stale = (
    kind: 'network_name_without_network' | 'vni_without_network',
    subject: string,
    row: Row<{ networkId: string }>,
    isOf: (network: NetworkRecord) => boolean,
  ): Finding[] => {
    const { networkId } = row.record;
    const network = state.networks.get(networkId)?.record;
    if (network !== undefined && isOf(network.record)) return [];
    const guard = network === undefined ? absent(keys.network(networkId)) : unchanged(network);
    const compare = [unchanged(row), guard];
    const repair = { does: `drops ${row.key}`, compare, success: [remove(row.key)] };
    const message = `${row.key} leads to network ${networkId}, which is not of it`;
    return [{ kind, networkId, subject, message, evidence: evidenceOf(row, network), repair }];
  };
  return [
    ...[...state.networkNames].flatMap(([name, row]) =>
      stale('network_name_without_network', name, row, (network) => network.name === name),
    ),
    ...[...state.vnis].flatMap(([vni, row]) =>
      stale('vni_without_network', String(vni), row, (network) => network.vni === vni),
    ),
  ];
}

/** Gateways and reserved addresses are held with the network. */
function gatewayFindings(network: AuditedNetwork, row: Row<NetworkRecord>): Finding[] {
  const { id, created, subnets } = row.record;
  const wanted = subnets.flatMap(({ gateway, reserved }) => [
    { text: gateway, kind: 'gateway' as const, reservedAs: 'gateway' },
    ...Object.entries(reserved).map(([reservedAs, text]) => ({
      text,
      kind: 'reserved' as const,
      reservedAs,
    })),
  ]);
  return wanted.flatMap(({ text, kind, reservedAs }): Finding[] => {
    const sortable = sortableAddress(address(text));
    const held = network.addresses.get(sortable);
    if (held?.record.state === 'held' && held.record.kind === kind) return [];
    const evidence = evidenceOf(row, held);
    const base = { kind: 'gateway_not_held', networkId: id, subject: text, evidence } as const;
    if (held?.record.state === 'held') {
      const message = `${text} is reserved as ${reservedAs} and held by ${held.record.endpointId}`;
      return [{ ...base, message }];
    }
    const key = keys.address(id, sortable);
    const record = { address: text, networkId: id, state: 'held', kind, reservedAs };
    const compare = [unchanged(row), held === undefined ? absent(key) : unchanged(held)];
    const success = [put(key, { ...record, cause: created })];
    const message = `${text} is reserved as ${reservedAs} and not held`;
    return [{ ...base, message, repair: { does: `reserves ${text}`, compare, success } }];
  });
}

function routeFindings({ record, ...row }: Row<NetworkRecord>, state: AuditState): Finding[] {
  if (record.allowOverlap === true) return [];
  const findings: Finding[] = [];
  for (const host of state.hosts.values()) {
    for (const route of host.record.routes ?? []) {
      const parsed = parseCidr(route);
      if (!parsed.ok) continue;
      for (const subnet of record.subnets) {
        if (!overlaps(parsed.value, cidr(subnet.cidr))) continue;
        findings.push({
          kind: 'subnet_meets_host_route',
          networkId: record.id,
          host: host.record.id,
          subject: subnet.cidr,
          message: `${subnet.cidr} overlaps route ${route} of host ${host.record.name}`,
          evidence: evidenceOf({ ...row, record }, host),
        });
      }
    }
  }
  return findings;
}

/** The table has exactly the subnets of all networks; those of different networks do not overlap unless that was asked for. */
function tableFindings(state: AuditState): Finding[] {
  const { subnetTable: table } = state;
  const networks = [...state.networks.values()].flatMap(({ record }) => record ?? []);
  const right = networks.flatMap((row) =>
    row.record.subnets.map((subnet) => ({ cidr: subnet.cidr, networkId: row.record.id, row })),
  );
  const rowId = (one: { cidr: string; networkId: string }): string =>
    `${one.networkId} ${one.cidr}`;
  const inTable = new Set(table.record.subnets.map(rowId));
  const inNetworks = new Set(right.map(rowId));
  const repair = {
    does: 'writes the table of subnets anew',
    compare: [
      table.modRevision === 0 ? absent(keys.subnetTable) : unchanged(table),
      ...networks.map(unchanged),
    ],
    success: [
      put(keys.subnetTable, {
        ...table.record,
        subnets: right.map(({ cidr: text, networkId }) => ({ cidr: text, networkId })),
      }),
    ],
  };
  const missing = right
    .filter((one) => !inTable.has(rowId(one)))
    .map(({ cidr: subject, networkId, row }): Finding => {
      const message = `${subject} of network ${row.record.name} is not in the table of subnets`;
      const evidence = evidenceOf(table, row);
      return { kind: 'subnet_not_in_table', networkId, subject, message, evidence, repair };
    });
  const stale = table.record.subnets
    .filter((one) => !inNetworks.has(rowId(one)))
    .map(({ cidr: subject, networkId }): Finding => {
      const message = `the table of subnets has ${subject}, which no network has`;
      const evidence = evidenceOf(table);
      return { kind: 'table_row_without_subnet', networkId, subject, message, evidence, repair };
    });
  return [...missing, ...stale, ...overlapFindings(right)];
}

function overlapFindings(
  subnets: readonly { cidr: string; networkId: string; row: Row<NetworkRecord> }[],
): Finding[] {
  const sorted = subnets
    .map((one) => ({ ...one, prefix: cidr(one.cidr) }))
    .sort(
      (a, b) =>
        a.prefix.family - b.prefix.family || Number(a.prefix.value > b.prefix.value) * 2 - 1,
    );
  const findings: Finding[] = [];
  for (const [index, one] of sorted.entries()) {
    // Sorted by first address: once one begins beyond this one's end, all later ones do.
    for (let next = index + 1; next < sorted.length; next += 1) {
      const other = sorted[next];
      if (other === undefined || !overlaps(one.prefix, other.prefix)) break;
      const isAllowed = [one, other].some(({ row }) => row.record.allowOverlap === true);
      if (isAllowed && one.networkId !== other.networkId) continue;
      const message = `${one.cidr} of ${one.row.record.name} overlaps ${other.cidr} of ${other.row.record.name}`;
      findings.push({
        kind: 'subnets_overlap',
        networkId: one.networkId,
        subject: one.cidr,
        message,
        evidence: evidenceOf(one.row, other.row),
      });
    }
  }
  return findings;
}
