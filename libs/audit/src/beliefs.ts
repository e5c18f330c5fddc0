// What others believe, against the store: the actors' copies of their networks' addresses, and the rows that hosts' kernels
// hold. Pure; each comparison is of what was read at about the same time, so only a second look tells a fault from motion.

import type { EndpointRecord } from '@skein/contracts';
import { addressFromSortable, formatAddress } from '@skein/ip';
import type { BeliefEntry } from '@skein/ipam';
import { isPluggedRow, probeOf } from '@skein/vxlan';
import { addressesOf } from './addresses';
import type { AuditedNetwork } from './audit-state';
import { evidenceOf, type Finding, type Row } from './finding';

export function beliefsOf(network: AuditedNetwork): BeliefEntry[] {
  return [...network.addresses].map(([sortable, { modRevision }]) => [sortable, modRevision]);
}

/** Of one bucket: what the actor has otherwise than the store. */
export function actorFindings(
  network: AuditedNetwork,
  stored: readonly BeliefEntry[],
  believed: readonly BeliefEntry[],
): Finding[] {
  const [store, actor] = [new Map(stored), new Map(believed)];
  const all = new Set([...store.keys(), ...actor.keys()]);
  return [...all].flatMap((sortable): Finding[] => {
    const [right, own] = [store.get(sortable), actor.get(sortable)];
    if (right === own) return [];
    const subject = formatAddress(addressFromSortable(sortable));
    const told = own === undefined ? 'knows nothing of' : `has revision ${own} of`;
    const stands = right === undefined ? 'which has no record' : `which is at ${right}`;
    const message = `the network’s actor ${told} ${subject}, ${stands}`;
    const { networkId } = network;
    const evidence = [`store@${right ?? 0}`, `actor@${own ?? 0}`];
    return [{ kind: 'actor_differs', networkId, subject, message, evidence }];
  });
}

/** A network on one host, as its kernel shows it. */
export interface KernelBelief {
  readonly host: string;
  /** Up to which revision the host says it has programmed. */
  readonly programmed: number;
  /** False: there were more rows than fit into an answer. */
  readonly isWhole: boolean;
  /** MAC by address, of remote endpoints. */
  readonly neighbors: ReadonlyMap<string, string>;
  /** Where a MAC is: a port, and the way behind it. */
  readonly fdb: ReadonlyMap<string, string>;
}

/** What one host has otherwise than the store. The host's own reconciliation puts it right; here it is told. */
export function kernelFindings(network: AuditedNetwork, belief: KernelBelief): Finding[] {
  const endpoints = [...network.endpoints.values()];
  if (!endpoints.some(({ record }) => record.host === belief.host)) return [];
  const known = endpoints.filter(({ modRevision }) => modRevision <= belief.programmed);
  return [
    ...known.flatMap((endpoint) =>
      endpoint.record.host === belief.host
        ? localFindings(network, endpoint, belief)
        : remoteFindings(network, endpoint, belief),
    ),
    ...strangers(network, endpoints, belief),
  ];
}

function localFindings(
  { networkId }: AuditedNetwork,
  endpoint: Row<EndpointRecord>,
  { host, fdb, isWhole }: KernelBelief,
): Finding[] {
  const { id, name, mac, sandbox } = endpoint.record;
  const way = fdb.get(mac);
  const isPlugged = way !== undefined && isPluggedRow(way);
  if (sandbox === undefined || isPlugged || (way === undefined && !isWhole)) return [];
  const message = `endpoint ${name} is not plugged in on its host`;
  const evidence = [...evidenceOf(endpoint), `fdb ${way ?? 'none'}`];
  return [{ kind: 'endpoint_not_plugged', networkId, host, subject: id, message, evidence }];
}

function remoteFindings(
  { networkId }: AuditedNetwork,
  endpoint: Row<EndpointRecord>,
  { host, neighbors, isWhole }: KernelBelief,
): Finding[] {
  const { name, mac } = endpoint.record;
  return addressesOf(endpoint.record).flatMap((one): Finding[] => {
    const subject = formatAddress(one);
    const found = neighbors.get(subject);
    if (found === mac || (found === undefined && !isWhole)) return [];
    const evidence = [...evidenceOf(endpoint), `neighbor ${found ?? 'none'}`];
    const base = { networkId, host, subject, evidence };
    if (found === undefined) {
      const message = `host ${host} has no way to ${subject} of endpoint ${name}`;
      return [{ ...base, kind: 'endpoint_not_plugged', message }];
    }
    const message = `host ${host} takes ${subject} of endpoint ${name} for ${found}, not ${mac}`;
    return [{ ...base, kind: 'plugged_addresses_differ', message }];
  });
}

function strangers(
  { networkId }: AuditedNetwork,
  endpoints: readonly Row<EndpointRecord>[],
  { host, neighbors }: KernelBelief,
): Finding[] {
  const known = new Set(
    endpoints.flatMap(({ record }) => [
      ...addressesOf(record).map(formatAddress),
      // Hosts that take part probe each other inside the overlay.
      probeOf(record.host).address,
    ]),
  );
  return [...neighbors]
    .filter(([address]) => !known.has(address))
    .map(([subject, mac]): Finding => {
      const message = `host ${host} has a way to ${subject} (${mac}), which no endpoint has`;
      const evidence = [`neighbor ${mac}`];
      return { kind: 'plugged_without_endpoint', networkId, host, subject, message, evidence };
    });
}
