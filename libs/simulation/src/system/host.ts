// One host: its kernel, and its agent made of the agent's own classes, on simulated time and messages. The agent may die and come
// back; the machine may start anew. It must not know what is checked.

import { Duty, LeaseGuard, Programmer, Reconciler, type Names, type Push } from '@skein/agent';
import { programContract, type Opinion } from '@skein/contracts';
import { silentLogger } from '@skein/messaging';
import {
  createSwim,
  seededRandom,
  swimConfig,
  type Swim,
  type SwimInput,
  type SwimMessage,
} from '@skein/swim';
import type { Change } from '@skein/vxlan';
import type { EventQueue } from '../event-queue';
import type { SimulatedNetwork } from '../network';
import type { Random } from '../random';
import { HubMessenger, type Handler, type Hub } from './hub';
import { SimulatedKernel, type KernelConditions } from './kernel';
import { Place } from './place';
import type { KernelPlace } from './reach';

export interface Letter {
  readonly from: string;
  readonly via: 'datagram' | 'stream';
  readonly messages: readonly SwimMessage[];
}

export interface HostWorld {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly hub: Hub;
  readonly gossip: SimulatedNetwork<Letter>;
  readonly kernelConditions: KernelConditions;
  readonly onRun: () => void;
  readonly observer: HostObserver;
  /** A planted fault: it answers a push before it has programmed it. */
  readonly answersEarly: boolean;
}

/** Who checks what hosts do. */
export interface HostObserver {
  kernelChanged(host: Host, change: Change | null): void;
  pushed(host: Host, push: Push): void;
  programmed(host: Host, push: Push, reply: { programmed: number; digest: string }): void;
  repaired(host: Host, kind: string, count: number): void;
}

const reconcileMs = 2_000;
const vxlanPort = 4_789;
export const netnsPrefix = 'skein-';

const noNames: Names = {
  withdraw: () => undefined,
  prepare: () => undefined,
  announce: () => undefined,
  withdrawEndpoints: () => undefined,
  announceEndpoints: () => undefined,
  open: () => Promise.resolve(),
  openAll: () => Promise.resolve(),
  release: () => undefined,
};

export class Host implements KernelPlace {
  readonly id: string;
  readonly vtep: string;
  readonly place: Place;
  readonly kernel: SimulatedKernel;
  /** Counts starts of the machine. */
  boots = 1;
  /** Counts how often all its containers have ended at once. */
  shifts = 0;
  /** False while the machine is off. */
  isOn = true;
  programmer: Programmer | null = null;
  private swim: Swim | null = null;
  private wakeAtMs = Infinity;

  constructor(
    index: number,
    private readonly world: HostWorld,
  ) {
    this.id = `h${index}`;
    this.vtep = `192.0.2.${index}`;
    this.place = new Place(this.id, world.queue, world.random.fork(), world.onRun);
    const clock = {
      monotonicMs: () => world.queue.nowMs,
      wallMs: () => this.place.time.wallMs(),
    };
    this.kernel = new SimulatedKernel(
      world.random.fork(),
      world.kernelConditions,
      clock,
      (change) => world.observer.kernelChanged(this, change),
    );
  }

  get bootId(): string {
    return `${this.id}-boot-${this.boots}`;
  }

  get settings(): { vtep: string; vxlanPort: number; netnsPrefix: string } {
    return { vtep: this.vtep, vxlanPort, netnsPrefix };
  }

  get gossipAddress(): string {
    return `${this.vtep}:7946`;
  }

