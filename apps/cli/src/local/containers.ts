// Containers of the local cluster: bare network namespaces to attach, and programs run inside them.

import { readFileSync } from 'node:fs';
import { SkeinError } from '@skein/contracts';
import {
  clientFile,
  commandInWorld,
  findProgram,
  isAlive,
  listRuns,
  LocalCluster,
} from '@skein/local-cluster';
import { Api, type EndpointAnswer, type NetworkAnswer } from '../demo/api';

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
    const { netns } = await cluster.control.call('addContainer', { name });
    process.stdout.write(`container ${name}: ${netns}\n`);
    if (host === undefined || network === undefined) return;
    const api = new Api(cluster.url, cluster.token);
    const path = `/v1/networks/${encodeURIComponent(network)}`;
    const { subnets } = await api.expect<NetworkAnswer>('GET', path);
    const endpoint = await api.expect<EndpointAnswer>('POST', `${path}/endpoints`, {
      host,
      name,
      sandbox: { netns },
    });
    const address = subnets[0]?.gateway;
    if (address !== undefined)
      await cluster.control.call('setNameserver', { container: name, address });
    process.stdout.write(`attached to ${network} on ${host}: ${endpoint.addresses.join(', ')}\n`);
  } finally {
    cluster.detach();
  }
}

export async function removeContainer(options: { home: string; name: string }): Promise<void> {
  const cluster = await currentCluster(options.home);
  await cluster.control.call('removeContainer', { name: options.name });
  cluster.detach();
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
  const { containers, processes } = await cluster.control.call('status', {});
  const hosts = processes.flatMap(({ name }) =>
    name.startsWith('agent-') ? [`host:${name.slice('agent-'.length)}`] : [],
  );
  const places = [...containers, ...hosts];
  if (places.includes(place)) return;
  throw new SkeinError('invalid_request', `'${place}' is none of: ${places.join(', ')}`, {
    field: 'place',
  });
}
