// Runs the whole system from one seed: managers, address service, registry, agents, gossip, kernels and what people do with them; first
// with faults on every part and the checkers of P1 to P6, then without faults and the demand to converge. The same seed gives
// the same run. It must not know real time, files or processes.

import { EventQueue } from '../event-queue';
import { SimulatedNetwork } from '../network';
import { Random } from '../random';
import { TraceHash } from '../raft/trace-hash';
import { Activations } from './checkers/activations';
import { Admission } from './checkers/admission';
import { Authority } from './checkers/authority';
import { DataPlane } from './checkers/data-plane';
import { KeptWrites } from './checkers/kept-writes';
import { KnownWay } from './checkers/known-way';
import { NeedToKnow } from './checkers/need-to-know';
import { OneHolder } from './checkers/one-holder';
import { CommittedHistory } from './committed';
import { Convergence } from './convergence';
import { Faults } from './faults';
import { Host, netnsPrefix, type Letter } from './host';
import { Hub, HubMessenger } from './hub';
import { Managers } from './managers';
import {
  drawSystemConditions,
  type SystemConditions,
  type SystemSimulationOptions,
} from './options';
import { makeNetworks, networks } from './networks';
import { Operator } from './operator';
import { Place } from './place';
import type { PlantedSystemFault } from './plants';
import { Programs } from './programs';
import type { Service } from './service';
import { resultOf, type SystemSimulationResult } from './result';
import { Violations } from './violations';
import { Workloads } from './workloads';

export function simulateSystem(
  seed: number,
  options: SystemSimulationOptions = {},
): Promise<SystemSimulationResult> {
  return new SystemSimulation(seed, options).run();
}

const lookEveryMs = 500;
class SystemSimulation {
  readonly queue = new EventQueue();
  private readonly random: Random;
  private readonly hash = new TraceHash();
  private readonly planted: PlantedSystemFault | null;
  readonly conditions: SystemConditions;
  readonly violations = new Violations(() => this.queue.nowMs);
  readonly committed = new CommittedHistory(() => this.queue.nowMs);
  readonly hub: Hub;
  readonly gossip: SimulatedNetwork<Letter>;
  readonly managers: Managers;
  readonly hosts = new Map<string, Host>();
  private readonly programs: Programs;
  readonly registries: Service[];
  readonly ipams: Service[];
  readonly workloads: Workloads;
  readonly faults: Faults;
  readonly authority: Authority;
  readonly dataPlane: DataPlane;
  private readonly oneHolder: OneHolder;
  private readonly admission: Admission;
  private readonly activations: Activations;
  private readonly keptWrites: KeptWrites;
  private readonly needToKnow: NeedToKnow;
  private readonly knownWay: KnownWay;
  private readonly kernelConditions = { readMs: 10, changeMs: 1.5, refusal: 0 };
  private readonly harmedAt = new Map<string, number>();
  private readonly gateway: Place;
  private readonly gatewayMessenger: HubMessenger;
  private steps = 0;
  private mustDrain = false;
  private convergedMs = 0;

  constructor(
    private readonly seed: number,
    private readonly options: SystemSimulationOptions,
  ) {
    this.random = new Random(seed);
    this.planted = options.planted ?? null;
    this.conditions = drawSystemConditions(this.random.fork(), options);
    const { queue, conditions, committed, violations } = this;
    const fork = (): Random => this.random.fork();
    const onRun = (): void => this.ran();
    const tell = (line: string): void => this.tell(line);
    this.hub = new Hub(queue, fork(), conditions.network);
    this.gossip = new SimulatedNetwork(queue, fork(), conditions.gossip, (to, letter) =>
      this.hosts.get(to)?.receiveGossip(letter),
    );
    this.managers = new Managers({
      queue,
      random: fork(),
      hub: this.hub,
      conditions: conditions.managers,
      onCommit: (revision) => {
        committed.take(revision);
        for (const checker of [this.oneHolder, this.admission, this.activations]) {
          checker.took(revision);
        }
        this.keptWrites.took();
        this.told(
          `commit ${revision.revision} ${revision.events.map(({ kv }) => kv.key).join(' ')}`,
        );
      },
      onStep: (replica, what) => {
        this.hash.addText(replica);
        this.hash.addText(what);
      },
      onFailure: (message) => violations.report('assertion', message),
      onRun,
      tell,
    });
    this.admission = new Admission(violations, committed);
    this.activations = new Activations(violations);
    this.oneHolder = new OneHolder(violations, committed, () => this.hosts.values());
    this.authority = new Authority(violations, committed);
    this.keptWrites = new KeptWrites(violations, committed, (id) => {
      this.told(`${id} is reclaimed`);
      this.workloads.reclaimed(id);
    });
    this.needToKnow = new NeedToKnow(violations, committed);
    this.knownWay = new KnownWay(violations, committed, this.hosts, (host, atMs) =>
      this.isHarmedSince(host, atMs),
    );
    for (let index = 1; index <= conditions.hosts; index += 1) this.addHost(index);
    this.dataPlane = new DataPlane(
      violations,
      this.hosts,
      (sandbox) => this.workloads.bySandbox(sandbox)?.state === 'live',
      (netns) => this.isFenced(netns),
    );
    this.programs = new Programs({
      hub: this.hub,
      random: fork(),
      conditions,
      planted: this.planted,
      committed,
      onRun,
      onAttached: (answer) => this.knownWay.attached(answer),
      onCommitted: (commit) => this.activations.committed(commit),
    });
    this.registries = ['r1', 'r2'].map((name) => this.programs.registry(name));
    this.ipams = ['i1', 'i2'].map((name) => this.programs.ipam(name));
    this.gateway = new Place('gateway', queue, fork(), onRun);
    this.gateway.start();
    this.gatewayMessenger = new HubMessenger(this.hub, this.gateway, this.gateway.time);
    this.workloads = this.makeWorkloads();
    this.faults = this.makeFaults();
  }