  startAgent(): void {
    if (this.place.isUp || !this.isOn) return;
    this.place.start();
    this.world.onRun();
    const { time } = this.place;
    const { hub, observer } = this.world;
    const messenger = new HubMessenger(hub, this.place, time);
    const { id: hostId, bootId } = this;
    const guard: LeaseGuard = new LeaseGuard({
      self: hostId,
      netnsPrefix,
      share: () => programmer.share,
      guard: this.kernel.guardFor(time),
      time,
      logger: silentLogger,
    });
    const programmer: Programmer = new Programmer({
      hostId,
      bootId,
      reconcileMs,
      time,
      reconciler: new Reconciler({
        self: hostId,
        settings: this.settings,
        kernel: this.kernel.doorFor(time),
        names: noNames,
        time,
        logger: silentLogger,
      }),
      onRepair: ({ kind, count }) => observer.repaired(this, kind, count),
      onProgrammed: () => guard.refresh(),
      onGuardMended: () => guard.reopen(),
      logger: silentLogger,
    });
    this.programmer = programmer;
    const program: Handler = (push: Push) => this.program(programmer, push);
    messenger.serve(programContract, program, { instance: hostId });
    this.startGossip();
    const duty = new Duty({
      messenger,
      time,
      logger: silentLogger,
      registration: () => ({
        id: hostId,
        name: `host-${hostId}`,
        vtep: this.vtep,
        gossip: this.gossipAddress,
        underlayMtu: 1_500,
        bootId,
      }),
      heartbeat: () => ({
        host: hostId,
        bootId,
        programmed: programmer.programmed.revision,
        digest: programmer.programmed.digest,
        repairs: programmer.repairs,
        opinions: this.opinions(),
      }),
      onLease: (sentAt, leaseMs) => void guard.granted(sentAt, leaseMs),
      onDismissed: () => void programmer.withdraw().catch(() => undefined),
      onRegistered: ({ peers }) => this.join(peers.map(({ gossip }) => gossip)),
    });
    duty.start();
  }

  killAgent(): void {
    this.place.crash();
    this.programmer = null;
    this.swim = null;
  }

  /** The machine goes off: what was in memory is gone, containers included. */
  powerOff(): void {
    this.killAgent();
    this.isOn = false;
    this.kernel.reboot();
  }

  powerOn(): void {
    if (this.isOn) return;
    this.isOn = true;
    this.boots += 1;
    this.startAgent();
  }

  private async program(programmer: Programmer, push: Push): Promise<unknown> {
    const { observer, answersEarly } = this.world;
    observer.pushed(this, push);
    const replying = programmer.program(push);
    if (answersEarly) {
      const { revision: programmed, digest } = push;
      const { id: host, bootId } = this;
      return { host, bootId, programmed, digest, snapshotWanted: false, faults: [] };
    }
    const reply = await replying;
    observer.programmed(this, push, reply);
    return reply;
  }

  receiveGossip(letter: Letter): void {
    const { life } = this.place;
    this.place.whenAwake(() => {
      if (life === this.place.life) {
        this.step({ kind: 'receive', now: this.world.queue.nowMs, ...letter });
      }
    });
  }

  private startGossip(): void {
    const { queue, random } = this.world;
    const meta = { bootId: this.bootId, tags: {} };
    const self = { name: this.id, address: this.gossipAddress, meta };
    this.swim = createSwim(swimConfig('local'), self, seededRandom(random.int(2 ** 32)));
    this.wakeAtMs = Infinity;
    this.step({ kind: 'start', now: queue.nowMs });
  }

  private join(addresses: readonly string[]): void {
    const known = new Set(this.swim?.members().map(({ address }) => address));
    const others = addresses.filter((each) => !known.has(each));
    const { nowMs: now } = this.world.queue;
    if (others.length > 0) this.step({ kind: 'join', now, addresses: others });
  }

  private opinions(): Opinion[] {
    const members = this.swim?.members() ?? [];
    return members
      .filter(({ name }) => name !== this.id)
      .map(({ name: host, state, incarnation }) => ({ host, state, incarnation }));
  }

  private step(input: SwimInput): void {
    if (this.swim === null) return;
    const { send } = this.swim.step(input);
    for (const { to: wanted, via: way, messages } of send) {
      const to = way === 'reply' && input.kind === 'receive' ? input.from : wanted;
      const via = way === 'datagram' ? 'datagram' : 'stream';
      const [address = ''] = to.split(':');
      const receiver = `h${address.split('.').at(-1)}`;
      this.world.gossip.send(this.id, receiver, { from: this.gossipAddress, via, messages });
    }
    this.scheduleTick();
  }

  private scheduleTick(): void {
    const { queue } = this.world;
    const wakeAtMs = this.swim?.wakeAtMs ?? Infinity;
    if (wakeAtMs >= this.wakeAtMs || wakeAtMs === Infinity) return;
    this.wakeAtMs = wakeAtMs;
    this.place.time.after(wakeAtMs - queue.nowMs, () => {
      if (this.wakeAtMs !== wakeAtMs) return;
      this.wakeAtMs = Infinity;
      if ((this.swim?.wakeAtMs ?? Infinity) <= queue.nowMs) {
        this.step({ kind: 'tick', now: queue.nowMs });
      } else this.scheduleTick();
    });
  }
}
