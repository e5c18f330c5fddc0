// What the registry's domain asks of agents and of ipam, as conversations of a messenger: NATS', or a simulated one.

import { allocateContract, programContract, releaseContract } from '@skein/contracts';
import type { Messenger } from '@skein/messaging';
import type { Program } from './feeds/host-feed';
import type { AddressBook, Fence } from './ports';

export type Asking = Pick<Messenger, 'request'>;

const programTimeoutMs = 5_000;

export function agentPrograms(messenger: Asking): Program {
  return (instance, request, onBehalf) =>
    messenger.request(programContract, request, {
      ...onBehalf,
      instance,
      timeoutMs: programTimeoutMs,
    });
}

export function ipamAddresses(messenger: Asking): AddressBook {
  return {
    allocate: (network, requests, context) =>
      messenger.request(
        allocateContract,
        { network, requests },
        { context, retryUnavailable: true },
      ),
    release: async (network, endpointIds, context) => {
      const body = { network, endpointIds };
      const options = { context, retryUnavailable: true };
      return (await messenger.request(releaseContract, body, options)).released;
    },
  };
}

/** Tells agents whose word is newer: a replica that stood still does not know yet that another has taken over. */
export function fenced(program: Program, fence: Fence): Program {
  const { value } = fence();
  if (typeof value !== 'number') throw new Error('a fence compares a revision');
  return (hostId, request, onBehalf) => program(hostId, { ...request, fencing: value }, onBehalf);
}
