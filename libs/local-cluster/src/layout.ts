// Names, addresses and accounts of a local cluster: who runs where. Everything lives in a network namespace of its own, so
// that the same addresses serve any number of clusters side by side.

import { randomBytes } from 'node:crypto';

export interface LocalHost {
  readonly id: string;
  /** Address on the underlay, also its VXLAN tunnel endpoint. */
  readonly address: string;
}

export interface NatsAccount {
  readonly user: string;
  readonly password: string;
  readonly inboxPrefix: string;
}

export interface LocalLayout {
  readonly clusterId: string;
  /** New with every start: the hosts' namespaces are made anew, which is a reboot to their agents. */
  readonly bootId: string;
  readonly managers: readonly string[];
  /** Those of the managers that came to a cluster that was there: they start with nothing and are told the rest. */
  readonly joined?: readonly string[];
  readonly hosts: readonly LocalHost[];
  /** Where the hosts reach NATS: the underlay bridge's own address. */
  readonly natsUrl: string;
  readonly services: NatsAccount;
  readonly people: NatsAccount;
  readonly agents: Readonly<Record<string, NatsAccount>>;
  readonly adminToken: string;
}

/** TEST-NET-1: free for documentation and tests, and never routed. */
const underlay = '192.0.2';
export const underlayAddress = `${underlay}.254`;
export const underlayPrefixLength = 24;
export const natsPort = 4222;
export const maxHosts = 32;
export const maxManagers = 9;

function account(user: string): NatsAccount {
  return { user, password: randomBytes(18).toString('base64url'), inboxPrefix: `_INBOX_${user}` };
}

export function createLayout(size: { managers: number; hosts: number }): LocalLayout {
  const hosts = Array.from({ length: size.hosts }, (_, index) => ({
    id: `h${index + 1}`,
    address: `${underlay}.${index + 1}`,
  }));
  return {
    clusterId: `local-${randomBytes(4).toString('hex')}`,
    bootId: randomBytes(8).toString('hex'),
    managers: Array.from({ length: size.managers }, (_, index) => `m${index + 1}`),
    hosts,
    natsUrl: `nats://${underlayAddress}:${natsPort}`,
    services: account('services'),
    people: account('people'),
    agents: Object.fromEntries(hosts.map((host) => [host.id, account(`host-${host.id}`)])),
    adminToken: randomBytes(24).toString('base64url'),
  };
}

export function withManager(layout: LocalLayout, id: string): LocalLayout {
  if (layout.managers.includes(id)) return layout;
  const joined = [...(layout.joined ?? []), id];
  return { ...layout, managers: [...layout.managers, id], joined };
}

export function withoutManager(layout: LocalLayout, id: string): LocalLayout {
  const without = (ids: readonly string[]) => ids.filter((each) => each !== id);
  return { ...layout, managers: without(layout.managers), joined: without(layout.joined ?? []) };
}

/** The layout of an earlier start, rebooted: the same cluster, accounts and hosts, another boot. */
export function rebootLayout(layout: LocalLayout): LocalLayout {
  return { ...layout, bootId: randomBytes(8).toString('hex') };
}
