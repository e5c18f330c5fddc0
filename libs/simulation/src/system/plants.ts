// Rules that a part of the system can be told to break, to show that the checkers see it: each stands for a mistake that could be
// made in that part. It must not know how it is found.

import { keys, type Compare } from '@skein/contracts';
import type { Transaction } from '@skein/ipam';
import type { Program } from '@skein/registry';
import type { Store } from '@skein/store-client';
import type { CommittedHistory } from './committed';
import type { RegistryAlterations } from './registry-replica';
import { withTransactions } from './store-wrap';

export const plantedSystemFaults = [
  /** An attach does not compare the record of its host. */
  'no-host-compare',
  /** The registry commits although another has taken its place. */
  'registry-not-fenced',
  /** An agent answers a push before it has programmed it. */
  'early-answer',
  /** Addresses are committed without a look at who holds them, or at who is to give them out. */
  'addresses-not-compared',
  /** Addresses are committed by an actor whose place another has taken. */
  'ipam-not-fenced',
  /** What a failed attach leaves behind is never swept up. */
  'sweep-off',
  /** A host that goes down loses its endpoints, as if it were gone for good. */
  'suspended-forgotten',
  /** Every host is told of every network. */
  'shares-for-all',
  /** Registry and agents call a revision programmed when it was only sent. */
  'sent-is-acknowledged',
] as const;
export type PlantedSystemFault = (typeof plantedSystemFaults)[number];

export function alterRegistry(
  planted: PlantedSystemFault | null,
  parts: RegistryAlterations,
  committed: CommittedHistory,
): RegistryAlterations {
  switch (planted) {
    case 'no-host-compare':
      return { ...parts, store: comparing(parts.store, ({ key }) => !key.startsWith(keys.hosts)) };
    case 'registry-not-fenced':
      return { ...parts, store: comparing(parts.store, ({ key }) => !key.startsWith(keys.actors)) };
    case 'suspended-forgotten':
      return { ...parts, store: forgetting(parts.store, endpointKeys(committed)) };
    case 'shares-for-all':
      return { ...parts, program: tellingAll(parts.program, committed) };
    case 'sent-is-acknowledged':
      return {
        ...parts,
        program: (host, request) => {
          const { revision, digest } = request;
          void parts.program(host, request).catch(() => undefined);
          const faults: [] = [];
          return Promise.resolve({
            host,
            bootId: '',
            programmed: revision,
            digest,
            snapshotWanted: false,
            faults,
          });
        },
      };
    default:
      return parts;
  }
}

export function alterAllocation(
  planted: PlantedSystemFault | null,
  transaction: Transaction,
): Transaction {
  const isFence = (key: string): boolean => key.startsWith(keys.actors);
  if (planted === 'addresses-not-compared') return { ...transaction, compare: [] };
  if (planted === 'ipam-not-fenced') {
    return { ...transaction, compare: transaction.compare.filter(({ key }) => !isFence(key)) };
  }
  return transaction;
}

type EndpointKeys = (hosts: readonly string[]) => string[];

function endpointKeys({ state }: CommittedHistory): EndpointKeys {
  return (hosts) =>
    [...state.endpoints()]
      .filter(({ host }) => hosts.includes(host))
      .map(({ networkId, id }) => keys.endpoint(networkId, id));
}

function tellingAll(program: Program, { state }: CommittedHistory): Program {
  return (host, request) => {
    if (request.kind !== 'snapshot') return program(host, request);
    const all = state.hosts().flatMap(({ id }) => state.shareOf(id).networks);
    return program(host, { ...request, share: { ...request.share, networks: all } });
  };
}

function comparing(store: Store, isKept: (compare: Compare) => boolean): Store {
  return altered(store, (request) => ({
    ...request,
    compare: (request.compare ?? []).filter(isKept),
  }));
}

function forgetting(store: Store, endpointKeysOf: EndpointKeys): Store {
  return altered(store, (request) => {
    const down = (request.success ?? []).flatMap((operation) => {
      if (operation.type !== 'put' || !operation.key.startsWith(keys.hosts)) return [];
      const record = JSON.parse(operation.value) as { id: string; state: string };
      return record.state === 'down' ? [record.id] : [];
    });
    if (down.length === 0) return request;
    const deletes = endpointKeysOf(down).map((key) => ({ type: 'delete' as const, key }));
    return { ...request, success: [...(request.success ?? []), ...deletes] };
  });
}

type Transactions = Parameters<Store['txn']>;

function altered(store: Store, alter: (request: Transactions[0]) => Transactions[0]): Store {
  return withTransactions(store, (request, options) => store.txn(alter(request), options));
}
