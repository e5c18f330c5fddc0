// SWIM members in one process, on simulated time and a lossy network, with stalls and kills. The same seed gives the same
// run. It records who declared whom dead; it must not judge whether that was right.

import {
  createSwim,
  seededRandom,
  swimFrameBytes,
  type Member,
  type Swim,
  type SwimConfig,
  type SwimEvent,
  type SwimInput,
  type SwimMessage,
} from '@skein/swim';
import { EventQueue } from '../event-queue';
import { calmNetwork, SimulatedNetwork, type NetworkConditions } from '../network';
import { Random } from '../random';

/**
 * `process`: the member does not run at all. `messages`: it runs, but nothing comes in or goes out. `sockets`: its loops block
 * in sending and receiving, as Lifeguard's experiment has it: each sends once more, late, and only suspicions run on.
 */
export type StallKind = 'process' | 'messages' | 'sockets';

interface Letter {
  readonly from: string;
  readonly via: 'datagram' | 'stream';
  readonly messages: readonly SwimMessage[];
}

interface Place {
  readonly name: string;
  readonly address: string;
  swim: Swim;
  state: 'running' | 'killed' | StallKind;
  inbox: Letter[];
  outbox: (() => void)[];
  tickAt: number;
}

export interface SwimClusterOptions {
  readonly memberCount: number;
  readonly config: SwimConfig;
  readonly seed: number;
  readonly network?: Partial<NetworkConditions>;
}

export interface ObservedEvent {
  readonly atMs: number;
  readonly observer: string;
  readonly event: SwimEvent;
}

export class SwimCluster {
  readonly queue = new EventQueue();
  readonly random: Random;
  readonly datagrams: SimulatedNetwork<Letter>;
  packetsSent = 0;
  bytesSent = 0;
  /** Incarnations that someone knew of and their owner had not taken. */
  readonly forgedIncarnations: string[] = [];
  onEvent: (observed: ObservedEvent) => void = () => undefined;
  readonly #config: SwimConfig;
  readonly #streams: SimulatedNetwork<Letter>;
  readonly #places = new Map<string, Place>();
  readonly #byAddress = new Map<string, Place>();
  /** Highest incarnation that a member itself has taken, over all its runs. */
  readonly #incarnations = new Map<string, number>();

  constructor(options: SwimClusterOptions) {
    this.#config = options.config;
    this.random = new Random(options.seed);
    const conditions = { ...calmNetwork, isOrdered: false, maxDelayMs: 3, ...options.network };
    const deliver = (to: string, letter: Letter): void => this.#arrive(to, letter);
    const streamConditions = { ...conditions, loss: 0, duplication: 0, isOrdered: true };
    this.datagrams = new SimulatedNetwork(this.queue, this.random.fork(), conditions, deliver);
    this.#streams = new SimulatedNetwork(this.queue, this.random.fork(), streamConditions, deliver);
    for (let index = 0; index < options.memberCount; index += 1) this.#add(index);
    for (const name of this.names) this.#start(name);
  }

  get names(): string[] {
    return [...this.#places.keys()];
  }

  members(name: string): readonly Member[] {
    return this.#place(name).swim.members();
  }

  localHealth(name: string): number {
    return this.#place(name).swim.localHealth;
  }

  stateOf(name: string): 'running' | 'killed' | StallKind {
    return this.#place(name).state;
  }

  run(durationMs: number): void {
    let isOver = false;
    this.queue.after(durationMs, () => {
      isOver = true;
    });
    while (!isOver) this.queue.runNext();
  }

  stall(name: string, kind: StallKind): void {
    const place = this.#place(name);
    if (place.state === 'running') place.state = kind;
  }

  /** The late tick comes first, then what lay unread, then what lay unsent: as an event loop does it. */
  resume(name: string): void {
    const place = this.#place(name);
    if (place.state === 'running' || place.state === 'killed') return;
    const wasBlocked = place.state === 'sockets';
    place.state = 'running';
    // Blocked sends go first, and whoever was blocked goes on, whether or not anything is due by now.
    if (wasBlocked) for (const send of place.outbox.splice(0)) send();
    if (wasBlocked || place.swim.wakeAtMs <= this.queue.nowMs) this.#tick(place);
    for (const letter of place.inbox.splice(0)) this.#receive(place, letter);
    for (const send of place.outbox.splice(0)) send();
    this.#schedule(place);
  }

  kill(name: string): void {
    const place = this.#place(name);
    place.state = 'killed';
    place.inbox = [];
    place.outbox = [];
  }

  /** A killed member comes back with nothing but its name and address. */
  restart(name: string): void {
    const place = this.#place(name);
    place.swim = this.#create(place.name, place.address);
    place.tickAt = Infinity;
    place.state = 'running';
    this.#start(name);
  }

  #add(index: number): void {
    const name = `m${index}`;
    const address = `10.0.${index >> 8}.${index & 255}:7946`;
    const swim = this.#create(name, address);
    const place: Place = {
      name,
      address,
      swim,
      state: 'running',
      inbox: [],
      outbox: [],
      tickAt: Infinity,
    };
    this.#places.set(name, place);
    this.#byAddress.set(address, place);
  }

