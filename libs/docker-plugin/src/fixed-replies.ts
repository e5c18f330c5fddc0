// What Skein says of itself, whatever is known: the calls whose answer never differs.

import type { Method } from './protocol';

/**
 * One name for both spaces: engines from 27 on then don't compare pools with the host's routes, which an overlay may well meet.
 */
export const addressSpace = 'skein';

const replies: Partial<Record<Method, object>> = {
  'Plugin.Activate': { Implements: ['NetworkDriver', 'IpamDriver'] },
  // Network objects are each engine's own; what they stand for spans hosts. `global` scope is refused outside of a swarm.
  'NetworkDriver.GetCapabilities': { Scope: 'local', ConnectivityScope: 'global' },
  // The MAC tells which endpoint an address is for: the engine gives no other name for it before the endpoint is made.
  'IpamDriver.GetCapabilities': { RequiresMACAddress: true, RequiresRequestReplay: false },
  'IpamDriver.GetDefaultAddressSpaces': {
    LocalDefaultAddressSpace: addressSpace,
    GlobalDefaultAddressSpace: addressSpace,
  },
  'NetworkDriver.EndpointOperInfo': { Value: {} },
  // Ports are published by the engine's own bridge.
  'NetworkDriver.ProgramExternalConnectivity': {},
  'NetworkDriver.RevokeExternalConnectivity': {},
  // Members are known from the registry.
  'NetworkDriver.DiscoverNew': {},
  'NetworkDriver.DiscoverDelete': {},
  // Pools are the networks' own subnets: nothing is held for one.
  'IpamDriver.ReleasePool': {},
};

export function fixedReply(method: Method): object | undefined {
  return replies[method];
}
