// Address management under faults, from one seed: several replicas and many callers on small networks that fill up, while
// messages are lost, late and doubled, replicas pause and crash, and two of them believe that they hold the activation.

import { keys } from '@skein/contracts';
import { planNetwork, type NetworkRecord, type SubnetSpec, type Transaction } from '@skein/ipam';
import { EventQueue } from '../event-queue';
import { Random } from '../random';
import { AddressChecker, type IpamViolation } from './checker';
import { Client } from './client';
import { Replica } from './replica';
import { SimulatedStore } from './simulated-store';

/** Faults that can be planted to see that the checkers find them. They change what a replica commits, nowhere else. */
export const plantedIpamFaults = ['no-compares', 'no-fence', 'no-address-compare'] as const;
export type PlantedIpamFault = (typeof plantedIpamFaults)[number];

export interface IpamSimulationOptions {
  readonly replicas?: number;
  readonly clients?: number;
  /** Simulated time with faults, before calm and the final check. */
  readonly faultyMs?: number;
  readonly planted?: PlantedIpamFault | undefined;
}

export interface IpamSimulationResult {
  readonly seed: number;
  /** Events that were run. */
  readonly steps: number;
  /** Pauses, crashes and spells of bad network. */
  readonly faults: number;
  readonly violations: readonly IpamViolation[];
  readonly simulatedMs: number;
  /** Answers that callers got, by kind. */
  readonly answers: Readonly<Record<string, number>>;
  /** Digest of all that happened: equal for equal seeds. */
  readonly trace: string;
}

const networkId = 'n1';
const restMs = 1_500;
const ttlMs = 1_000;
const defaultFaultyMs = 40_000;
const calmMs = 30_000;
const maxViolations = 20;
/** Share of messages that suffer; half of the spells are good weather. */
const severities = [0, 0, 0.02, 0.15];

const networks: readonly (readonly SubnetSpec[])[] = [
  [{ cidr: '10.0.0.0/28', reserved: { router: '10.0.0.5' } }],
  [{ cidr: '10.0.0.0/27', range: '10.0.0.16/29' }, { cidr: '10.0.1.0/29' }],
  [{ cidr: 'fd00::/125', gateway: 'fd00::7' }, { cidr: '10.0.2.0/30' }],
  [{ cidr: '10.0.3.0/24' }],
];

/** Statically wanted: free, reserved, gateways, network and broadcast addresses, outside every subnet. */
const wantedAddresses = [
  '10.0.0.1',
  '10.0.0.3',
  '10.0.0.5',
  '10.0.0.15',
  '10.0.0.18',
  '10.0.1.4',
  '10.0.2.2',
  '10.0.3.2',
  '10.0.3.0',
  'fd00::3',
  'fd00::7',
  '192.168.0.1',
];

export function simulateIpam(
  seed: number,
  options: IpamSimulationOptions = {},
): IpamSimulationResult {
  return new IpamSimulation(seed, options).run();
}

class IpamSimulation {
  private readonly queue = new EventQueue();
  private readonly random: Random;
  private readonly store: SimulatedStore;
  private readonly checker: AddressChecker;
  private readonly replicas: Replica[];
  private readonly clients: Client[];
  private readonly conditions = { loss: 0, duplication: 0 };
  private readonly answers: Record<string, number> = {};
  private steps = 0;
  private faults = 0;
  private hash = 0x811c9dc5;

  constructor(
    private readonly seed: number,
    private readonly options: IpamSimulationOptions,
  ) {
    this.random = new Random(seed);
    const { queue } = this;
    this.store = new SimulatedStore(queue, this.random.fork(), (events) => {
      for (const { type, kv } of events) this.trace(`${type} ${kv.key} ${kv.modRevision}`);
      this.checker.committed(events);
    });
    const { transaction, network } = this.makeNetwork();
    this.checker = new AddressChecker(network, () => queue.nowMs);
    this.store.apply({ type: 'txn', failure: [], ...transaction });
    this.replicas = Array.from({ length: options.replicas ?? 3 }, (_, index) =>
      this.makeReplica(`r${index + 1}`),
    );
    this.clients = Array.from({ length: options.clients ?? 10 }, (_, index) =>
      this.makeClient(`c${index + 1}`),
    );
  }

