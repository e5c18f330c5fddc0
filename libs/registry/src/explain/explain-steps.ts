// The steps from one endpoint to another, judged: what is committed, who holds the addresses, what is programmed. Pure; it is
// given what was found, and each step says what is wrong in words.

import { isPluggedRow } from '@skein/vxlan';
import type { NetworkEntry } from '../state/entries';
import { step, type End, type Step } from './step';
import { mtuStep, probeStep } from './way-steps';

/** An agent tells no more. */
const mostRows = 5_000;

export interface Findings {
  readonly network: NetworkEntry;
  /** Of the network, as its hosts are told. */
  readonly mtu: number;
  readonly from: End;
  readonly to: End;
}

export function stepsOf({ network, mtu, from, to }: Findings): Step[] {
  const revision = Math.max(from.endpoint.revision, to.endpoint.revision);
  return [
    networkStep(network),
    mtuStep(network, mtu, endsByHost(from, to)),
    ...[from, to].map(committedStep),
    ...[from, to].map(holderStep),
    ...endsByHost(from, to).map(hostStep),
    ...endsByHost(from, to).map((end) => programmedStep(end, revision)),
    ...[from, to].flatMap((end) => pluggedSteps(network, end)),
    ...rowSteps(network, from, to),
    ...probeSteps(network, from, to),
  ];
}

/** One end for each of the hosts: both endpoints may be on one. */
function endsByHost(from: End, to: End): End[] {
  return from.endpoint.host === to.endpoint.host ? [from] : [from, to];
}

function networkStep({ id, name, vni, revision }: NetworkEntry): Step {
  const detail = `Network ${name} is committed at revision ${revision}`;
  return step('network', true, detail, { networkId: id, vni, revision });
}

function committedStep({ endpoint }: End): Step {
  const { id, name, host, addresses, mac, revision, created } = endpoint;
  const detail = `Endpoint ${name} is committed at revision ${revision} with ${addresses.join(', ')}`;
  const { request, at } = created;
  const facts = { endpointId: id, host, addresses, mac, revision, request, at };
  return step('endpoint', true, detail, facts);
}

function holderStep({ endpoint, records }: End): Step {
  const wrong = records.find(
    ({ record }) => record?.state !== 'held' || record.endpointId !== endpoint.id,
  );
  const facts = { endpointId: endpoint.id, addresses: records.map(({ address }) => address) };
  if (wrong === undefined) {
    return step('holder', true, `${endpoint.name} holds its addresses`, facts);
  }
  const holder = wrong.record?.endpointId ?? null;
  const says = wrong.record === null ? 'nobody' : `${holder ?? '?'} (${wrong.record.state})`;
  const detail = `${endpoint.name} does not hold ${wrong.address}: the store says ${says}`;
  return step('holder', false, detail, { ...facts, holder });
}

function hostStep({ endpoint, host }: End): Step {
  if (host === undefined) {
    const detail = `Host ${endpoint.host} is not committed`;
    return step('host', false, detail, { host: endpoint.host });
  }
  const { id, name, state, since, reason, vtep } = host;
  const detail = `Host ${name} is ${state}${reason === undefined ? '' : `: ${reason}`}`;
  return step('host', state === 'up', detail, { host: id, state, since, vtep });
}

function programmedStep({ endpoint, status, acked, digest }: End, revision: number): Step {
  const { host } = endpoint;
  if ('unreachable' in status) {
    const detail = `The agent of ${host} does not answer: ${status.unreachable}`;
    return step('programmed', false, detail, { host });
  }
  const agrees = status.digest === digest;
  const ok = agrees && acked >= revision;
  const facts = { host, programmed: status.programmed, acked, wanted: revision, agrees };
  const detail = ok
    ? `Host ${host} has programmed revision ${revision} and all before`
    : agrees
      ? `Host ${host} has not acknowledged revision ${revision} yet`
      : `Host ${host} has another share than the committed one`;
  return step('programmed', ok, detail, facts);
}

/** Whether the bridge of its host has it at a port of its own. One without a sandbox is plugged in nowhere, and its agent may not answer. */
function pluggedSteps(network: NetworkEntry, { endpoint, status }: End): Step[] {
  const { name, host, mac, sandbox } = endpoint;
  if (sandbox === undefined || 'unreachable' in status) return [];
  const { rows = [] } = status;
  const found = rows.find(
    (row) => row.networkId === network.id && row.kind === 'fdb' && row.key === mac,
  );
  const isPlugged = found !== undefined && isPluggedRow(found.value);
  const facts = { host, endpointId: endpoint.id, netns: sandbox.netns, fdb: found?.value ?? null };
  if (isPlugged) return [step('plugged', true, `${name} is plugged in on ${host}`, facts)];
  // Of very many rows an answer holds only the first.
  if (found === undefined && rows.length >= mostRows) return [];
  const detail = `${name} is not plugged in on ${host}: is ${sandbox.netns} there?`;
  return [step('plugged', false, detail, facts)];
}

function rowSteps(network: NetworkEntry, from: End, to: End): Step[] {
  if (from.endpoint.host === to.endpoint.host) {
    const detail = 'Both are on one host: its bridge joins them, no row is needed';
    return [step('rows', true, detail, { host: from.endpoint.host })];
  }
  return [rowStep(network, from, to), rowStep(network, to, from)];
}

/** On one host nothing is tried: no wire is in between. */
function probeSteps(network: NetworkEntry, from: End, to: End): Step[] {
  if (from.endpoint.host === to.endpoint.host) return [];
  return [probeStep(network, from, to), probeStep(network, to, from)];
}

/** Rows on the host of `at` that lead to `target`. */
function rowStep(network: NetworkEntry, at: End, target: End): Step {
  const { host } = at.endpoint;
  if ('unreachable' in at.status) {
    const detail = `The rows of ${host} are unknown: its agent does not answer`;
    return step('rows', false, detail, { host });
  }
  const rows = (at.status.rows ?? []).filter(({ networkId }) => networkId === network.id);
  const { mac, name } = target.endpoint;
  const fdb = rows.find((row) => row.kind === 'fdb' && row.key === mac);
  const neighbors = target.endpoint.addresses.map(withoutPrefix).map((address) => ({
    address,
    mac: rows.find((row) => row.kind === 'neighbor' && row.key === address)?.value ?? null,
  }));
  const facts = { host, to: name, mac, fdb: fdb?.value ?? null, neighbors };
  if (fdb === undefined) {
    return step('rows', false, `Host ${host} has no forwarding row for ${mac} of ${name}`, facts);
  }
  const wrong = neighbors.find((neighbor) => neighbor.mac !== mac);
  if (wrong !== undefined) {
    const found = wrong.mac === null ? 'no neighbour row' : `neighbour row with ${wrong.mac}`;
    return step('rows', false, `Host ${host} has ${found} for ${wrong.address}`, facts);
  }
  return step('rows', true, `Host ${host} has the rows that lead to ${name}`, facts);
}

function withoutPrefix(address: string): string {
  return address.split('/')[0] ?? address;
}
