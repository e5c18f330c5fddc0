// Docker's own clustering on the engines that Skein serves, as its users set it up: every engine a manager, an attachable overlay.
// Its VXLAN has a port of its own, so that the two do not share one.

import { SkeinError } from '@skein/contracts';
import { type EngineStack, engineHosts } from './engine-stack';

const dataPathPort = '4790';
const joinLimitMs = 60_000;
const addressOf = (index: number): string => `192.0.2.${index + 1}`;

export async function startSwarm({ engines }: EngineStack): Promise<void> {
  const [first, ...others] = engineHosts;
  const ports = ['--data-path-port', dataPathPort];
  await engines[first].run('swarm', 'init', '--advertise-addr', addressOf(0), ...ports);
  const token = await engines[first].run('swarm', 'join-token', '-q', 'manager');
  for (const [index, host] of others.entries()) {
    const self = ['--advertise-addr', addressOf(index + 1)];
    await engines[host].run('swarm', 'join', '--token', token, ...self, `${addressOf(0)}:2377`);
  }
  const deadline = performance.now() + joinLimitMs;
  for (;;) {
    const states = await engines[first].run('node', 'ls', '--format', '{{.ManagerStatus}}');
    const managers = states.split('\n').filter((state) => /Leader|Reachable/.test(state));
    if (managers.length === engineHosts.length) return;
    if (performance.now() > deadline) throw new SkeinError('unavailable', 'no swarm was formed');
  }
}

export async function createOverlay({ engines }: EngineStack, name: string, subnet: string) {
  const args = ['--driver', 'overlay', '--attachable', '--subnet', subnet];
  await engines.h1.run('network', 'create', ...args, name);
}
