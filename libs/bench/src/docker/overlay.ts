// A network that containers of several engines share, as a bench uses it: Skein's, Swarm's overlay, or each engine's own bridge.

import { setTimeout as sleep } from 'node:timers/promises';
import { SkeinError } from '@skein/contracts';
import type { DockerClient } from '@skein/docker-engines';
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
  await haveObjects(engines, name);
  return { name: 'skein', network: name, prefix, crossesHosts: true };
}

const objectWaitMs = 60_000;

/** The hosts' agents make an object for the network on each engine. */
export async function haveObjects(engines: EngineStack['engines'], name: string): Promise<void> {
  for (const host of engineHosts) await hasObject(engines[host], host, name);
}

async function hasObject(engine: DockerClient, host: EngineHost, name: string): Promise<void> {
  const end = performance.now() + objectWaitMs;
  for (;;) {
    const { code, stderr } = await engine.try('network', 'inspect', name);
    if (code === 0) return;
    if (performance.now() > end) {
      throw new SkeinError('internal', `${host} has no object for ${name}: ${stderr.trim()}`);
    }
    await sleep(100);
  }
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
