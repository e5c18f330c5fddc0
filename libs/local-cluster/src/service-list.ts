// The processes of a local cluster and the environment of each. The only place that knows which setting goes to whom.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { LocalLayout, NatsAccount } from './layout';

export interface ProcessSpec {
  /** `nats`, `consensus-m1`, `ipam`, `registry`, `gateway`, `agent-h1`. */
  readonly name: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Network namespace to run in; none: the cluster's own. */
  readonly netns?: string;
  /** True for Skein's services, which say over IPC when they are ready. */
  readonly saysReady: boolean;
  readonly inheritsHttpSocket?: boolean;
}

export interface ProcessListOptions {
  readonly layout: LocalLayout;
  readonly home: string;
  readonly dataDir: string;
  readonly natsServer: string;
  readonly httpFd: number;
}

/**
 * Small young generations: the services hold little, and nine of them share one machine. Not `--optimize-for-size`: it saves
 * nothing here and doubles what a write costs a manager (libs/raft/PERFORMANCE.md).
 */
const nodeFlags = ['--no-warnings', '--v8-pool-size=1'];
const youngMib = (app: string): number => (app === 'consensus' ? 2 : 1);

export const netnsOfHost = (hostId: string): string => `host-${hostId}`;

function natsEnv(url: string, account: NatsAccount): Record<string, string> {
  return {
    SKEIN_NATS_URL: url,
    SKEIN_NATS_USER: account.user,
    SKEIN_NATS_PASSWORD: account.password,
    SKEIN_NATS_INBOX: account.inboxPrefix,
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

export const managerProcess = (id: string): string => `consensus-${id}`;

export function processList(options: ProcessListOptions): readonly ProcessSpec[] {
  const { layout, home, dataDir } = options;
  const bundle = (app: string) => [
    process.execPath,
    ...nodeFlags,
    `--max-semi-space-size=${youngMib(app)}`,
    join(home, 'dist', `${app}.js`),
  ];
  const services = { ...natsEnv(layout.natsUrl, layout.services), SKEIN_EXIT_WITH_PARENT: '1' };
  const service = (name: string, app: string, env: Record<string, string>): ProcessSpec => ({
    name,
    command: bundle(app),
    env: { ...services, ...env },
    saysReady: true,
  });
  const token = {
    name: 'local-admin',
    role: 'admin',
    token: createHash('sha256').update(layout.adminToken).digest('hex'),
  };
  return [
    {
      name: 'nats',
      command: [options.natsServer, '-c', join(dataDir, 'nats.conf')],
      // One processor is plenty for it; with more, its runtime wakes threads that find nothing to do.
      env: { GOMAXPROCS: '1' },
      saysReady: false,
    },
    ...layout.managers.map((id) =>
      service(managerProcess(id), 'consensus', managerEnv(options, id)),
    ),
    service('ipam', 'ipam', { SKEIN_REPLICA_ID: 'ipam-1' }),
    service('registry', 'registry', {
      SKEIN_REPLICA_ID: 'registry-1',
      SKEIN_DATA_DIR: join(dataDir, 'registry'),
    }),
    {
      ...service('gateway', 'gateway', {
        SKEIN_HTTP_FD: '4',
        SKEIN_TOKENS: JSON.stringify([token]),
      }),
      inheritsHttpSocket: true,
    },
    ...layout.hosts.map((host) => ({
      ...service(`agent-${host.id}`, 'host-agent', {
        ...natsEnv(layout.natsUrl, layout.agents[host.id] as NatsAccount),
        SKEIN_HOST_ID: host.id,
        SKEIN_HOST_NAME: host.id,
        SKEIN_VTEP: host.address,
        SKEIN_NETNS_PREFIX: `sk-${host.id}-`,
        SKEIN_GOSSIP_PRESET: 'local',
        SKEIN_BOOT_ID: `${layout.bootId}-${host.id}`,
      }),
      netns: netnsOfHost(host.id),
    })),
  ];
}
