// A run from its first process to the last: a world, clients and a prober in it, faults for as long as was asked, then calm, the
// audit and the end. Whatever ends it, the world goes.

import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '@skein/simulation';
import { finalProofs } from './audit';
import { Client } from './client';
import { nowMs } from './clock';
import { Cuts } from './cuts';
import { nextHostFault, nextSteeringFault, type Fault } from './fault';
import { HostWatch } from './host-watch';
import { Inflictor } from './inflict';
import { Ledger } from './ledger';
import { Leftovers } from './leftovers';
import { LossJudge } from './loss';
import { networks } from './plan';
import { Prober, proberCommand } from './prober';
import { proof, sortedCounts, type ChaosReport, type Proof } from './report';
import { Sandboxes } from './sandboxes';
import { Weather } from './weather';
import { World } from './world';

export interface ChaosOptions {
  readonly home: string;
  readonly path: string;
  readonly seconds: number;
  readonly seed: number;
  /** A step of the run. */
  readonly step: (text: string) => void;
  /** What is done to the cluster, as it happens. */
  readonly fault: (text: string) => void;
  /** How far it is, and what clients have got so far. */
  readonly at: (done: number, total: number, detail: string) => void;
  /** Called off: the run rejects with the signal's reason, and nothing of it is left. */
  readonly signal: AbortSignal;
}

const clientIds = ['ann', 'ben', 'cyd', 'dan'];

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { home, path, step } = options;
  const leftovers = new Leftovers();
  const calling = new AbortController();
  const signal = AbortSignal.any([options.signal, calling.signal]);
  const world = await World.start({ home, path, signal, progress: step });
  leftovers.entered(world.cluster.record.supervisor.pid, world.dataDir);
  let report: ChaosReport;
  try {
    const run = new Run(options, world, (reason) => calling.abort(reason)).carryOut();
    report = await Promise.race([run, calledOff(signal)]);
  } finally {
    // What still asks, in whatever part of the run, ends with it.
    calling.abort(new Error('the run is over'));
    await world.stop();
  }
  const left = leftovers.look();
  const last = proof('nothing is left of the run', 'processes, namespaces, links, mounts', left);
  return { ...report, passed: report.passed && last.held, proofs: [...report.proofs, last] };
}

