// The ways between two hosts that are compared: Skein's between containers where there are engines, and between plain namespaces;
// Swarm's overlay, and Docker's bridge within one host. Each is built once, before anything is measured.

import type { BenchStack } from '../stack/bench-stack';
import type { EngineHost, EngineStack } from '../docker/engine-stack';
import { haveObjects } from '../docker/overlay';
import { createOverlay, startSwarm } from '../docker/swarm';
import type { Way } from './transfer';

export interface NamedWay {
  readonly name: string;
  readonly way: Way;
}

const network = 'bench';
const overlay = 'bench-swarm';

/** The first is what figures are held against: between containers, if there are engines. */
export async function buildSkeinWays(
  stack: BenchStack,
  engines: EngineStack | null,
): Promise<NamedWay[]> {
  const subnets = [{ cidr: '10.251.0.0/24' }];
  await stack.ask('POST', '/v1/networks', { name: network, subnets });
  const way = await namespaceWay(stack);
  if (engines === null) return [{ name: 'skein', way }];
  await haveObjects(engines.engines, network);
  const containers = await containerWay(engines, 'skein', network, ['h1', 'h2']);
  return [containers, { name: 'skein, plain namespaces', way }];
}

async function namespaceWay(stack: BenchStack): Promise<Way> {
  const attach = async (host: string, name: string): Promise<string> => {
    const { netns } = await stack.cluster.control.call('addContainer', { name });
    const body = { host, name, sandbox: { netns } };
    const path = `/v1/networks/${network}/endpoints?wait=10000`;
    const { addresses } = (await stack.ask('POST', path, body)) as { addresses: string[] };
    return plain(addresses[0] ?? '');
  };
  await attach('h1', 'client');
  const address = await attach('h2', 'server');
  const place = (container: string) => ({ at: 'container', container }) as const;
  return { client: place('client'), server: place('server'), address };
}

export async function buildDockerWays(
  engines: EngineStack,
  progress: (text: string) => void,
): Promise<NamedWay[]> {
  progress('starting: Swarm on the same engines');
  await startSwarm(engines);
  await createOverlay(engines, overlay, '10.252.0.0/24');
  return [
    await containerWay(engines, 'swarm', overlay, ['h1', 'h2']),
    await containerWay(engines, "docker's bridge", 'bridge', ['h1', 'h1']),
  ];
}

async function containerWay(
  engines: EngineStack,
  name: string,
  on: string,
  [clientHost, serverHost]: readonly [EngineHost, EngineHost],
): Promise<NamedWay> {
  const client = await engines.container(clientHost, `${on}-client`, '--network', on);
  const server = await engines.container(serverHost, `${on}-server`, '--network', on);
  const format = `{{(index .NetworkSettings.Networks "${on}").IPAddress}}`;
  const address = await engines.engines[serverHost].run('inspect', '-f', format, `${on}-server`);
  const place = (pid: number) => ({ at: 'process', pid }) as const;
  return { name, way: { client: place(client), server: place(server), address } };
}

const plain = (address: string): string => address.split('/')[0] ?? address;
