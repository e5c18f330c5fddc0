// Address management under faults, from one seed: several replicas and many callers on small networks that fill up, while
// messages are lost, late and doubled, replicas pause and crash, and two of them believe that they hold the activation.

import { keys } from '@skein/contracts';
import {
  planNetwork,
  planSubnetAddition,
  type AddressRecord,
  type MacRecord,
  type NetworkRecord,
  type SubnetSpec,
  type SubnetTable,
  type Transaction,
} from '@skein/ipam';
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
  [{ cidr: 'fd00::/125', gateway: 'fd00::7' }, { cidr: '10.0.2.0/29' }],
  [{ cidr: 'fd00::/126' }, { cidr: 'fd01::/64', range: 'fd01::10/124' }],
  [
    { cidr: '10.0.0.0/29' },
    { cidr: 'fd00::/64', range: 'fd00::/125' },
    { cidr: '10.0.1.0/29' },
    { cidr: 'fd01::/125' },
  ],
  [{ cidr: '10.0.3.0/24' }],
];
/** Added while the network is in use, if it has the family already. */
const laterSubnets: readonly SubnetSpec[] = [{ cidr: '10.0.9.0/29' }, { cidr: 'fd09::/125' }];

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
  'fd01::12',
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
  private network: NetworkRecord;
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
    this.network = network;
    this.checker = new AddressChecker(network, { nowMs: () => queue.nowMs, restMs });
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
      reboot: (endpointIds) => this.reboot(endpointIds),
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
    const kinds = ['crash', 'pause', 'pause', 'store', 'network', 'clock', 'subnet'] as const;
    const kind = random.pick(kinds);
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
    } else if (kind === 'clock') {
      replica.clockErrorMs = random.between(-100_000, 100_000);
    } else if (kind === 'subnet') {
      this.grow();
    } else if (kind === 'store') {
      const severity = random.pick(severities);
      Object.assign(this.store.conditions, { loss: severity, straggler: severity / 2 });
    } else {
      const severity = random.pick(severities);
      Object.assign(this.conditions, { loss: severity, duplication: 2 * severity });
    }
  }

  /** What the registry does for a host that reboots: one transaction that compares what it takes back. */
  private reboot(endpointIds: readonly string[]): boolean {
    const ids = new Set(endpointIds);
    const rows = this.store.read(keys.addresses(networkId)).flatMap((kv) => {
      const record = JSON.parse(kv.value) as AddressRecord;
      const isHeld = record.state === 'held' && ids.has(record.endpointId ?? '');
      return isHeld ? [{ kv, record }] : [];
    });
    const macs = this.store
      .read(keys.macs(networkId))
      .filter((kv) => ids.has((JSON.parse(kv.value) as MacRecord).endpointId));
    const until = Math.floor(this.queue.nowMs) + restMs;
    const outcome = this.store.apply({
      type: 'txn',
      compare: [...rows.map(({ kv }) => kv), ...macs].map(({ key, modRevision }) => ({
        key,
        target: 'modRevision',
        operator: '=',
        value: modRevision,
      })),
      success: [
        ...rows.map(({ kv, record }) => {
          const value = JSON.stringify({ ...record, state: 'resting', until });
          return { type: 'put' as const, key: kv.key, value };
        }),
        ...macs.map(({ key }) => ({ type: 'delete' as const, key })),
      ],
      failure: [],
    });
    return outcome.ok && 'succeeded' in outcome.reply && outcome.reply.succeeded;
  }

  /** Another replica adds a subnet, unknown to the actor. */
  private grow(): void {
    const { network } = this;
    const spec = laterSubnets.find(
      ({ cidr: text }) =>
        network.subnets.every((subnet) => subnet.cidr !== text) &&
        network.subnets.some((subnet) => subnet.cidr.includes(':') === text.includes(':')),
    );
    const [kv] = this.store.read(keys.network(networkId));
    const [table] = this.store.read(keys.subnetTable);
    if (spec === undefined || kv === undefined || table === undefined) return;
    const record = JSON.parse(table.value) as SubnetTable;
    const plan = planSubnetAddition(
      spec,
      { record: network, modRevision: kv.modRevision },
      {
        keys,
        pools: { pools: [], excluded: [] },
        cause: { request: 'grow', at: 0 },
        directory: {
          table: { record, modRevision: table.modRevision },
          vnis: new Set(),
          nameOf: (id) => id,
        },
      },
    );
    if (!plan.ok) throw new Error(plan.refusal.message);
    this.network = plan.reply.reply;
    this.checker.grown(this.network);
    this.store.apply({ type: 'txn', failure: [], ...plan.reply.transaction });
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
