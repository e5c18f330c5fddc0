// `bench addresses`: what an attach through REST and a batch of addresses through NATS cost on a whole cluster, agents and their
// kernels included, and which process it costs how much. The client takes its part of the same processors; it is told too.

import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { SkeinError } from '@skein/contracts';
import { findProgram } from '@skein/local-cluster';
import { Messenger, parseCredentials } from '@skein/messaging';
import { rowsOf, type FigureRow, type Measure, type Sample } from '../figure';
import { describeMachine, type Machine } from '../machine';
import { BenchStack, interruptible, type BenchStackOptions } from '../stack/bench-stack';
import type { ProcessTimes } from '../stack/process-times';
import { addressLoad, attachLoad, batchLoad, detachLoad, type LoadResult } from './attach-load';

export interface AddressPlan {
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** Names of groups or of single figures. */
  readonly only: readonly string[];
}

export const addressGroups = ['attaches', 'keyed', 'batches', 'detaches', 'addresses'] as const;
type AddressGroup = (typeof addressGroups)[number];

export interface AddressBenchOptions {
  readonly home: string;
  readonly path: string;
  readonly plan: AddressPlan;
  readonly profileDir?: string | undefined;
  readonly progress: (text: string) => void;
}

/** Processor time that one attach, detach or address (or an idle second) cost, in microseconds, by process. */
export interface CostRow {
  readonly figure: string;
  readonly title: string;
  readonly us: Readonly<Record<string, number>>;
  readonly totalUs: number;
}

export interface StackReport {
  readonly what: 'addresses' | 'resync';
  readonly machine: Machine;
  readonly hosts: number;
  readonly rows: readonly FigureRow[];
  readonly costs: readonly CostRow[];
  readonly failures: number;
  readonly missed: number;
}

interface NetworkCounts {
  plain: number;
  large: number;
}

interface Figure {
  readonly figure: string;
  readonly title: string;
  readonly group: AddressGroup;
  readonly goal?: number;
  /** What must be there, not measured. */
  readonly prepare?: () => Promise<unknown>;
  readonly run: (round: number) => Promise<LoadResult>;
}

const hosts = ['h1', 'h2', 'h3'];
const attachCallers = [1, 16, 64, 256, 512];
/** Of attaches through REST, and of addresses through NATS, per second. */
const goals = { attaches: 2_000, addresses: 20_000 } as const;
const goalCallers = 512;
const batchSizes = [10, 100, 256];
const idleMs = 2_000;
/** What is detached is attached before in batches of so many. */
const fillSize = 256;

export async function benchAddresses(options: AddressBenchOptions): Promise<StackReport> {
  const { home, path, profileDir, progress } = options;
  demandKnown(options.plan.only);
  return interruptible(async (signal) => {
    const natsServer = findProgram('nats-server', home, path);
    const machine = describeMachine({ folder: home, natsServer, etcd: null });
    const parts = { home, path, hosts: hosts.length, profileDir, progress };
    return new AddressBench(options, machine).run((use) => inStack(use, parts, signal), signal);
  });
}

interface Stage {
  readonly stack: BenchStack;
  readonly messenger: Messenger;
}

type InStack = (use: (stage: Stage) => Promise<void>) => Promise<void>;

async function inStack(
  use: (stage: Stage) => Promise<void>,
  parts: BenchStackOptions,
  signal: AbortSignal,
): Promise<void> {
  const stack = await BenchStack.start(parts, signal);
  try {
    const messenger = await peopleMessenger(stack);
    try {
      await use({ stack, messenger });
    } finally {
      await messenger.drain();
    }
  } finally {
    await stack.stop();
  }
}

class AddressBench {
  private readonly samples = new Map<string, Sample[]>();
  private readonly times = new Map<string, { made: number; ms: Record<string, number> }>();
  private readonly made: { network: string; id: string }[] = [];
  private failures = 0;
  private networks: NetworkCounts = { plain: 0, large: 0 };
  private stage: Stage | undefined;

  constructor(
    private readonly options: AddressBenchOptions,
    private readonly machine: Machine,
  ) {}

