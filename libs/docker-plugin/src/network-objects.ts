// Which network objects an engine should have, and what is to be done about those that it has: one for each network that the host may
// attach to, under the network's own name. Objects that people made stay theirs. Pure.

import type { KnownNetwork } from './networks';
import { isVersion6, networkOptions } from './networks';

/** A network object as the engine lists it. */
export interface EngineNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly addressDriver: string;
  readonly internal: boolean;
  readonly subnets: readonly string[];
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

export interface WantedNetwork extends KnownNetwork {
  readonly labels: Readonly<Record<string, string>>;
}

/** Body of the engine's `POST /networks/create`. */
export interface NetworkObject {
  readonly Name: string;
  readonly CheckDuplicate: true;
  readonly Driver: string;
  readonly Internal: boolean;
  /** Known from 28 on: an engine before it wants an IPv4 subnet of each network. */
  readonly EnableIPv4: boolean;
  readonly EnableIPv6: boolean;
  readonly Options: Readonly<Record<string, string>>;
  readonly Labels: Readonly<Record<string, string>>;
  readonly IPAM: {
    readonly Driver: string;
    readonly Options: Readonly<Record<string, string>>;
    readonly Config: readonly { readonly Subnet: string; readonly Gateway: string }[];
  };
}

export interface ObjectChange {
  /** Id of an object that goes first; one that has containers stays, and so does all of this change. */
  readonly remove?: string;
  readonly create?: NetworkObject;
  readonly reason: string;
}

/** On objects that the agent keeps. */
export const keptLabel = 'io.skein.kept';

export function planObjects(
  wanted: readonly WantedNetwork[],
  found: readonly EngineNetwork[],
  driver: string,
): ObjectChange[] {
  const changes: ObjectChange[] = [];
  const ours = found.filter((object) => object.driver === driver);
  for (const network of wanted) {
    const objects = ours.filter((object) => standsFor(object, network));
    const create = objectOf(network, driver);
    const named = objects.filter(({ name }) => name === network.name);
    if (named.length === 0) changes.push({ create, reason: 'object missing' });
    const surplus = surplusOf(named);
    for (const object of surplus) changes.push({ remove: object.id, reason: 'there twice' });
    for (const object of objects.filter((each) => !surplus.includes(each))) {
      if (object.addressDriver !== driver) {
        // Declared without our addresses: its own driver would give each engine the same ones.
        const labels = { ...object.labels, ...create.Labels };
        const same = { ...create, Name: object.name, Labels: labels };
        changes.push({ remove: object.id, create: same, reason: 'addresses of another driver' });
      } else if (isKept(object) && !isAsWanted(object, network)) {
        changes.push({ remove: object.id, create, reason: 'the network has changed' });
      }
    }
  }
  for (const object of ours) {
    if (!isKept(object) || wanted.some((network) => standsFor(object, network))) continue;
    changes.push({ remove: object.id, reason: 'not for this host any more' });
  }
  return changes;
}

/** Engines check for one name only before they make an object: of two that were made at once the agent takes its own away. */
function surplusOf(named: readonly EngineNetwork[]): readonly EngineNetwork[] {
  const ours = named.filter(isKept).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return ours.length < named.length ? ours : ours.slice(1);
}

function isKept({ labels }: EngineNetwork): boolean {
  return labels[keptLabel] !== undefined;
}

/** The network that an object names; undefined for one that names none. */
export function namedNetwork({ options }: EngineNetwork): string | undefined {
  return networkOptions.map((option) => options[option]).find((value) => value !== undefined);
}

function standsFor(object: EngineNetwork, { id, name }: WantedNetwork): boolean {
  const named = namedNetwork(object);
  return named === id || named === name;
}

function isAsWanted(object: EngineNetwork, network: WantedNetwork): boolean {
  const subnets = network.subnets.map(({ cidr }) => cidr);
  const sameSubnets =
    subnets.length === object.subnets.length &&
    subnets.every((subnet) => object.subnets.includes(subnet));
  const sameLabels = Object.entries(network.labels).every(
    ([key, value]) => object.labels[key] === value,
  );
  return sameSubnets && sameLabels && object.internal === network.internal;
}

function objectOf(network: WantedNetwork, driver: string): NetworkObject {
  const { id, name, internal, subnets, labels } = network;
  return {
    Name: name,
    CheckDuplicate: true,
    Driver: driver,
    Internal: internal,
    EnableIPv4: !subnets.every(isVersion6),
    EnableIPv6: subnets.some(isVersion6),
    Options: { net: id },
    Labels: { ...labels, [keptLabel]: id },
    IPAM: {
      Driver: driver,
      Options: { net: id },
      Config: subnets.map(({ cidr, gateway }) => ({ Subnet: cidr, Gateway: gateway })),
    },
  };
}
