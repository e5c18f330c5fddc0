// Names, addresses and keys of a local cluster: who runs where. Everything lives in a network namespace of its own, so
// that the same addresses serve any number of clusters side by side.

import { randomBytes } from 'node:crypto';
import { createAuthorityKeys, type AuthorityKeys } from '@skein/authority';

export interface LocalHost {
  readonly id: string;
  /** Address on the underlay, also its VXLAN tunnel endpoint. */
  readonly address: string;
}

export interface LocalLayout {
  readonly clusterId: string;
  /** New with every start: the hosts' namespaces are made anew, which is a reboot to their agents. */
  readonly bootId: string;
  readonly managers: readonly string[];
  /** Those of the managers that came to a cluster that was there: they start with nothing and are told the rest. */
  readonly joined?: readonly string[];
  readonly hosts: readonly LocalHost[];
  /** How many of ipam and of registry there are; absent: one. */
  readonly replicas?: number | undefined;
  /** Each manager and service has a namespace and an underlay address of its own, so that it can be cut off. */
  readonly apart?: boolean | undefined;
  /** Each host has a Docker engine. */
  readonly engines?: boolean | undefined;
  /** All but NATS is one process, with one manager and one host. */
  readonly single?: boolean | undefined;
  /** How often a host was rebooted while the cluster ran. */
  readonly reboots?: Readonly<Record<string, number>> | undefined;
  /** Where the hosts reach NATS: the underlay bridge's own address. */
  readonly natsUrl: string;
  readonly authority: AuthorityKeys;
  /** New with every start, one a host: with it the host joins, if it has not or was removed. */
  readonly joinSecrets: Readonly<Record<string, string>>;
  /** How long a host's credential holds, in milliseconds; absent: the registry's default. */
  readonly credentialTtlMs?: number | undefined;
  readonly adminToken: string;
  /** Base64; of the hosts' gossip. Absent in what was written down before there was one. */
  readonly gossipKey?: string | undefined;
  /** Timing of the hosts' gossip; absent: `local`. */
  readonly gossipPreset?: 'lan' | 'wan' | 'local' | undefined;
  /** Of all services; absent: their default. */
  readonly logLevel?: 'debug' | undefined;
  /** `OTEL_…` settings of all services for this boot, as they are meant out here; absent: no request is followed. */
  readonly tracing?: Readonly<Record<string, string>> | undefined;
}

/** TEST-NET-1: free for documentation and tests, and never routed. */
const underlay = '192.0.2';
export const underlayAddress = `${underlay}.254`;
export const underlayPrefixLength = 24;
export const natsPort = 4222;
export const maxHosts = 32;
export const maxManagers = 9;

const createGossipKey = (): string => randomBytes(32).toString('base64');
const secret = (): string => randomBytes(24).toString('base64url');

export interface LayoutSize {
  readonly managers: number;
  readonly hosts: number;
  readonly credentialTtlMs?: number | undefined;
  readonly replicas?: number | undefined;
  readonly apart?: boolean | undefined;
  readonly engines?: boolean | undefined;
  readonly single?: boolean | undefined;
  readonly gossipPreset?: 'lan' | 'wan' | 'local' | undefined;
  readonly logLevel?: 'debug' | undefined;
}

function bootOf(hosts: readonly LocalHost[]): Pick<LocalLayout, 'bootId' | 'joinSecrets'> {
  const joinSecrets = Object.fromEntries(hosts.map(({ id }) => [id, secret()]));
  return { bootId: randomBytes(8).toString('hex'), joinSecrets };
}

export function createLayout(size: LayoutSize): LocalLayout {
  const hosts = Array.from({ length: size.hosts }, (_, index) => ({
    id: `h${index + 1}`,
    address: `${underlay}.${index + 1}`,
  }));
  return {
    clusterId: `local-${randomBytes(4).toString('hex')}`,
    ...bootOf(hosts),
    managers: Array.from({ length: size.managers }, (_, index) => `m${index + 1}`),
    hosts,
    natsUrl: `nats://${underlayAddress}:${natsPort}`,
    authority: createAuthorityKeys(),
    ...(size.credentialTtlMs === undefined ? {} : { credentialTtlMs: size.credentialTtlMs }),
    ...(size.replicas === undefined ? {} : { replicas: size.replicas }),
    ...(size.apart === undefined ? {} : { apart: size.apart }),
    ...(size.engines === undefined ? {} : { engines: size.engines }),
    ...(size.single === undefined ? {} : { single: size.single }),
    adminToken: secret(),
    gossipKey: createGossipKey(),
    ...(size.gossipPreset === undefined ? {} : { gossipPreset: size.gossipPreset }),
    ...(size.logLevel === undefined ? {} : { logLevel: size.logLevel }),
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

/** The layout after this host was rebooted. */
export function withReboot(layout: LocalLayout, host: string): LocalLayout {
  const times = (layout.reboots?.[host] ?? 0) + 1;
  return { ...layout, reboots: { ...layout.reboots, [host]: times } };
}

export const bootIdOf = ({ bootId, reboots }: LocalLayout, host: string): string =>
  `${bootId}-${host}${reboots?.[host] === undefined ? '' : `-${reboots[host]}`}`;

/** A namespace on the underlay in which one process of the control plane runs alone. */
export interface LocalPlace {
  readonly process: string;
  readonly netns: string;
  /** The underlay bridge's port that leads there. */
  readonly port: string;
  readonly address: string;
}

export const managerProcess = (id: string): string => `consensus-${id}`;
/** `ipam`, `ipam-2`: the first keeps the plain name. */
export const replicaProcess = (app: string, index: number): string =>
  index === 0 ? app : `${app}-${index + 1}`;

/** The places of a layout whose processes are apart, managers first; none otherwise. */
export function placesOf({
  apart,
  managers,
  replicas = 1,
}: Pick<LocalLayout, 'apart' | 'managers' | 'replicas'>): readonly LocalPlace[] {
  if (apart !== true) return [];
  const each = Array.from({ length: replicas }, (_, index) => index);
  const processes = [
    ...managers.map(managerProcess),
    ...['ipam', 'registry'].flatMap((app) => each.map((index) => replicaProcess(app, index))),
    'gateway',
  ];
  return processes.map((process, index) => ({
    process,
    netns: `at-${process}`,
    port: `p-${index + 1}`,
    address: `${underlay}.${maxHosts + 1 + index}`,
  }));
}

/** The layout of an earlier start, rebooted: the same cluster, keys and hosts, another boot. */
export function rebootLayout(layout: EarlierLayout): LocalLayout {
  const { authority = createAuthorityKeys(), gossipKey = createGossipKey() } = layout;
  return { ...layout, authority, gossipKey, ...bootOf(layout.hosts) };
}

/** As it was written down; before there were keys, without them. */
export type EarlierLayout = Omit<LocalLayout, 'authority' | 'joinSecrets'> &
  Partial<Pick<LocalLayout, 'authority'>>;