  private get stack(): BenchStack {
    return this.current.stack;
  }

  private get messenger(): Messenger {
    return this.current.messenger;
  }

  private get current(): Stage {
    if (this.stage === undefined) throw new Error('no cluster stands');
    return this.stage;
  }

  /** Each figure in a cluster of its own: endpoints of the others would be looked at by every agent throughout. */
  async run(inStack: InStack, signal: AbortSignal): Promise<StackReport> {
    const { plan } = this.options;
    const figures = this.figures().filter(
      ({ group, figure }) => plan.only.includes(group) || plan.only.includes(figure),
    );

    let idle: CostRow | undefined;
    for (const figure of figures) {
      this.made.length = 0;
      this.networks = { plain: 0, large: 0 };
      await inStack(async (stage) => {
        this.stage = stage;
        idle ??= await this.idle();
        for (let round = 1; round <= plan.rounds; round += 1) {
          signal.throwIfAborted();
          await figure.prepare?.();
          await this.measure(figure, round);
        }
      });
    }
    const rows = figures.flatMap((figure) => this.rows(figure));
    return {
      what: 'addresses',
      machine: this.machine,
      hosts: hosts.length,
      rows,
      costs: [...(idle === undefined ? [] : [idle]), ...figures.map((figure) => this.cost(figure))],
      failures: this.failures,
      missed: rows.filter(({ met }) => met === false).length,
    };
  }

  private figures(): Figure[] {
    return [
      ...attachCallers.map((callers): Figure => ({
        figure: `attaches-${callers}`,
        title: `attaches through REST, ${callers} at once`,
        group: 'attaches',
        ...(callers === goalCallers ? { goal: goals.attaches } : {}),
        run: () => this.attach(callers, false),
      })),
      {
        figure: 'attaches-keyed',
        title: `the same with Idempotency-Key, ${goalCallers} at once`,
        group: 'keyed',
        run: () => this.attach(goalCallers, true),
      },
      ...batchSizes.map((size): Figure => ({
        figure: `batches-${size}`,
        title: `endpoints:batch of ${size}, 4 at once`,
        group: 'batches',
        run: () => this.batch(size),
      })),
      {
        figure: 'detaches',
        title: 'detaches through REST, 64 at once',
        group: 'detaches',
        prepare: () => this.batch(fillSize),
        run: () =>
          detachLoad(this.stack, {
            ...this.options.plan,
            callers: 64,
            endpoints: this.made.splice(0),
          }),
      },
      {
        figure: 'addresses',
        title: 'addresses through NATS, 8 batches of 256 at once',
        group: 'addresses',
        goal: goals.addresses,
        run: () => this.addresses(1),
      },
      {
        figure: 'addresses-of-two',
        title: 'addresses through NATS, 8 batches of 256 at once in each of two networks',
        group: 'addresses',
        goal: goals.addresses,
        run: () => this.addresses(2),
      },
    ];
  }

  /** What a second costs in which nothing is asked: heartbeats, gossip, probes and looks for drift. */
  private async idle(): Promise<CostRow> {
    const { times } = await this.stack.timesOf(() => delay(idleMs));
    const us = Object.fromEntries(
      Object.entries(times).map(([name, ms]) => [name, (ms * 1_000_000) / idleMs]),
    );
    const totalUs = Object.values(us).reduce((sum, each) => sum + each, 0);
    return { figure: 'idle, a second', title: 'nothing asked, for a second', us, totalUs };
  }

  private async attach(callers: number, keyed: boolean): Promise<LoadResult> {
    const network = await this.network();
    const onMade = (id: string): void => void this.made.push({ network, id });
    return attachLoad(this.stack, { ...this.options.plan, network, hosts, callers, keyed, onMade });
  }

  private async batch(size: number): Promise<LoadResult> {
    const network = await this.network();
    const onMade = (id: string): void => void this.made.push({ network, id });
    const load = { ...this.options.plan, network, hosts, callers: 4, size, onMade };
    return batchLoad(this.stack, load);
  }