  private makeWorkloads(): Workloads {
    const { conditions, keptWrites } = this;
    return new Workloads({
      place: this.gateway,
      messenger: this.gatewayMessenger,
      random: this.random.fork(),
      hosts: [...this.hosts.values()],
      networks: networks.map(({ id }) => id),
      clients: conditions.clients,
      meanThinkMs: conditions.meanThinkMs,
      maxContainers: conditions.maxContainers,
      observer: {
        attached: ({ name, endpointId }, revision) => {
          this.told(`${name} is attached as ${endpointId} at ${revision}`);
          keptWrites.attachedAt(endpointId ?? '', revision);
        },
        released: ({ name, endpointId }) => {
          this.told(`${name} is to end`);
          if (endpointId !== null) keptWrites.released(endpointId);
        },
        detached: ({ name, endpointId }, revision, behind) => {
          this.told(`${name} is detached at ${revision}, behind: ${behind.join(' ')}`);
          if (endpointId !== null) keptWrites.detachedAt(endpointId);
        },
        said: (line) => this.told(line),
      },
    });
  }

  private makeFaults(): Faults {
    const { queue, conditions, hub, gossip, managers, registries, ipams } = this;
    return new Faults({
      queue,
      random: this.random.fork(),
      conditions,
      hub,
      gossip,
      managers: managers.replicas,
      registries,
      ipams,
      hosts: [...this.hosts.values()],
      kernelConditions: this.kernelConditions,
      tell: (line) => this.told(line),
      harmed: (host) => this.harmed(host),
      allEnded: (host) => this.workloads.allEnded(host),
      operator: new Operator({
        place: this.gateway,
        messenger: this.gatewayMessenger,
        said: (line) => this.told(line),
      }),
    });
  }

  private addHost(index: number): void {
    const host = new Host(index, {
      queue: this.queue,
      random: this.random.fork(),
      hub: this.hub,
      gossip: this.gossip,
      kernelConditions: this.kernelConditions,
      onRun: () => this.ran(),
      answersEarly: this.planted === 'early-answer',
      observer: {
        kernelChanged: (changed, change) => {
          if (change !== null) this.hash.addText(`${changed.id} ${change.kind} ${change.action}`);
          this.oneHolder.kernelChanged(changed, change);
          this.authority.kernelChanged(changed, change);
        },
        pushed: (to, push) => {
          this.told(`${to.id} is pushed a ${push.kind} at ${push.revision} by ${push.fencing}`);
          this.needToKnow.pushed(to, push);
        },
        programmed: (by, push, reply) => {
          this.told(`${by.id} has programmed ${reply.programmed}`);
          // Anything else is no acknowledgement: it says what the agent had before.
          if (reply.programmed !== push.revision || reply.digest !== push.digest) return;
          const isHarmed = this.isHarmedSince(by.id, this.queue.nowMs - 10_000);
          this.authority.acknowledged(by, reply, isHarmed);
        },
        repaired: (by, kind, count) => {
          this.told(`${by.id} repairs ${count} ${kind}`);
          this.authority.repaired(kind, count);
        },
      },
    });
    this.hosts.set(host.id, host);
  }

