// `bench docker`: what people wait for when they use Docker with Skein, beside Swarm on the same engines in the same run, and
// Docker's own bridge as the limit. Each round has every one of them once.

import { findProgram } from '@skein/local-cluster';
import { SkeinError } from '@skein/contracts';
import type { Measure, Sample } from '../figure';
import { limitRows, type LimitRow } from '../limit-rows';
import { describeMachine, type Machine } from '../machine';
import { interruptible } from '../stack/bench-stack';
import { ConnectBench, connectMeasures, worstMeasures, type ConnectKind } from './connect-figures';
import { EngineStack } from './engine-stack';
import { manyMeasures, runMany } from './many-containers';
import { localBridge, type Overlay, skeinOverlay, swarmOverlay } from './overlay';

export const dockerGroups = ['warm', 'cold', 'lone', 'many'] as const;
type DockerGroup = (typeof dockerGroups)[number];

export interface DockerBenchOptions {
  readonly home: string;
  readonly path: string;
  readonly rounds: number;
  /** Containers that are started at once. */
  readonly containers: number;
  readonly only: readonly string[];
  readonly withSwarm: boolean;
  readonly progress: (text: string) => void;
}

export interface DockerReport {
  readonly what: 'docker';
  readonly peer: 'swarm' | null;
  readonly machine: Machine;
  readonly engine: string;
  readonly rounds: number;
  readonly containers: number;
  readonly rows: readonly LimitRow[];
  readonly missed: number;
}

type Samples = Record<string, Sample[]>;

export async function benchDocker(options: DockerBenchOptions): Promise<DockerReport> {
  const { home, path, rounds, containers, withSwarm, progress } = options;
  const only = options.only.map(groupOf);
  return interruptible(async (signal) => {
    const natsServer = findProgram('nats-server', home, path);
    const machine = describeMachine({ folder: home, natsServer, etcd: null });
    const stack = await EngineStack.start({ home, path, progress }, signal);
    try {
      const overlays = [await skeinOverlay(stack), await localBridge(stack)];
      if (withSwarm) {
        progress('starting: Swarm on the same engines');
        overlays.push(await swarmOverlay(stack));
      }
      const bench = new DockerBench(stack, overlays, options, signal);
      const rows: LimitRow[] = [];
      for (const group of only) rows.push(...(await bench.run(group)));
      return {
        what: 'docker',
        peer: withSwarm ? 'swarm' : null,
        machine,
        engine: await stack.engines.h1.run('version', '-f', '{{.Server.Version}}'),
        rounds,
        containers,
        rows,
        missed: rows.filter(({ met }) => met === false).length,
      };
    } finally {
      await stack.stop();
    }
  });
}

function groupOf(name: string): DockerGroup {
  const known = dockerGroups.find((group) => group === name);
  if (known !== undefined) return known;
  const message = `There is no measurement '${name}': ${dockerGroups.join(', ')}`;
  throw new SkeinError('invalid_request', message, { field: 'only' });
}

class DockerBench {
  constructor(
    private readonly stack: EngineStack,
    private readonly overlays: readonly Overlay[],
    private readonly options: DockerBenchOptions,
    private readonly signal: AbortSignal,
  ) {}

  run(group: DockerGroup): Promise<LimitRow[]> {
    switch (group) {
      case 'warm':
        return this.#connects('warm', 'connect, network on the host already', 80);
      case 'cold':
        return this.#connects('cold', 'connect, first of the host', 200);
      case 'lone':
        return this.#connects('lone', 'connect, container without another network', null);
      case 'many':
        return this.#many();
    }
  }

  async #connects(kind: ConnectKind, title: string, goalMs: number | null): Promise<LimitRow[]> {
    const bench = new ConnectBench(this.stack);
    // A bridge is there from when it is created.
    const overlays = this.overlays.filter((each) => kind !== 'cold' || each.crossesHosts);
    for (const overlay of overlays) await bench.prepare(overlay, kind);
    const samples: Samples = {};
    const measures = connectMeasures(goalMs);
    for (let round = 1; round <= this.options.rounds; round += 1) {
      this.signal.throwIfAborted();
      await bench.round((name, sample) => {
        (samples[name] ??= []).push(sample);
        this.#tell(`${title}, round ${round}, ${name}`, sample, measures);
      });
    }
    const head = { figure: kind, title };
    const [, first] = measures as readonly [Measure, Measure];
    const [worst] = worstMeasures as readonly [Measure];
    const worsts = Object.fromEntries(
      Object.entries(samples).map(([name, each]) => {
        const values = each.map((sample) => sample[first.name] ?? 0);
        return [name, [{ [worst.name]: Math.max(...values) }]];
      }),
    );
    return [
      ...limitRows(head, measures, samples, 'swarm'),
      ...limitRows(head, worstMeasures, worsts, 'swarm'),
    ];
  }

  async #many(): Promise<LimitRow[]> {
    const { containers } = this.options;
    const title = `${containers} containers on three hosts`;
    const samples: Samples = {};
    for (const overlay of this.overlays) {
      this.signal.throwIfAborted();
      const sample = await runMany(this.stack, overlay, containers);
      (samples[overlay.name] ??= []).push(sample);
      this.#tell(`${title}, ${overlay.name}`, sample, manyMeasures);
    }
    return limitRows({ figure: 'many', title }, manyMeasures, samples, 'swarm');
  }

  #tell(what: string, sample: Sample, measures: readonly Measure[]): void {
    const said = measures
      .filter(({ name }) => sample[name] !== undefined)
      .map(({ name, unit }) => `${name} ${(sample[name] ?? 0).toPrecision(4)} ${unit}`);
    this.options.progress(`${what}: ${said.join(', ')}`);
  }
}
