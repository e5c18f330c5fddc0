// Which networks a host's container engine may know and use: attachable ones, whose label `hosts` fits the host's labels. Pure.

import type { EnrolledNetwork, HostRecord, NetworkRecord } from '@skein/contracts';

/** Label of a network that chooses hosts: `key=value` or `key`, several separated by commas, all of which must fit. */
export const hostsLabel = 'hosts';

export function isChosen(
  { labels }: Pick<NetworkRecord, 'labels'>,
  host: Pick<HostRecord, 'labels'>,
): boolean {
  const selector = labels[hostsLabel];
  if (selector === undefined) return true;
  return selector.split(',').every((part) => {
    const [key = '', ...value] = part.trim().split('=');
    const found = host.labels[key];
    return found !== undefined && (value.length === 0 || found === value.join('='));
  });
}

export function enrolledNetwork(network: NetworkRecord): EnrolledNetwork {
  const { id, name, subnets, internal, labels } = network;
  return { id, name, subnets, internal, labels };
}