  /** One network gives its addresses out turn by turn; two have turns side by side. */
  private async addresses(count: 1 | 2): Promise<LoadResult> {
    const networks = [await this.network('large')];
    if (count === 2) networks.push(await this.network('large'));
    const load = { ...this.options.plan, networks, host: 'h1', callers: 8 * count, size: 256 };
    return addressLoad(this.messenger, load);
  }

  /** A new one, with one endpoint on each host: what is measured is a network in use. A large one has 2^18 addresses, else 2^16. */
  private async network(size: keyof NetworkCounts = 'plain'): Promise<string> {
    this.networks[size] += 1;
    const number = this.networks[size];
    const name = `bench-${size}-${number}`;
    const cidr = size === 'plain' ? `10.${63 + number}.0.0/16` : `10.${124 + 4 * number}.0.0/14`;
    const subnets = [{ cidr }];
    await this.stack.ask('POST', '/v1/networks', { name, subnets });
    const endpoints = hosts.map((host) => ({ host }));
    await this.stack.ask('POST', `/v1/networks/${name}/endpoints:batch`, { endpoints });
    return name;
  }

  private async measure(figure: Figure, round: number): Promise<void> {
    const { result, times } = await this.stack.timesOf(() => figure.run(round));
    const sample = {
      rate: result.ratePerSecond,
      p50: result.p50Us / 1_000,
      p99: result.p99Us / 1_000,
      behind: result.behind,
    };
    this.failures += result.failures;
    const kept = this.samples.get(figure.figure) ?? [];
    this.samples.set(figure.figure, [...kept, sample]);
    this.countTimes(figure.figure, result.made, times);
    const numbers = `${Math.round(sample.rate)}/s, p50 ${sample.p50} ms, p99 ${sample.p99} ms`;
    const faults = [...result.faults].map(([code, times]) => `${code} ${times}`).join(', ');
    const failed = `${result.failures} failed${faults === '' ? '' : ` (${faults})`}`;
    const trouble = `${failed}, ${result.behind} behind`;
    this.options.progress(`${figure.title}, round ${round}: ${numbers}, ${trouble}`);
  }

  private countTimes(figure: string, made: number, times: ProcessTimes): void {
    const counted = this.times.get(figure) ?? { made: 0, ms: {} };
    counted.made += made;
    for (const [name, ms] of Object.entries(times)) {
      counted.ms[name] = (counted.ms[name] ?? 0) + ms;
    }
    this.times.set(figure, counted);
  }

  private rows({ figure, title, goal }: Figure): FigureRow[] {
    const rate: Measure = {
      name: 'rate',
      unit: 'per second',
      ...(goal === undefined ? {} : { goal: { of: 'value', atLeast: goal } }),
    };
    const measures: Measure[] = [rate, { name: 'p50', unit: 'ms' }, { name: 'p99', unit: 'ms' }];
    const skein = this.samples.get(figure) ?? [];
    return rowsOf({ figure, title }, measures, { skein, peer: [] });
  }

  private cost({ figure, title }: Figure): CostRow {
    const { made, ms } = this.times.get(figure) ?? { made: 0, ms: {} };
    const each = (value: number): number => (made === 0 ? 0 : (value * 1_000) / made);
    const us = Object.fromEntries(Object.entries(ms).map(([name, value]) => [name, each(value)]));
    return { figure, title, us, totalUs: each(Object.values(ms).reduce((a, b) => a + b, 0)) };
  }
}

function demandKnown(only: readonly string[]): void {
  const figures = [
    ...attachCallers.map((callers) => `attaches-${callers}`),
    'attaches-keyed',
    ...batchSizes.map((size) => `batches-${size}`),
    'addresses-of-two',
  ];
  const known = [...addressGroups, ...figures];
  const unknown = only.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const message = `There is no measurement '${unknown}': ${known.join(', ')}`;
  throw new SkeinError('invalid_request', message, { field: 'only' });
}

async function peopleMessenger(stack: BenchStack): Promise<Messenger> {
  const { natsUrl, natsCreds } = stack.cluster.record;
  const credentials = parseCredentials(readFileSync(natsCreds, 'utf8'));
  return Messenger.connect({ servers: [natsUrl], name: 'bench', credentials });
}
