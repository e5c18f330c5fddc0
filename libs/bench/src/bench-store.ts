// All measurements of the store in turns: every round measures Skein and then its peer, so that what the machine does besides
// meets both. Runs inside the private world, as its first process.

import { join } from 'node:path';
import { callFigures, fillKeys, measureCalls, warmUp } from './calls';
import { EtcdPeer } from './etcd-peer';
import { type FigureRow, type Measure, rowsOf, type Sample } from './figure';
import {
  failoverMeasures,
  failoverSample,
  keysMeasures,
  killLeaders,
  measureKeys,
} from './loss-figures';
import { describeMachine, type Machine } from './machine';
import type { Peer } from './peer';
import type { BenchPlan, Group } from './plan';
import { SkeinPeer } from './skein-peer';
import { measureWatches, watcherCounts, watchMeasures } from './watch-figure';

export interface BenchSettings {
  readonly home: string;
  readonly dataDir: string;
  readonly natsServer: string;
  /** Path of the peer's program; null: Skein alone. */
  readonly etcd: string | null;
  readonly plan: BenchPlan;
  readonly profileDir?: string | undefined;
}

export interface BenchReport {
  readonly what: 'store';
  readonly peer: 'etcd' | null;
  readonly machine: Machine;
  readonly plan: BenchPlan;
  readonly rows: readonly FigureRow[];
  /** Every measured number, by figure and by who was measured. */
  readonly samples: Readonly<Record<string, Readonly<Record<string, readonly Sample[]>>>>;
  readonly missed: number;
}

export class StoreBench {
  private readonly rows: FigureRow[] = [];
  private readonly samples: Record<string, Record<string, Sample[]>> = {};
  private running: Peer[] = [];

  constructor(
    private readonly settings: BenchSettings,
    private readonly progress: (text: string) => void,
  ) {}

  async run(): Promise<BenchReport> {
    const { dataDir, natsServer, etcd, plan } = this.settings;
    const machine = describeMachine({ folder: dataDir, natsServer, etcd });
    if (this.has('puts', 'gets', 'transactions', 'watches')) await this.calls();
    if (this.has('failover')) await this.failover();
    if (this.has('keys')) await this.keys();
    return {
      what: 'store',
      peer: etcd === null ? null : 'etcd',
      machine,
      plan,
      rows: this.rows,
      samples: this.samples,
      missed: this.rows.filter(({ met }) => met === false).length,
    };
  }

  /** Ends whatever runs; its data goes too. */
  async stop(): Promise<void> {
    await Promise.all(this.running.splice(0).map((peer) => peer.stop()));
  }

  private has(...wanted: readonly Group[]): boolean {
    return wanted.some((group) => this.settings.plan.only.includes(group));
  }

  private async calls(): Promise<void> {
    const { plan } = this.settings;
    const peers = await this.start(this.makers());
    for (const peer of peers) {
      await fillKeys(peer);
      await warmUp(peer, plan.warmUpMs);
    }
    for (const each of callFigures.filter(({ group }) => this.has(group))) {
      await this.inTurns(each, each.measures, peers, (peer) => measureCalls(peer, each, plan));
    }
    for (const watchers of this.has('watches') ? watcherCounts : []) {
      const head = { figure: `watches-${watchers}`, title: `events to ${watchers} watchers` };
      await this.inTurns(head, watchMeasures, peers, (peer) =>
        measureWatches(peer, watchers, plan.deliveries),
      );
    }
    await this.stop();
  }

  private async failover(): Promise<void> {
    const head = { figure: 'failover', title: 'leader killed to next write' };
    await this.oneByOne(head, failoverMeasures, async (peer) => {
      const times = await killLeaders(peer, this.settings.plan.kills, (kill, ms) =>
        this.progress(`${head.title}, ${peer.name}: kill ${kill}, ${Math.round(ms)} ms`),
      );
      return failoverSample(times);
    });
  }

  private async keys(): Promise<void> {
    const { keys } = this.settings.plan;
    const head = { figure: 'keys', title: `${keys.toLocaleString('en')} keys` };
    await this.oneByOne(head, keysMeasures, (peer) =>
      measureKeys(peer, keys, (done) =>
        this.progress(`${head.title}, ${peer.name}: ${done.toLocaleString('en')} written`),
      ),
    );
  }

  private makers(): (() => Peer)[] {
    const { home, dataDir, natsServer, etcd, profileDir } = this.settings;
    const skein = { home, dataDir: join(dataDir, 'skein'), natsServer, profileDir };
    const makers: (() => Peer)[] = [() => new SkeinPeer(skein)];
    if (etcd !== null) makers.push(() => new EtcdPeer({ dataDir: join(dataDir, 'etcd'), etcd }));
    return makers;
  }

  private async start(makers: readonly (() => Peer)[]): Promise<Peer[]> {
    for (const make of makers) {
      const peer = make();
      this.progress(`starting ${peer.name}`);
      this.running.push(peer);
      await peer.start();
    }
    return this.running;
  }

  private async inTurns(
    head: { readonly figure: string; readonly title: string },
    measures: readonly Measure[],
    peers: readonly Peer[],
    measure: (peer: Peer) => Promise<Sample>,
  ): Promise<void> {
    for (let round = 1; round <= this.settings.plan.rounds; round += 1) {
      for (const peer of peers) {
        const sample = await measure(peer);
        this.keep(head.figure, peer.name, sample);
        this.progress(
          `${head.title}, round ${round}, ${peer.name}: ${numbersOf(sample, measures)}`,
        );
      }
    }
    this.conclude(head, measures);
  }

  /** Each alone on the machine: for what would disturb, or crowd out, the other. */
  private async oneByOne(
    head: { readonly figure: string; readonly title: string },
    measures: readonly Measure[],
    measure: (peer: Peer) => Promise<Sample>,
  ): Promise<void> {
    for (const make of this.makers()) {
      const [peer] = await this.start([make]);
      if (peer === undefined) continue;
      const sample = await measure(peer);
      this.keep(head.figure, peer.name, sample);
      this.progress(`${head.title}, ${peer.name}: ${numbersOf(sample, measures)}`);
      await this.stop();
    }
    this.conclude(head, measures);
  }

  private keep(figure: string, name: string, sample: Sample): void {
    const all = (this.samples[figure] ??= {});
    (all[name] ??= []).push(sample);
  }

  private conclude(
    head: { readonly figure: string; readonly title: string },
    measures: readonly Measure[],
  ): void {
    const { figure, title } = head;
    const { skein = [], etcd = [] } = this.samples[figure] ?? {};
    this.rows.push(...rowsOf({ figure, title }, measures, { skein, peer: etcd }));
  }
}

function numbersOf(sample: Sample, measures: readonly Measure[]): string {
  return measures
    .map(({ name, unit }) => `${name} ${(sample[name] ?? 0).toLocaleString('en')} ${unit}`)
    .join(', ');
}