  #create(name: string, address: string): Swim {
    const bootId = `${name}-at-${Math.round(this.queue.nowMs)}`;
    const random = seededRandom(this.random.int(2 ** 32));
    const self = { name, address, meta: { bootId, tags: {} } };
    return createSwim(this.#config, self, random, { isTraced: false });
  }

  #start(name: string): void {
    const now = this.queue.nowMs;
    const place = this.#place(name);
    this.#step(place, { kind: 'start', now });
    const seeds = ['m0', 'm1'].map((seed) => this.#place(seed).address);
    this.#step(place, { kind: 'join', now, addresses: seeds });
  }

  #tick(place: Place): void {
    const isBlocked = place.state === 'sockets';
    this.#step(place, { kind: 'tick', now: this.queue.nowMs, isBlocked });
  }

  #step(place: Place, input: SwimInput): void {
    const effects = place.swim.step(input);
    const { incarnation } = place.swim.self;
    const highest = this.#incarnations.get(place.name) ?? 0;
    if (incarnation > highest) this.#incarnations.set(place.name, incarnation);
    for (const event of effects.events) this.#observe(place.name, event);
    for (const send of effects.send) {
      const to = send.via === 'reply' && input.kind === 'receive' ? input.from : send.to;
      const via = send.via === 'datagram' ? 'datagram' : 'stream';
      this.#post(place, to, { from: place.address, via, messages: send.messages });
    }
    this.#schedule(place);
  }

  /** Notes incarnations that their owner never took. */
  #observe(observer: string, event: SwimEvent): void {
    if ('member' in event) {
      const highest = this.#incarnations.get(event.member.name) ?? 0;
      if (event.member.incarnation > highest) {
        this.forgedIncarnations.push(
          `${observer} knows ${event.member.name}@${event.member.incarnation}`,
        );
      }
    }
    this.onEvent({ atMs: this.queue.nowMs, observer, event });
  }

  #post(place: Place, to: string, letter: Letter): void {
    this.packetsSent += 1;
    this.bytesSent += swimFrameBytes(letter.messages);
    const receiver = this.#byAddress.get(to);
    if (receiver === undefined) return;
    const network = letter.via === 'datagram' ? this.datagrams : this.#streams;
    const send = (): void => network.send(place.name, receiver.name, letter);
    if (place.state === 'running') send();
    else place.outbox.push(send);
  }

  #arrive(to: string, letter: Letter): void {
    const place = this.#place(to);
    if (place.state === 'running') this.#receive(place, letter);
    else if (place.state !== 'killed') place.inbox.push(letter);
  }

  #receive(place: Place, letter: Letter): void {
    this.#step(place, { kind: 'receive', now: this.queue.nowMs, ...letter });
  }

  /** One pending tick a member: an earlier one replaces it, a later one is found when it fires. */
  #schedule(place: Place): void {
    const wakeAt = place.swim.wakeAtMs;
    if (wakeAt >= place.tickAt || wakeAt === Infinity) return;
    place.tickAt = wakeAt;
    this.queue.after(wakeAt - this.queue.nowMs, () => {
      if (place.tickAt !== wakeAt) return;
      place.tickAt = Infinity;
      if (place.state === 'killed' || place.state === 'process') return;
      if (place.swim.wakeAtMs <= this.queue.nowMs) this.#tick(place);
      else this.#schedule(place);
    });
  }

  #place(name: string): Place {
    const place = this.#places.get(name);
    if (place === undefined) throw new Error(`there is no ${name}`);
    return place;
  }
}
