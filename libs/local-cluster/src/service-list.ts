// The processes of a local cluster and the environment of each. The only place that knows which setting goes to whom.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { hostSigningOf, inboxPrefixOf, type UserName } from '@skein/authority';
import { engineCommand, enginePaths } from '@skein/docker-engines';
import {
  bootIdOf,
  managerProcess,
  placesOf,
  replicaProcess,
  type LocalHost,
  type LocalLayout,
} from './layout';
import { asSeenInside } from './tracing';
import { credentialsFile, hostSigningKeyFile, natsConfigurationFile } from './nats-configuration';

export interface ProcessSpec {
  /** `nats`, `consensus-m1`, `ipam`, `registry`, `gateway`, `agent-h1`. */
  readonly name: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Network namespace to run in; none: the cluster's own. */
  readonly netns?: string;
  /** True for Skein's services, which say over IPC when they are ready. */
  readonly saysReady: boolean;
  /** For an engine: it is ready when it answers on this socket, and what runs is the process whose pid is in this file. */
  readonly engine?: { readonly socket: string; readonly pidFile: string };
  readonly inheritsHttpSocket?: boolean;
}

export interface ProcessListOptions {
  readonly layout: LocalLayout;
  readonly home: string;
  readonly dataDir: string;
  readonly natsServer: string;
  /** Needed where hosts have engines. */
  readonly enginePrograms?: { readonly unshare: string; readonly mount: string };
  readonly httpFd: number;
  /** Services write CPU profiles into a folder of their own below this one. */
  readonly profileDir?: string | undefined;
}

/** Not `--optimize-for-size`: it saves nothing here and doubles what a write costs a manager (libs/raft/PERFORMANCE.md). */
const nodeFlags = ['--no-warnings', '--v8-pool-size=1'];
/**
 * MiB that a young generation may grow to. With a small one, much of what a request makes is copied twice; a large one is memory
 * that a process keeps once it was busy, its start included.
 */
const youngMib: Readonly<Record<string, number>> = {
  'host-agent': 4,
  consensus: 8,
  gateway: 16,
  ipam: 16,
  registry: 16,
};

/** One heap for all. */
const singleFlags = ['--max-semi-space-size=4'];

/** Where a host keeps its key and credential. */
export const identityDir = (dataDir: string, hostId: string): string =>
  join(dataDir, 'hosts', hostId);

export const netnsOfHost = (hostId: string): string => `host-${hostId}`;
/** Begins the names of the namespaces that a host's agent makes. */
export const agentNetnsPrefix = (hostId: string): string => `sk-${hostId}-`;

function natsEnv({ layout, dataDir }: ProcessListOptions, user: UserName) {
  return {
    SKEIN_NATS_URL: layout.natsUrl,
    SKEIN_NATS_CREDS: credentialsFile(dataDir, user),
    SKEIN_NATS_INBOX: inboxPrefixOf(user),
    ...(layout.logLevel === undefined ? {} : { SKEIN_LOG_LEVEL: layout.logLevel }),
  };
}