  private harmed(host: Host): void {
    this.harmedAt.set(host.id, this.queue.nowMs);
    this.dataPlane.harmed(host.id);
  }

  private isHarmedSince(hostId: string, atMs: number): boolean {
    return (this.harmedAt.get(hostId) ?? -Infinity) >= atMs;
  }

  private isFenced(netns: string): boolean {
    const id = this.committed.networkIdOf(netns, netnsPrefix);
    return this.committed.state.network(id ?? '')?.onHostLoss === 'fence';
  }

  private ran(): void {
    this.mustDrain = true;
  }

  private tell(line: string): void {
    this.options.onTrace?.(`${this.queue.nowMs.toFixed(1)} ${line}`);
  }

  /** Part of what makes two runs the same. */
  private told(line: string): void {
    this.hash.addText(line);
    this.hash.addNumber(this.queue.nowMs);
    this.tell(line);
  }

  async run(): Promise<SystemSimulationResult> {
    try {
      this.tell(JSON.stringify(this.conditions));
      this.managers.start();
      for (const service of [...this.ipams, ...this.registries]) service.start();
      for (const host of this.hosts.values()) host.startAgent();
      await this.runUntil(
        () => this.committed.state.networks().length === networks.length,
        30_000,
        this.begin(),
      );
      this.workloads.start();
      this.lookForever();
      this.faults.start();
      await this.runFor(this.conditions.faultMs);
      if (this.violations.isClean) await this.converge();
    } catch (error) {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.violations.report('assertion', detail);
    }
    return this.result();
  }

  /** One event, then all that follows from it at once. */
  async step(): Promise<void> {
    this.queue.runNext();
    this.steps += 1;
    if (!this.mustDrain) return;
    this.mustDrain = false;
    // A turn of the event loop: by then every promise that could go on has gone on, since nothing here waits for the machine.
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }

  async runFor(ms: number): Promise<void> {
    const endMs = this.queue.nowMs + ms;
    while (this.violations.isClean && this.queue.nowMs < endMs) await this.step();
  }

  private async runUntil(
    isDone: () => boolean,
    withinMs: number,
    work: Promise<void>,
  ): Promise<void> {
    let failure: unknown;
    work.catch((thrown: unknown) => (failure = thrown));
    const endMs = this.queue.nowMs + withinMs;
    while (!isDone()) {
      if (failure !== undefined) throw failure;
      if (this.queue.nowMs > endMs) throw new Error('the system did not start');
      await this.step();
    }
  }

  private async begin(): Promise<void> {
    const { time } = this.gateway;
    const store = this.programs.storeClient(this.gateway, this.gatewayMessenger);
    await makeNetworks(store, time);
    store.close();
  }

  private lookForever(): void {
    this.queue.after(lookEveryMs, () => {
      this.dataPlane.look();
      for (const host of this.hosts.values()) {
        this.needToKnow.look(host, this.isCalmFor(host), lookEveryMs);
      }
      this.lookForever();
    });
  }

  /** Whoever would tell this host of a change can, and it can do as it is told. */
  private isCalmFor(host: Host): boolean {
    if (!this.faults.isOver) return false;
    return host.place.isUp && this.managers.leader !== undefined;
  }

  private async converge(): Promise<void> {
    const startMs = this.queue.nowMs;
    this.told('faults stop');
    this.workloads.stop();
    this.faults.stop();
    const { violations, committed, managers, hosts, workloads, authority } = this;
    const convergence = new Convergence({
      violations,
      committed,
      managers,
      hosts: [...hosts.values()],
      workloads,
      authority,
      networks: networks.map(({ id }) => id),
      nowMs: () => this.queue.nowMs,
      wallMs: () => this.gateway.time.wallMs(),
      runFor: (ms) => this.runFor(ms),
      random: this.random.fork(),
      told: (line) => this.told(line),
    });
    await convergence.run();
    this.convergedMs = this.queue.nowMs - startMs;
  }

  private result(): SystemSimulationResult {
    const { seed, steps, hub, faults, workloads, knownWay, committed, authority } = this;
    return resultOf({
      ...{ seed, steps, hub, faults, workloads, knownWay, committed, authority },
      simulatedMs: this.queue.nowMs,
      pairs: this.dataPlane.pairsSeen,
      convergedMs: this.convergedMs,
      violations: this.violations.list,
      traceHash: this.hash.digest(),
    });
  }
}
