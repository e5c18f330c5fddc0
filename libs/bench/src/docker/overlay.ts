// A network that containers of several engines share, as a bench uses it: Skein's, Swarm's overlay, or each engine's own bridge.

import { SkeinError } from '@skein/contracts';
import { type EngineStack, engineHosts, type EngineHost } from './engine-stack';
import { createOverlay, startSwarm } from './swarm';

export interface Overlay {
  readonly name: 'skein' | 'swarm' | "docker's bridge";
  /** Of the network, in docker's own commands. */
  readonly network: string;
  /** Its first three bytes. */
  readonly prefix: string;
  /** False: containers reach those of their own host only. */
  readonly crossesHosts: boolean;
}

export async function skeinOverlay({ stack, engines }: EngineStack): Promise<Overlay> {
  const name = 'bench';
  const prefix = '10.251.7';
  const cidr = `${prefix}.0/24`;
  await stack.ask('POST', '/v1/networks', { name, subnets: [{ cidr }] });
  const plugin = ['-d', 'skein', '--ipam-driver', 'skein', '-o', `net=${name}`];
  for (const host of engineHosts) {
    const args = [...plugin, '--ipam-opt', `net=${name}`, '--subnet', cidr, name];
    const made = await engines[host].try('network', 'create', ...args);
    if (made.code !== 0 && !made.stderr.includes('already exists')) {
      throw new SkeinError('internal', `docker network create on ${host}: ${made.stderr.trim()}`);
    }
  }
  return { name: 'skein', network: name, prefix, crossesHosts: true };
}

export async function swarmOverlay(stack: EngineStack): Promise<Overlay> {
  const prefix = '10.252.7';
  await startSwarm(stack);
  await createOverlay(stack, 'bench-swarm', `${prefix}.0/24`);
  return { name: 'swarm', network: 'bench-swarm', prefix, crossesHosts: true };
}

export async function localBridge({ engines }: EngineStack): Promise<Overlay> {
  const prefix = '10.253.7';
  const network = 'bench-bridge';
  for (const host of engineHosts) {
    await engines[host].run('network', 'create', '--subnet', `${prefix}.0/24`, network);
  }
  return { name: "docker's bridge", network, prefix, crossesHosts: false };
}

/** The host of whoever looks on from elsewhere; the same one where nobody can. */
export function onlookerOf({ crossesHosts }: Overlay, host: EngineHost): EngineHost {
  return crossesHosts ? 'h1' : host;
}
