// What one host holds: counted in full, listed up to a limit. Reads the view; decides nothing.

import { maxListedHoldings, type HostHoldings } from '@skein/contracts';
import type { CommittedView } from '../state/committed-view';
import type { EndpointEntry, HostEntry } from '../state/entries';
import { namesOf } from '../state/name-index';

export function holdingsOf(view: CommittedView, host: HostEntry): HostHoldings {
  const { state, revision } = view;
  const networks: HostHoldings['networks'] = [];
  const endpoints: EndpointEntry[] = [];
  for (const networkId of state.networksOf(host.id)) {
    const own = [...state.endpointsOf(networkId).values()].filter((each) => each.host === host.id);
    const { name = networkId, onHostLoss = 'keep' as const } = state.network(networkId) ?? {};
    networks.push({ id: networkId, name, onHostLoss, endpoints: own.length });
    endpoints.push(...own);
  }
  networks.sort((a, b) => (a.name < b.name ? -1 : 1));
  const nameOf = new Map(networks.map(({ id, name }) => [id, name]));
  const sum = (count: (endpoint: EndpointEntry) => number): number =>
    endpoints.reduce((total, endpoint) => total + count(endpoint), 0);
  return {
    host: host.id,
    name: host.name,
    state: host.state,
    revision,
    counts: {
      networks: networks.length,
      endpoints: endpoints.length,
      addresses: sum(({ addresses }) => addresses.length),
      names: sum((endpoint) => namesOf(endpoint).length),
    },
    networks,
    endpoints: endpoints
      .map((endpoint) => ({
        id: endpoint.id,
        network: nameOf.get(endpoint.networkId) ?? endpoint.networkId,
        name: endpoint.name,
        addresses: endpoint.addresses,
        names: [...namesOf(endpoint)],
      }))
      .sort((a, b) => (`${a.network}/${a.name}` < `${b.network}/${b.name}` ? -1 : 1))
      .slice(0, maxListedHoldings),
  };
}
