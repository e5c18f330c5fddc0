// Endpoints grouped for ipam, which releases one network's addresses at a time.

interface Placed {
  readonly networkId: string;
  readonly endpointId: string;
}

/** Ids without repetition, by network. */
export function idsByNetwork(endpoints: Iterable<Placed>): Map<string, string[]> {
  const groups = new Map<string, Set<string>>();
  for (const { networkId, endpointId } of endpoints) {
    const group = groups.get(networkId);
    if (group === undefined) groups.set(networkId, new Set([endpointId]));
    else group.add(endpointId);
  }
  return new Map([...groups].map(([networkId, ids]) => [networkId, [...ids]]));
}
