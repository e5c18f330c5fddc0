// Processor time of each process of a local cluster, seen from outside its private world, and of this one; of the programs that
// agents ran to their end, by themselves.

import { readdirSync, readFileSync } from 'node:fs';
import type { LocalCluster } from '@skein/local-cluster';

/**
 * Milliseconds of user and system time by name: `gateway`, `registry`, `ipam`, `consensus-m1`, `nats`, `agent-h1`, `client`, and
 * `programs` for what the services ran.
 */
export type ProcessTimes = Readonly<Record<string, number>>;

/** Kernel ticks are hundredths of a second on every Linux that Node runs on. */
const msPerTick = 10;

export class ProcessClock {
  private constructor(private readonly pids: ReadonlyMap<string, number>) {}

  static async of(cluster: LocalCluster): Promise<ProcessClock> {
    const { processes } = await cluster.control.call('status', {});
    const outside = pidsInside(cluster.record.supervisor.pid);
    const pids = new Map([['supervisor', cluster.record.supervisor.pid]]);
    for (const { name, pid } of processes) {
      const found = pid === null ? undefined : outside.get(pid);
      if (found !== undefined) pids.set(name, found);
    }
    return new ProcessClock(pids);
  }

  read(): ProcessTimes {
    const { user, system } = process.cpuUsage();
    const times: Record<string, number> = { client: (user + system) / 1_000 };
    let programs = 0;
    for (const [name, pid] of this.pids) {
      const { own, ended } = cpuMs(pid);
      times[name] = own;
      if (name !== 'supervisor') programs += ended;
    }
    return { ...times, programs };
  }
}

export function timesBetween(before: ProcessTimes, after: ProcessTimes): ProcessTimes {
  return Object.fromEntries(
    Object.entries(after).map(([name, ms]) => [name, ms - (before[name] ?? 0)]),
  );
}

/** Pids out here of the children of the world's first process, by their pids in there. */
function pidsInside(supervisor: number): Map<number, number> {
  const found = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8');
      const parent = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]);
      const inside = /^NSpid:.*\s(\d+)$/m.exec(status)?.[1];
      if (parent === supervisor && inside !== undefined) found.set(Number(inside), Number(name));
    } catch {
      // Gone meanwhile.
    }
  }
  return found;
}

function cpuMs(pid: number): { own: number; ended: number } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15).map(Number);
    return { own: (user + system) * msPerTick, ended: (endedUser + endedSystem) * msPerTick };
  } catch {
    return { own: 0, ended: 0 };
  }
}
