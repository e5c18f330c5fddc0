import { describe, expect, it } from '@jest/globals';
import { address, cidr, contains } from '@skein/ip';
import { maxResolverRoutes, resolverAddress, resolverRoute } from './resolver-address';

describe('route to the resolver', () => {
  const routes = Array.from({ length: maxResolverRoutes }, (_, nth) => resolverRoute(nth) ?? '');

  it('is the address alone for the first network, and another one for each further network', () => {
    expect(routes.slice(0, 3)).toEqual([
      '169.254.83.107/32',
      '169.254.83.106/31',
      '169.254.83.104/30',
    ]);
    expect(new Set(routes).size).toBe(maxResolverRoutes);
  });

  it('leads to the resolver, whichever it is', () => {
    for (const route of routes) expect(contains(cidr(route), address(resolverAddress))).toBe(true);
  });

  it('ends before it covers what is not ours', () => {
    expect(resolverRoute(maxResolverRoutes)).toBeNull();
    expect(resolverRoute(-1)).toBeNull();
  });
});