/** Each service goes by its own name, also where one was given for all. */
function tracingEnv({ tracing }: LocalLayout, app: string): Record<string, string> {
  if (tracing === undefined) return {};
  const { OTEL_SERVICE_NAME: name, ...others } = asSeenInside(tracing);
  return name === undefined ? others : { ...others, OTEL_SERVICE_NAME: `${name}-${app}` };
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Each host's token of this boot: what the registry is told of it, and the text that the host has. */
function joinTokens({ bootId, hosts, joinSecrets }: LocalLayout) {
  return hosts.map(({ id: host }) => {
    const id = `${bootId}${digestOf(host).slice(0, 8)}`;
    const secret = joinSecrets[host] ?? '';
    return {
      host,
      standing: { id, digest: digestOf(secret), host, declares: true },
      text: `skein-join-${id}-${secret}`,
    };
  });
}

/** What the registry signs hosts with, and whom it lets in from the start. */
function joiningEnv({ layout, dataDir }: ProcessListOptions): Record<string, string> {
  const { authority, credentialTtlMs } = layout;
  return {
    SKEIN_HOST_SIGNING_KEY: hostSigningKeyFile(dataDir),
    SKEIN_NATS_ACCOUNT: hostSigningOf(authority, 0).account,
    SKEIN_JOIN_TOKENS: JSON.stringify(joinTokens(layout).map(({ standing }) => standing)),
    ...(credentialTtlMs === undefined ? {} : { SKEIN_CREDENTIAL_TTL_MS: String(credentialTtlMs) }),
  };
}

/** A manager that joins counts nobody as a voter by itself: who votes, it learns from the others. */
function managerEnv({ layout, dataDir }: ProcessListOptions, id: string): Record<string, string> {
  const { joined = [] } = layout;
  const founders = layout.managers.filter((each) => !joined.includes(each));
  return {
    SKEIN_CLUSTER_ID: layout.clusterId,
    SKEIN_REPLICA_ID: id,
    SKEIN_DATA_DIR: join(dataDir, id),
    SKEIN_VOTERS: (joined.includes(id) ? [id] : founders).join(','),
    ...(joined.includes(id) ? { SKEIN_JOIN: '1' } : {}),
  };
}

/** Where a replica of the registry keeps its history. */
export const registryDir = (dataDir: string, index: number): string =>
  join(dataDir, replicaProcess('registry', index));

/** All of them, each in its own place where they are apart, or together where they are one. */
export function processList(options: ProcessListOptions): readonly ProcessSpec[] {
  if (options.layout.single === true) return together(options, specs(options));
  const places = new Map(placesOf(options.layout).map((place) => [place.process, place.netns]));
  return specs(options).map((spec) => {
    const netns = spec.netns ?? places.get(spec.name);
    return netns === undefined ? spec : { ...spec, netns };
  });
}

/** Of a cluster in one process, that process; managers that came later are processes of their own. */
export const singleProcess = 'single';

/** It runs where its host is, from where NATS is reached as well; the gateway's socket was made elsewhere. */
function together(
  { home, layout }: ProcessListOptions,
  each: readonly ProcessSpec[],
): readonly ProcessSpec[] {
  const [manager = ''] = layout.managers;
  const [host] = layout.hosts;
  const parts = {
    consensus: managerProcess(manager),
    ipam: 'ipam',
    registry: 'registry',
    gateway: 'gateway',
    'host-agent': `agent-${host?.id}`,
  };
  const names = Object.values(parts);
  const environments = Object.entries(parts).map(([app, name]) => [
    app,
    each.find((spec) => spec.name === name)?.env,
  ]);
  const others = each.filter(({ name }) => !names.includes(name));
  const single: ProcessSpec = {
    name: singleProcess,
    command: [process.execPath, ...nodeFlags, ...singleFlags, join(home, 'dist', 'single.js')],
    env: {
      SKEIN_PARTS: JSON.stringify(Object.fromEntries(environments)),
      SKEIN_EXIT_WITH_PARENT: '1',
      // Those that OpenTelemetry's own packages read.
      ...(layout.tracing === undefined ? {} : asSeenInside(layout.tracing)),
    },
    netns: netnsOfHost(host?.id ?? ''),
    saysReady: true,
    inheritsHttpSocket: true,
  };
  // NATS comes first.
  return [...others.slice(0, 1), single, ...others.slice(1)];
}

function specs(options: ProcessListOptions): readonly ProcessSpec[] {
  const { layout, home, dataDir, profileDir } = options;
  const bundle = (app: string, name: string) => [
    process.execPath,
    ...nodeFlags,
    `--max-semi-space-size=${youngMib[app] ?? 2}`,
    ...(profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(profileDir, name)}`]),
    join(home, 'dist', `${app}.js`),
  ];
  const as = (user: UserName) => ({ ...natsEnv(options, user), SKEIN_EXIT_WITH_PARENT: '1' });
  const service = (
    name: string,
    app: string,
    env: Record<string, string>,
    user = app as UserName,
  ): ProcessSpec => ({
    name,
    command: bundle(app, name),
    env: { ...as(user), ...tracingEnv(layout, app), ...env },
    saysReady: true,
  });
  const replicas = Array.from({ length: layout.replicas ?? 1 }, (_, index) => index);
  const token = {
    name: 'local-admin',
    role: 'admin',
    token: digestOf(layout.adminToken),
  };
  return [
    {
      name: 'nats',
      command: [options.natsServer, '-c', natsConfigurationFile(dataDir)],
      // One processor is plenty for it; with more, its runtime wakes threads that find nothing to do.
      env: { GOMAXPROCS: '1' },
      saysReady: false,
    },
    ...layout.managers.map((id) =>
      service(managerProcess(id), 'consensus', managerEnv(options, id)),
    ),
    ...replicas.map((index) =>
      service(replicaProcess('ipam', index), 'ipam', { SKEIN_REPLICA_ID: `ipam-${index + 1}` }),
    ),
    ...replicas.map((index) =>
      service(replicaProcess('registry', index), 'registry', {
        SKEIN_REPLICA_ID: `registry-${index + 1}`,
        SKEIN_DATA_DIR: registryDir(dataDir, index),
        ...joiningEnv(options),
      }),
    ),
    {
      ...service('gateway', 'gateway', {
        SKEIN_HTTP_FD: '4',
        SKEIN_TOKENS: JSON.stringify([token]),
      }),
      inheritsHttpSocket: true,
    },
    ...layout.hosts.map((host) => ({
      ...service(`agent-${host.id}`, 'host-agent', agentEnv(options, host), 'join'),
      netns: netnsOfHost(host.id),
    })),
    ...(layout.engines === true ? layout.hosts.map(({ id }) => engineSpec(options, id)) : []),
  ];
}

/** Begins the names of engines among the processes. */
export const engineProcess = (hostId: string): string => `engine-${hostId}`;
/** Name of the control groups of all containers of a cluster, at the root of each hierarchy. */
export const cgroupParentOf = ({ clusterId }: Pick<LocalLayout, 'clusterId'>): string =>
  `/skein-${clusterId}`;

function engineSpec(options: ProcessListOptions, host: string): ProcessSpec {
  const { layout, dataDir, enginePrograms: programs } = options;
  if (programs === undefined) throw new Error('programs are needed to start engines');
  const { socket, pidFile } = enginePaths(dataDir, host);
  const cgroupParent = cgroupParentOf(layout);
  return {
    name: engineProcess(host),
    command: engineCommand({ dataDir, host, programs, cgroupParent }),
    env: {},
    netns: netnsOfHost(host),
    saysReady: false,
    engine: { socket, pidFile },
  };
}

function agentEnv({ layout, dataDir }: ProcessListOptions, host: LocalHost) {
  return {
    SKEIN_IDENTITY_DIR: identityDir(dataDir, host.id),
    SKEIN_JOIN_TOKEN: joinTokens(layout).find((token) => token.host === host.id)?.text ?? '',
    SKEIN_HOST_ID: host.id,
    SKEIN_HOST_NAME: host.id,
    SKEIN_VTEP: host.address,
    SKEIN_NETNS_PREFIX: agentNetnsPrefix(host.id),
    SKEIN_GOSSIP_PRESET: layout.gossipPreset ?? 'local',
    ...(layout.gossipKey === undefined ? {} : { SKEIN_GOSSIP_KEYS: layout.gossipKey }),
    SKEIN_BOOT_ID: bootIdOf(layout, host.id),
    ...(layout.engines === true ? doorEnv(dataDir, host.id) : {}),
  };
}

function doorEnv(dataDir: string, hostId: string) {
  const { socket, plugins } = enginePaths(dataDir, hostId);
  return {
    SKEIN_DOCKER_SOCKET: socket,
    SKEIN_PLUGIN_SOCKET: `${plugins}/skein.sock`,
    SKEIN_STATE_DIR: identityDir(dataDir, hostId),
    // Swarm's own gossip wants the usual port, and an engine may be made part of a swarm to compare the two.
    SKEIN_GOSSIP_PORT: '7956',
  };
}
