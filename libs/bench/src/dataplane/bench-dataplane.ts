// `bench dataplane`: what Skein's way between two hosts carries, beside Swarm's overlay on the same hosts in the same run, bare veth
// and Docker's local bridge as the limits; and step by step what separates it from bare veth.

import { findProgram } from '@skein/local-cluster';
import { SkeinError } from '@skein/contracts';
import { seededRandom } from '@skein/swim';
import type { Measure, Sample } from '../figure';
import { limitRows, spreadIn, type LimitRow } from '../limit-rows';
import { describeMachine, type Machine } from '../machine';
import { ofPairs } from '../ratio';
import type { Spread } from '../spread';
import { BenchStack, interruptible } from '../stack/bench-stack';
import { EngineStack } from '../docker/engine-stack';
import { Places } from '../docker/places';
import { ownProcessors } from './processors';
import { steps } from './steps';
import { answered, latencySample, roundTrips, transfer, type Load, type Way } from './transfer';
import { inAnyOrder, turnsOf } from './turns';
import { buildDockerWays, buildSkeinWays, type NamedWay } from './ways';

export interface DataplaneOptions {
  readonly home: string;
  readonly path: string;
  readonly rounds: number;
  /** Of one transfer. */
  readonly seconds: number;
  /** Names of figures, or `steps`. */
  readonly only: readonly string[];
  /** Docker engines on the hosts, for Swarm's overlay, Docker's bridge, and Skein's containers. */
  readonly withSwarm: boolean;
  readonly profileDir?: string | undefined;
  readonly progress: (text: string) => void;
}

export interface StepRow {
  readonly step: string;
  readonly title: string;
  readonly throughput: Spread | null;
  readonly processorTime: Spread | null;
  /** Throughput over that of bare veth, and over that of the step before, from pairs of one round. */
  readonly ofVeth: number | null;
  readonly ofPrevious: number | null;
}

export interface DataplaneReport {
  readonly what: 'dataplane';
  readonly peer: 'swarm' | null;
  readonly machine: Machine;
  readonly rounds: number;
  readonly seconds: number;
  /** Where client and server run: each on one of its own; null: on any. */
  readonly processors: readonly [number, number] | null;
  readonly rows: readonly LimitRow[];
  readonly steps: readonly StepRow[];
  readonly missed: number;
}

interface Figure {
  readonly figure: string;
  readonly title: string;
  /** How often a round compares Skein with its peer; the limits are measured once. */
  readonly pairs?: number;
  readonly measures: readonly Measure[];
  readonly run: (places: Places, way: Way, seconds: number) => Promise<Sample>;
}

/** Repeats the order of ways. */
const orderSeed = 1;
const asSwarm = { of: 'ratio', atLeast: 1 } as const;
/** Of one transfer throughput varies by more than the overlays differ. */
export const tcpPairs = 6;
const cpu: Measure = { name: 'processor time', unit: 'ms per Gbit' };
const times: readonly Measure[] = [
  { name: 'p50', unit: 'µs' },
  { name: 'p99', unit: 'µs' },
];
const by = (load: Load) => (places: Places, way: Way, seconds: number) =>
  transfer(places, way, load, seconds);

const figures: readonly Figure[] = [
  {
    figure: 'tcp-1',
    title: 'TCP, 1 stream',
    pairs: tcpPairs,
    measures: [{ name: 'throughput', unit: 'Gbit/s', goal: asSwarm }, cpu],
    run: by('tcp-1'),
  },
  {
    figure: 'tcp-8',
    title: 'TCP, 8 streams',
    pairs: tcpPairs,
    measures: [{ name: 'throughput', unit: 'Gbit/s', goal: asSwarm }, cpu],
    run: by('tcp-8'),
  },
  {
    figure: 'udp',
    title: 'UDP, 64 bytes each',
    measures: [
      { name: 'packets that arrived', unit: 'per second' },
      { name: 'lost', unit: '%' },
      { name: cpu.name, unit: 'µs' },
    ],
    run: by('udp'),
  },
  {
    figure: 'latency',
    title: 'round trip, nothing else',
    measures: times,
    run: async (places, way, seconds) => latencySample(await roundTrips(places, way, seconds)),
  },
  {
    figure: 'latency-loaded',
    title: 'round trip beside 1 TCP stream',
    measures: times,
    run: async (places, way, seconds) => {
      const [round] = await Promise.all([
        roundTrips(places, way, seconds),
        transfer(places, way, 'tcp-1', seconds),
      ]);
      return latencySample(round);
    },
  },
];

export const dataplaneGroups = [...figures.map(({ figure }) => figure), 'steps'];

export async function benchDataplane(options: DataplaneOptions): Promise<DataplaneReport> {
  const { home, path, withSwarm, profileDir, progress } = options;
  demandKnown(options.only);
  if (process.getuid?.() !== 0) {
    throw new SkeinError('unavailable', 'bench dataplane needs root: the steps are built by hand');
  }
  return interruptible(async (signal) => {
    const natsServer = findProgram('nats-server', home, path);
    const machine = describeMachine({ folder: home, natsServer, etcd: null });
    const parts = { home, path, profileDir, progress };
    const engines = withSwarm ? await EngineStack.start(parts, signal) : null;
    const stack = engines?.stack ?? (await BenchStack.start({ ...parts, hosts: 2 }, signal));
    try {
      const places = engines?.places ?? new Places(stack.cluster, { home, path });
      const ways: NamedWay[] = await buildSkeinWays(stack, engines);
      if (engines !== null) ways.push(...(await buildDockerWays(engines, progress)));
      await places.script(steps.flatMap(({ build }) => build));
      for (const { way } of [...ways, ...steps]) await answered(places, way);
      return await new DataplaneBench(places, ways, options, signal).run(machine);
    } finally {
      await stack.stop();
    }
  });
}

