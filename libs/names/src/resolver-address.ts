// The one address that answers for names everywhere: in each network's namespace beside the gateways, and in the host's own.
// Engines have one setting for all of their containers, so it must not depend on the network. Knows no socket and no kernel.

import { address, cidrAround, cidrText } from '@skein/ip';

/** Link-local, so that no route of a user leads there; the two bytes spell "Sk". */
export const resolverAddress = '169.254.83.107';

/** As the address of a link: nothing but itself is on it. */
export const resolverPrefix = `${resolverAddress}/32`;

const longestPrefix = 32;
/** Shorter ones would swallow other people's link-local addresses. */
const shortestPrefix = 24;
export const maxResolverRoutes = longestPrefix - shortestPrefix + 1;

/**
 * The connected route by which the `nth` network of a container (from 0) leads to the resolver: each a bit wider than the one
 * before, since a container can't have two routes to the same destination, and so that the next takes over when one goes.
 * Null if it has that many already.
 */
export function resolverRoute(nth: number): string | null {
  if (nth < 0 || nth >= maxResolverRoutes) return null;
  return cidrText(cidrAround(address(resolverAddress), longestPrefix - nth));
}