  run(): IpamSimulationResult {
    const faultyMs = this.options.faultyMs ?? defaultFaultyMs;
    this.scheduleFault(faultyMs);
    this.runUntil(faultyMs);
    this.calm();
    this.runUntil(faultyMs + calmMs, () => this.clients.every(({ isDone }) => isDone));
    const stuck = this.clients.filter(({ isDone }) => !isDone).length;
    if (stuck > 0)
      this.checker.report('liveness', `${stuck} callers got no answer in calm weather`);
    else this.checker.finish();
    return {
      seed: this.seed,
      steps: this.steps,
      faults: this.faults,
      violations: this.checker.violations.slice(0, maxViolations),
      simulatedMs: Math.round(this.queue.nowMs),
      answers: this.answers,
      trace: this.hash.toString(16).padStart(8, '0'),
    };
  }

  private runUntil(endMs: number, isOver: () => boolean = () => false): void {
    while (this.queue.nowMs < endMs && !isOver() && this.queue.runNext()) {
      this.steps += 1;
      if (this.checker.violations.length >= maxViolations) return;
    }
  }

  private makeNetwork(): { transaction: Transaction; network: NetworkRecord } {
    const subnets = this.random.pick(networks);
    const directory = {
      table: { record: { subnets: [] }, modRevision: 0 },
      vnis: new Set<number>(),
      nameOf: (id: string) => id,
    };
    const plan = planNetwork({ id: networkId, name: 'web', subnets }, directory, {
      keys,
      pools: { pools: [], excluded: [] },
      cause: { request: 'create', at: 0 },
      complete: (part) => part,
    });
    if (!plan.ok) throw new Error(plan.refusal.message);
    return { transaction: plan.reply.transaction, network: plan.reply.reply };
  }

  private makeReplica(name: string): Replica {
    const { queue, store } = this;
    const alter = (transaction: Transaction): Transaction => this.plant(transaction);
    return new Replica({ name, networkId, queue, store, restMs, ttlMs, alter });
  }

  private makeClient(name: string): Client {
    const { queue, replicas, checker, conditions } = this;
    return new Client({
      name,
      queue,
      random: this.random.fork(),
      replicas,
      checker,
      addresses: wantedAddresses,
      conditions,
      trace: (line) => {
        this.trace(line);
        const kind = line.split(' ').slice(2).join(' ');
        this.answers[kind] = (this.answers[kind] ?? 0) + 1;
      },
    });
  }

  private plant(transaction: Transaction): Transaction {
    const { planted } = this.options;
    if (planted === undefined) return transaction;
    const isFence = (key: string): boolean => key.startsWith(keys.actors);
    const compare = transaction.compare.filter(({ key }) => {
      if (planted === 'no-compares') return false;
      return isFence(key) ? planted !== 'no-fence' : planted !== 'no-address-compare';
    });
    return { ...transaction, compare };
  }

  private scheduleFault(untilMs: number): void {
    this.queue.after(this.random.between(100, 1_500), () => {
      if (this.queue.nowMs >= untilMs) return;
      this.inject(untilMs - this.queue.nowMs);
      this.scheduleFault(untilMs);
    });
  }

  private inject(leftMs: number): void {
    const { random, queue } = this;
    const active = this.replicas.filter(({ believesActive }) => believesActive);
    const replica =
      active.length > 0 && random.chance(0.7) ? random.pick(active) : random.pick(this.replicas);
    const lengthMs = Math.min(leftMs, random.between(50, 2.5 * ttlMs));
    const kind = random.pick(['crash', 'pause', 'pause', 'store', 'network'] as const);
    this.faults += 1;
    this.trace(`${Math.round(queue.nowMs)} fault ${kind} ${replica.name} ${lengthMs}`);
    if (kind === 'crash') {
      if (replica.isDown) return;
      replica.crash();
      queue.after(lengthMs, () => replica.restart());
    } else if (kind === 'pause') {
      if (replica.isDown || replica.isPaused) return;
      replica.isPaused = true;
      queue.after(lengthMs, () => replica.resume());
    } else if (kind === 'store') {
      const severity = random.pick(severities);
      Object.assign(this.store.conditions, { loss: severity, straggler: severity / 2 });
    } else {
      const severity = random.pick(severities);
      Object.assign(this.conditions, { loss: severity, duplication: 2 * severity });
    }
  }

  private calm(): void {
    Object.assign(this.store.conditions, { loss: 0, straggler: 0 });
    Object.assign(this.conditions, { loss: 0, duplication: 0 });
    for (const replica of this.replicas) {
      replica.restart();
      replica.resume();
    }
    for (const client of this.clients) client.isClosing = true;
  }

  /** FNV-1a over the lines. */
  private trace(line: string): void {
    for (let at = 0; at < line.length; at += 1) {
      this.hash = Math.imul(this.hash ^ line.charCodeAt(at), 0x01000193) >>> 0;
    }
  }
}