function demandKnown(only: readonly string[]): void {
  const unknown = only.find((name) => !dataplaneGroups.includes(name));
  if (unknown === undefined) return;
  const message = `There is no measurement '${unknown}': ${dataplaneGroups.join(', ')}`;
  throw new SkeinError('invalid_request', message, { field: 'only' });
}

class DataplaneBench {
  readonly #samples = new Map<string, Sample[]>();
  readonly #random = seededRandom(orderSeed);

  constructor(
    private readonly places: Places,
    private readonly ways: readonly NamedWay[],
    private readonly options: DataplaneOptions,
    private readonly signal: AbortSignal,
  ) {}

  async run(machine: Machine): Promise<DataplaneReport> {
    const { rounds, seconds, withSwarm } = this.options;
    for (let round = 1; round <= rounds; round += 1) {
      for (const figure of this.#wanted()) await this.#oneFigure(figure, round);
      if (this.options.only.includes('steps')) await this.#allSteps(round);
    }
    const rows = this.#wanted().flatMap((figure) => this.#rowsOf(figure));
    return {
      what: 'dataplane',
      peer: withSwarm ? 'swarm' : null,
      machine,
      rounds,
      seconds,
      processors: ownProcessors(),
      rows,
      steps: this.options.only.includes('steps') ? this.#stepRows() : [],
      missed: rows.filter(({ met }) => met === false).length,
    };
  }

  #wanted(): readonly Figure[] {
    return figures.filter(({ figure }) => this.options.only.includes(figure));
  }

  async #oneFigure(figure: Figure, round: number): Promise<void> {
    for (const { name, way } of this.#turns(figure)) {
      this.signal.throwIfAborted();
      const sample = await figure.run(this.places, way, this.options.seconds);
      this.#keep(figure.figure, name, sample);
      const said = figure.measures.map(
        (measure) =>
          `${measure.name} ${(sample[measure.name] ?? 0).toPrecision(4)} ${measure.unit}`,
      );
      this.options.progress(`${figure.title}, round ${round}, ${name}: ${said.join(', ')}`);
    }
  }

  #turns({ pairs = 1 }: Figure): NamedWay[] {
    const all = [...this.ways, { name: 'bare veth', way: bareWay() }];
    const isCompared = ({ name }: NamedWay) => name === 'skein' || name === 'swarm';
    return turnsOf(this.#random, {
      compared: all.filter(isCompared),
      pairs: this.options.withSwarm ? pairs : 1,
      others: all.filter((way) => !isCompared(way)),
    });
  }

  async #allSteps(round: number): Promise<void> {
    const { seconds, progress } = this.options;
    for (const { step, title, way } of inAnyOrder(this.#random, [...steps, this.#skeinStep()])) {
      this.signal.throwIfAborted();
      const sample = await transfer(this.places, way, 'tcp-1', seconds);
      this.#keep('step', step, sample);
      progress(`${title}, round ${round}: ${(sample['throughput'] ?? 0).toPrecision(4)} Gbit/s`);
    }
  }

  #skeinStep() {
    const [skein] = this.ways as readonly [NamedWay];
    return { step: 'skein', title: "Skein's own: + probe port, gateway, guard", way: skein.way };
  }

  #keep(figure: string, name: string, sample: Sample): void {
    const key = `${figure}/${name}`;
    this.#samples.set(key, [...(this.#samples.get(key) ?? []), sample]);
  }

  #of(figure: string, name: string): readonly Sample[] {
    return this.#samples.get(`${figure}/${name}`) ?? [];
  }

  #rowsOf({ figure, title, measures }: Figure): LimitRow[] {
    const names = [...this.ways.map(({ name }) => name), 'bare veth'];
    const samples = Object.fromEntries(names.map((name) => [name, this.#of(figure, name)]));
    return limitRows({ figure, title }, measures, samples, 'swarm', ofPairs);
  }

  #stepRows(): StepRow[] {
    const all = [...steps, this.#skeinStep()].map(({ step, title }) => {
      const samples = this.#of('step', step);
      return { step, title, samples, rates: samples.map(({ throughput }) => throughput) };
    });
    return all.map(({ step, title, samples, rates }, at) => {
      const over = (other: (typeof all)[number] | undefined) =>
        other === undefined ? null : (ofPairs(rates, other.rates)?.ratio ?? null);
      return {
        ...{ step, title },
        throughput: spreadIn(samples, 'throughput'),
        processorTime: spreadIn(samples, cpu.name),
        ofVeth: at === 0 ? null : over(all[0]),
        ofPrevious: over(all[at - 1]),
      };
    });
  }
}

function bareWay(): Way {
  const [bare] = steps as readonly [(typeof steps)[number]];
  return bare.way;
}