function calledOff(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

class Run {
  readonly #weather = new Weather();
  readonly #ledger = new Ledger(this.#weather);
  readonly #begunAt = nowMs();
  readonly #loss = new LossJudge(this.#ledger, this.#weather, this.#begunAt);
  readonly #watch: HostWatch;
  readonly #prober: Prober;
  readonly #sandboxes: Sandboxes;
  #injected = 0;

  constructor(
    private readonly options: ChaosOptions,
    private readonly world: World,
    callOff: (reason: Error) => void,
  ) {
    this.#watch = new HostWatch(world.rest, this.#weather, this.#ledger);
    const child = world.inside(proberCommand);
    child.once('exit', () => callOff(new Error('the prober has ended')));
    this.#prober = new Prober(child, {
      onProbes: (probes) => this.#loss.take(probes),
      onImpostor: (impostor) => this.#loss.impostor(impostor),
    });
    this.#sandboxes = new Sandboxes(world, this.#prober);
  }

  async carryOut(): Promise<ChaosReport> {
    const { step, seed, seconds } = this.options;
    step('networks and sandboxes');
    for (const each of networks) await this.#create(each);
    await this.#sandboxes.open();
    const cuts = await Cuts.prepare(this.world);
    if (cuts === null) step('nft is not there: nothing will be cut off');
    const inflictor = this.#inflictor(cuts);
    const clients = this.#clients();
    const watching = this.#watch.run();
    const working = Promise.all(clients.map((client) => client.run()));
    // Awaited below, unless the run ends before.
    for (const each of [watching, working]) each.catch(() => undefined);
    await delay(2_000);
    const from = nowMs();
    await this.#rage(inflictor);
    const to = nowMs();
    step('healing: everything runs again');
    await inflictor.heal();
    await delay(1_000);
    for (const client of clients) client.stop();
    await working;
    const { world } = this;
    const proofs = await finalProofs({
      world,
      ledger: this.#ledger,
      loss: this.#loss,
      prober: this.#prober,
      clients,
      step,
    });
    this.#watch.stop();
    await watching;
    return this.#report({ proofs, inflictor, from, to, seed, seconds });
  }

  async #create({ name, onHostLoss, subnets }: (typeof networks)[number]): Promise<void> {
    const body = { name, onHostLoss, subnets };
    const asked = { method: 'POST', path: '/v1/networks', body, key: `network-${name}` } as const;
    const { status, code } = await this.world.rest.ask(asked);
    if (status !== 201) throw new Error(`network ${name}: ${status} ${code}`);
  }

  #inflictor(cuts: Cuts | null): Inflictor {
    return new Inflictor({
      world: this.world,
      weather: this.#weather,
      ledger: this.#ledger,
      watch: this.#watch,
      sandboxes: this.#sandboxes,
      cuts,
      random: new Random(this.options.seed + 1_000_003),
      tell: (what) => {
        this.#injected += 1;
        this.options.fault(`${seconds(nowMs() - this.#begunAt)} ${what}`);
      },
    });
  }

  #clients(): Client[] {
    const { seed } = this.options;
    return clientIds.map(
      (id, index) =>
        new Client({
          rest: this.world.rest,
          ledger: this.#ledger,
          random: new Random(seed * 100 + index),
          prober: this.#prober,
          sandboxes: this.#sandboxes,
          id,
        }),
    );
  }

  /** Two lanes of faults at once; each waits for its own to end. */
  async #rage(inflictor: Inflictor): Promise<void> {
    const { seed, at } = this.options;
    const total = this.options.seconds * 1_000;
    const from = nowMs();
    const lane = async (random: Random, next: (random: Random) => Fault): Promise<void> => {
      while (nowMs() - from < total) {
        await inflictor.inflict(next(random));
        await delay(random.between(100, 2_000));
      }
    };
    const ticking = setInterval(() => {
      this.#loss.judge(nowMs());
      const { outcomes } = this.#ledger;
      const told = `${this.#injected} faults, ${outcomes.get('attach ok') ?? 0} attached, ${this.#loss.losses.length} pings lost`;
      at(Math.min(nowMs() - from, total), total, told);
    }, 500);
    try {
      await Promise.all([
        lane(new Random(seed), nextSteeringFault),
        lane(new Random(seed + 7), nextHostFault),
      ]);
    } finally {
      clearInterval(ticking);
    }
  }

  #report(end: {
    proofs: readonly Proof[];
    inflictor: Inflictor;
    from: number;
    to: number;
    seed: number;
    seconds: number;
  }): ChaosReport {
    const { proofs, inflictor, from, to, seed, seconds } = end;
    const repairTimes = inflictor.repairTimesMs;
    return {
      passed: proofs.every(({ held }) => held),
      seed,
      seconds,
      faults: sortedCounts(inflictor.counts),
      outcomes: sortedCounts(this.#ledger.outcomes),
      figures: {
        faults: this.#injected,
        longestWithoutAttachMs: longest(this.#silences(from, to, (a, b) => b - a)),
        longestWithoutAttachWithQuorumMs: longest(
          this.#silences(from, to, (a, b) => this.#weather.withQuorumMs(a, b)),
        ),
        longestWithoutAttachThoughAllUpMs: longest(
          this.#silences(from, to, (a, b) => this.#weather.couldWorkMs(a, b)),
        ),
        hostsCommittedDown: this.#watch.downs,
        repairsTold: this.#watch.repairs,
        slowestRepairOfDeletedRowsMs: longest(repairTimes),
        strayAnswers: this.#loss.strayAnswers,
      },
      silence: this.#longestSilence(from, to),
      pings: Object.fromEntries(this.#loss.classes),
      proofs,
    };
  }

  #longestSilence(from: number, to: number): ChaosReport['silence'] {
    const couldWork = (a: number, b: number) => this.#weather.couldWorkMs(a, b);
    const ms = this.#silences(from, to, couldWork);
    const marks = this.#marks(from, to);
    const at = ms.indexOf(longest(ms));
    const [start, end] = [marks[at] ?? from, marks[at + 1] ?? to];
    const told = new Map<string, number>();
    for (const one of this.#ledger.told) {
      if (one.at < start || one.at >= end) continue;
      const what = one.of === undefined ? one.what : `${one.what} on ${one.of}`;
      told.set(what, (told.get(what) ?? 0) + 1);
    }
    return { fromMs: Math.round(start - from), ms: longest(ms), told: sortedCounts(told) };
  }

  /** Times between one attach and the next, as `measure` takes them. */
  #silences(from: number, to: number, measure: (a: number, b: number) => number): number[] {
    const marks = this.#marks(from, to);
    return marks.slice(1).map((at, index) => measure(marks[index] as number, at));
  }

  #marks(from: number, to: number): number[] {
    const times = this.#ledger.attachedAt
      .filter((at) => at >= from && at <= to)
      .sort((a, b) => a - b);
    return [from, ...times, to];
  }
}

const longest = (times: readonly number[]): number => Math.max(0, ...times);
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`.padStart(7);
