// Faults of a chaos run, chosen by a seeded generator: processes are killed and started again, or stand still for a while.
// Each ends by itself, and `heal` ends what is left.

import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '@skein/simulation';
import type { Stack } from '../support/stack';

export type Fault =
  | { readonly kind: 'kill'; readonly processes: readonly string[]; readonly forMs: number }
  | { readonly kind: 'pause'; readonly processes: readonly string[]; readonly forMs: number };

const managers = ['consensus-m1', 'consensus-m2', 'consensus-m3'];
const services = ['ipam', 'registry', 'gateway'];
const agents = ['agent-h1', 'agent-h2', 'agent-h3'];

/** What comes next; the same for the same generator. */
export function nextFault(random: Random): Fault {
  const forMs = random.between(100, 2_500);
  const dice = random.next();
  const kind = random.chance(0.65) ? 'kill' : 'pause';
  if (dice < 0.25) return { kind, processes: [random.pick(managers)], forMs };
  if (dice < 0.6) return { kind, processes: [random.pick(services)], forMs };
  if (dice < 0.8) return { kind, processes: [random.pick(agents)], forMs };
  if (dice < 0.87) return { kind, processes: ['nats'], forMs };
  if (dice < 0.94) return { kind, processes: ['ipam', 'registry'], forMs };
  return { kind, processes: [random.pick(managers), random.pick(agents), 'registry'], forMs };
}

export function faultText({ kind, processes, forMs }: Fault): string {
  return `${kind} ${processes.join(' + ')} for ${forMs} ms`;
}

export async function inflict(stack: Stack, { kind, processes, forMs }: Fault): Promise<void> {
  if (kind === 'pause') {
    await signal(stack, processes, 'STOP');
    await delay(forMs);
    await signal(stack, processes, 'CONT');
    return;
  }
  const { control } = stack.cluster;
  await Promise.all(processes.map((process) => control.call('kill', { process })));
  await delay(forMs);
  await Promise.all(processes.map((process) => control.call('start', { process })));
}

/** `kill -STOP` and the like, from inside of the private world. */
export async function signal(
  stack: Stack,
  names: readonly string[],
  what: 'STOP' | 'CONT' | 'KILL',
): Promise<void> {
  const { control } = stack.cluster;
  const { processes } = await control.call('status', {});
  const pids = processes.flatMap(({ name, pid }) =>
    names.includes(name) && pid ? [`${pid}`] : [],
  );
  if (pids.length === 0) return;
  await control.call('run', { netns: 'host-h1', argv: ['kill', `-${what}`, ...pids] });
}
