// What a run is made of: the hosts, the networks and their sandboxes. Small subnets, so that pools run out and addresses are
// used again and again.

import type { NetworkRecord } from '@skein/contracts';

export interface ChaosNetwork {
  readonly name: string;
  readonly onHostLoss: NetworkRecord['onHostLoss'];
  readonly subnets: readonly { readonly cidr: string }[];
}

export const networks: readonly ChaosNetwork[] = [
  { name: 'small', onHostLoss: 'keep', subnets: [{ cidr: '10.81.1.0/28' }] },
  {
    name: 'dual',
    onHostLoss: 'keep',
    subnets: [{ cidr: '10.81.2.0/27' }, { cidr: 'fd81:2::/64' }],
  },
  { name: 'fenced', onHostLoss: 'fence', subnets: [{ cidr: '10.81.3.0/27' }] },
];

export const policyOf = (network: string): NetworkRecord['onHostLoss'] =>
  networks.find(({ name }) => name === network)?.onHostLoss ?? 'keep';

export const hostIds: readonly string[] = ['h1', 'h2', 'h3', 'h4'];
export const managerIds: readonly string[] = ['m1', 'm2', 'm3'];
export const replicas = 2;
/** Sandboxes that stand ready on each host. */
export const sandboxesAHost = 5;

export interface Sandbox {
  readonly name: string;
  readonly host: string;
}

export const sandboxes: readonly Sandbox[] = hostIds.flatMap((host) =>
  Array.from({ length: sandboxesAHost }, (_, index) => ({ name: `${host}-s${index + 1}`, host })),
);
