// Containers of the local cluster: bare network namespaces to attach, and programs run inside them.

import { readFileSync } from 'node:fs';
import { errorCodes, SkeinError } from '@skein/contracts';
import {
  clientFile,
  commandInWorld,
  findProgram,
  isAlive,
  listRuns,
  LocalCluster,
  netnsOfContainer,
} from '@skein/local-cluster';
import { Api, path } from '../client/api';
import type { EndpointAnswer, NetworkAnswer } from '../demo/api';
import { Output } from '../output/output';

/** The cluster that the client file points at: of several, the one that was started last. */
async function currentCluster(home: string): Promise<LocalCluster> {
  const running = listRuns(home).flatMap(({ record }) =>
    record !== null && isAlive(record.supervisor) ? [record] : [],
  );
  const url = currentUrl(home);
  const record = running.find((one) => one.url === url) ?? running[0];
  const cluster = record === undefined ? null : await LocalCluster.find(home, record.name);
  if (cluster === null)
    throw new SkeinError('unavailable', 'no local cluster runs; start one with ./skein up');
  return cluster;
}

function currentUrl(home: string): string | null {
  try {
    return (JSON.parse(readFileSync(clientFile(home), 'utf8')) as { url: string }).url;
  } catch {
    return null;
  }
}

export async function addContainer(options: {
  home: string;
  name: string;
  host?: string;
  network?: string;
}): Promise<void> {
  if ((options.host === undefined) !== (options.network === undefined)) {
    throw new SkeinError('invalid_request', '--host and --network go together', { field: 'host' });
  }
  const cluster = await currentCluster(options.home);
  try {
    const { name, host, network } = options;
    const { containers } = await cluster.control.call('status', {});
    const { netns } = await cluster.control.call('addContainer', { name });
    if (host === undefined || network === undefined) {
      process.stdout.write(`container ${name}: ${netns}\n`);
      return;
    }
    const attached = await attach(cluster, { name, netns, host, network }).catch(
      async (error: unknown) => {
        const isNew = !containers.includes(name);
        if (isNew && isRefusal(error)) await cluster.control.call('removeContainer', { name });
        throw error;
      },
    );
    const { addresses, gateway } = attached;
    if (gateway !== undefined)
      await cluster.control.call('setNameserver', { container: name, address: gateway });
    process.stdout.write(`container ${name}: ${netns}\n`);
    process.stdout.write(`attached to ${network} on ${host}: ${addresses.join(', ')}\n`);
  } finally {
    cluster.detach();
  }
}

async function attach(
  cluster: LocalCluster,
  options: { name: string; netns: string; host: string; network: string },
): Promise<{ addresses: readonly string[]; gateway: string | undefined }> {
  const { name, netns, host, network } = options;
  const api = apiOf(cluster);
  const { subnets } = (await api.get(path`/v1/networks/${network}`)) as NetworkAnswer;
  const { addresses } = (await api.post(path`/v1/networks/${network}/endpoints`, {
    host,
    name,
    sandbox: { netns },
  })) as EndpointAnswer;
  return { addresses, gateway: subnets[0]?.gateway };
}

export interface ContainerView {
  readonly name: string;
  readonly netns: string;
  /** What is attached there; absent if the gateway does not tell. */
  readonly endpoints?: readonly AttachedView[];
}

interface AttachedView {
  readonly network: string;
  readonly name: string;
  readonly host: string;
  readonly addresses: readonly string[];
}

export async function listContainers(home: string): Promise<ContainerView[]> {
  const cluster = await currentCluster(home);
  try {
    const { containers } = await cluster.control.call('status', {});
    const attached = await attachedBySandbox(cluster).catch(() => undefined);
    return [...containers].sort().map((name) => {
      const netns = `/run/netns/${netnsOfContainer(name)}`;
      return attached === undefined
        ? { name, netns }
        : { name, netns, endpoints: attached.get(netns) ?? [] };
    });
  } finally {
    cluster.detach();
  }
}

async function attachedBySandbox(cluster: LocalCluster): Promise<Map<string, AttachedView[]>> {
  const api = apiOf(cluster, 1);
  const bySandbox = new Map<string, AttachedView[]>();
  for (const network of await api.list('/v1/networks', 'networks')) {
    for (const endpoint of await api.list(
      path`/v1/networks/${network.name}/endpoints`,
      'endpoints',
    )) {
      const { name, host, addresses, sandbox } = endpoint;
      if (sandbox?.netns === undefined) continue;
      const view = { network: network.name, name, host, addresses };
      bySandbox.set(sandbox.netns, [...(bySandbox.get(sandbox.netns) ?? []), view]);
    }
  }
  return bySandbox;
}

export async function printContainers(options: { home: string; json: boolean }): Promise<void> {
  const out = new Output(options.json);
  const containers = await listContainers(options.home);
  out.show({ containers }, () => {
    const rows = containers.flatMap(({ name, netns, endpoints }) =>
      endpoints === undefined || endpoints.length === 0
        ? [[name, undefined, undefined, undefined, netns]]
        : endpoints.map((each) => [
            name,
            each.network,
            each.host,
            each.addresses.join(', '),
            netns,
          ]),
    );
    const none = 'no containers; `./skein container add <name>` makes one';
    return out.table(['name', 'network', 'host', 'addresses', 'netns'], rows, none);
  });
  if (containers.some(({ endpoints }) => endpoints === undefined))
    out.note('the gateway does not tell what they are attached to');
}

function apiOf({ url, token }: LocalCluster, attempts?: number): Api {
  return new Api({ url, token, source: 'the local cluster' }, attempts);
}

/** True if it is sure that nothing was attached: not of an answer that got lost. */
function isRefusal(error: unknown): boolean {
  return error instanceof SkeinError && errorCodes[error.code].status < 500;
}

export async function removeContainer(options: { home: string; name: string }): Promise<void> {
  const cluster = await currentCluster(options.home);
  const { name } = options;
  try {
    const { containers } = await cluster.control.call('status', {});
    if (!containers.includes(name)) {
      const there = containers.length === 0 ? 'there are none' : `only ${containers.join(', ')}`;
      const message = `there is no container '${name}': ${there}`;
      throw new SkeinError('invalid_request', message, { field: 'name' });
    }
    await cluster.control.call('removeContainer', { name });
  } finally {
    cluster.detach();
  }
}

export async function commandLine(options: {
  home: string;
  path: string;
  place: string;
  argv: string[];
}): Promise<string[]> {
  const cluster = await currentCluster(options.home);
  await refuseUnknownPlace(cluster, options.place).finally(() => cluster.detach());
  const find = (program: 'nsenter' | 'unshare' | 'mount') =>
    findProgram(program, options.home, options.path);
  const programs = { nsenter: find('nsenter'), unshare: find('unshare'), mount: find('mount') };
  const place = options.place.startsWith('host:')
    ? { host: options.place.slice(5) }
    : { container: options.place };
  const [program = 'sh', ...args] = options.argv;
  const resolved = program === 'ping' ? findProgram('ping', options.home, options.path) : program;
  return commandInWorld(cluster.record, programs, place, [resolved, ...args]);
}

async function refuseUnknownPlace(cluster: LocalCluster, place: string): Promise<void> {
  const { containers } = await cluster.control.call('status', {});
  const places = [...containers, ...cluster.hosts.map((id) => `host:${id}`)];
  if (places.includes(place)) return;
  throw new SkeinError('invalid_request', `'${place}' is none of: ${places.join(', ')}`, {
    field: 'place',
  });
}
