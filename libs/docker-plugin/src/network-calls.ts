// Network objects of the engine: each stands for a network that is there, or declares one. The engine tells of it once and never again.

import { reply, type Action, type Declaration } from './actions';
import { notKnown } from './address-calls';
import { refuse } from './book';
import type { Known } from './door';
import { bare, differenceOf, genericOptions, isOwnPool, referenceIn } from './networks';
import type { CallOf } from './protocol';

type Create = CallOf<'NetworkDriver.CreateNetwork'>;

const internalOption = 'com.docker.network.internal';

export function createNetwork(body: Create, known: Known): Action {
  const { NetworkID: engineId, IPv4Data, IPv6Data } = body;
  const reference = referenceIn(genericOptions(body.Options));
  if (reference === undefined) {
    return refuse('invalid_request', 'name the network: -o skein.network=NAME');
  }
  const data = [...IPv4Data, ...IPv6Data];
  const network = known.find(reference);
  if (network === undefined) {
    if (!known.isFresh) return { kind: 'ask' };
    // With our own addresses it would have been known by now.
    if (data.length === 0 || data.some(isOwnPool)) return notKnown(reference, known);
    return { kind: 'declare', network: declarationOf(reference, body) };
  }
  const difference = differenceOf(network, data);
  if (difference !== null) return refuse('network_differs', difference.message);
  known.book.bindings.set(engineId, {
    network: network.id,
    claims: !data.every(isOwnPool),
  });
  return reply();
}

function declarationOf(name: string, body: Create): Declaration {
  return {
    name,
    internal: body.Options[internalOption] === true,
    subnets: [...body.IPv4Data, ...body.IPv6Data].map(({ Pool, Gateway, AuxAddresses }) => {
      const gateway = bare(Gateway);
      const reserved = Object.entries(AuxAddresses).flatMap(([as, text]) => {
        const plain = bare(text);
        return plain === undefined ? [] : [[as.toLowerCase(), plain] as const];
      });
      return {
        cidr: Pool,
        ...(gateway === undefined ? {} : { gateway }),
        ...(reserved.length === 0 ? {} : { reserved: Object.fromEntries(reserved) }),
      };
    }),
  };
}
