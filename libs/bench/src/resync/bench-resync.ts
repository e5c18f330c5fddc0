// `bench resync`: how long an agent that comes back takes from being registered (or from its share's arrival, if that comes
// first) to having the whole of it programmed: once with nothing in its kernel, as after a reboot, and once with all rows still there, as after a crash of the agent alone.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SkeinError } from '@skein/contracts';
import { findProgram } from '@skein/local-cluster';
import type { CostRow, StackReport } from '../addresses/bench-addresses';
import { rowsOf, type Measure, type Sample } from '../figure';
import { describeMachine } from '../machine';
import { BenchStack, interruptible } from '../stack/bench-stack';
import { ProcessClock, timesBetween } from '../stack/process-times';

export interface ResyncBenchOptions {
  readonly home: string;
  readonly path: string;
  readonly rounds: number;
  readonly endpoints: number;
  readonly profileDir?: string | undefined;
  readonly progress: (text: string) => void;
}

interface Situation {
  readonly figure: string;
  readonly title: string;
  /** The kernel forgets the network before the agent comes back. */
  readonly isEmpty: boolean;
}

const hosts = 2;
const agent = 'agent-h1';
const batchSize = 256;
const goalMs = 500;
const patienceMs = 60_000;
const network = 'bench';

export async function benchResync(options: ResyncBenchOptions): Promise<StackReport> {
  const { home, path, endpoints, profileDir, progress } = options;
  const situations: Situation[] = [
    { figure: 'empty', title: `${count(endpoints)} endpoints, empty kernel`, isEmpty: true },
    { figure: 'kept', title: `${count(endpoints)} endpoints, rows still there`, isEmpty: false },
  ];
  return interruptible(async (signal) => {
    const natsServer = findProgram('nats-server', home, path);
    const machine = describeMachine({ folder: home, natsServer, etcd: null });
    const stack = await BenchStack.start({ home, path, hosts, profileDir, progress }, signal);
    try {
      const vni = await fill(stack, endpoints, progress, signal);
      const samples = new Map<string, Sample[]>();
      const costs = new Map<string, Record<string, number>>();
      for (let round = 1; round <= options.rounds; round += 1) {
        for (const { figure, title, isEmpty } of situations) {
          signal.throwIfAborted();
          const { sample, ms } = await resync(stack, `sk-h1-${vni}`, isEmpty);
          samples.set(figure, [...(samples.get(figure) ?? []), sample]);
          costs.set(figure, added(costs.get(figure) ?? {}, ms));
          progress(`${title}, round ${round}: ${sample[measured]} ms`);
        }
      }
      const rows = situations.flatMap(({ figure, title }) =>
        rowsOf({ figure, title }, measures, { skein: samples.get(figure) ?? [], peer: [] }),
      );
      return {
        what: 'resync',
        machine,
        hosts,
        rows,
        costs: situations.map((each) => costOf(each, costs.get(each.figure) ?? {}, options)),
        failures: 0,
        missed: rows.filter(({ met }) => met === false).length,
      };
    } finally {
      await stack.stop();
    }
  });
}

const measured = 'back to programmed';
const within = 'of that in the agent';
const measures: readonly Measure[] = [
  { name: measured, unit: 'ms', goal: { of: 'value', atMost: goalMs } },
  { name: within, unit: 'ms' },
];

/** One endpoint on h1, all others on h2. Answers the network's VNI. */
async function fill(
  stack: BenchStack,
  endpoints: number,
  progress: (text: string) => void,
  signal: AbortSignal,
): Promise<number> {
  const subnets = [{ cidr: '10.64.0.0/12' }];
  const made = (await stack.ask('POST', '/v1/networks', { name: network, subnets })) as {
    vni: number;
  };
  const path = `/v1/networks/${network}/endpoints:batch?wait=30000`;
  await stack.ask('POST', path, { endpoints: [{ host: 'h1' }] });
  for (let left = endpoints - 1; left > 0; left -= batchSize) {
    signal.throwIfAborted();
    const size = Math.min(left, batchSize);
    await stack.ask('POST', path, {
      endpoints: Array.from({ length: size }, () => ({ host: 'h2' })),
    });
  }
  progress(`${count(endpoints)} endpoints attached`);
  return made.vni;
}

async function resync(
  stack: BenchStack,
  netns: string,
  isEmpty: boolean,
): Promise<{ sample: Sample; ms: Record<string, number> }> {
  const { control, record } = stack.cluster;
  const log = join(record.dataDir, 'logs', `${agent}.log`);
  await control.call('stop', { process: agent });
  if (isEmpty) {
    const argv = ['ip', 'netns', 'delete', netns];
    const removed = await control.call('run', { netns: 'host-h1', argv });
    if (removed.code !== 0) throw new SkeinError('internal', removed.stderr);
  }
  const from = readFileSync(log, 'utf8').length;
  // The agent is another process by then: all of its time counts.
  const before = { ...stack.clock.read(), [agent]: 0 };
  await control.call('start', { process: agent });
  const sample = await programmedAgain(log, from);
  const after = (await ProcessClock.of(stack.cluster)).read();
  return { sample, ms: { ...timesBetween(before, after) } };
}

/** From the agent's own words: when it was registered, and when its share was programmed. */
async function programmedAgain(log: string, from: number): Promise<Sample> {
  const until = performance.now() + patienceMs;
  while (performance.now() < until) {
    const lines = readFileSync(log, 'utf8').slice(from).split('\n').slice(0, -1).map(parsed);
    const registered = lines.find(({ msg }) => msg === 'registered');
    const programmed = lines.find(({ msg }) => msg === 'share programmed anew');
    if (registered !== undefined && programmed !== undefined) {
      const { tookMs = 0 } = programmed;
      const end = Date.parse(programmed.time);
      const sinceRegistered = end - Date.parse(registered.time);
      return { [measured]: Math.max(tookMs, sinceRegistered), [within]: tookMs };
    }
    await delay(50);
  }
  throw new SkeinError('deadline_exceeded', `${agent} did not program its share in time`);
}

interface LogLine {
  readonly time: string;
  readonly msg: string;
  readonly tookMs?: number;
}

function parsed(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { time: '', msg: '' };
  }
}

/** Processor time of one return of the agent, its start included, in microseconds. */
function costOf(
  { figure, title }: Situation,
  ms: Readonly<Record<string, number>>,
  { rounds }: ResyncBenchOptions,
): CostRow {
  const us = Object.fromEntries(
    Object.entries(ms).map(([name, value]) => [name, (value * 1_000) / rounds]),
  );
  return { figure, title, us, totalUs: Object.values(us).reduce((sum, each) => sum + each, 0) };
}

function added(
  sums: Readonly<Record<string, number>>,
  more: Readonly<Record<string, number>>,
): Record<string, number> {
  const all = { ...sums };
  for (const [name, ms] of Object.entries(more)) all[name] = (all[name] ?? 0) + ms;
  return all;
}

function count(value: number): string {
  return value.toLocaleString('en');
}
