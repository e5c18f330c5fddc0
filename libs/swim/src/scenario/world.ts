// A small deterministic world for scenarios: members in one process, a network of one millisecond, and a record of what
// they do. Names that were never started are ghosts: they can be told about, but do not answer. Tests only.

import type { SwimConfig } from '../config';
import type { SwimEffects, SwimInput, SwimSend } from '../contract';
import type { SwimMessage } from '../message';
import { seededRandom } from '../random';
import { createSwim, type Swim } from '../swim';
import { printEvent, printMember, printMessage, printTrace } from './print';

interface Actor {
  readonly swim: Swim;
  state: 'running' | 'paused' | 'killed';
  readonly inbox: SwimInput[];
}

interface Delivery {
  readonly at: number;
  readonly order: number;
  readonly from: string;
  readonly to: string;
  readonly via: SwimSend['via'];
  readonly messages: readonly SwimMessage[];
}

export type Shown = 'packets' | 'events' | 'trace';

const latencyMs = 1;

export class ScenarioWorld {
  now = 0;
  readonly lines: string[] = [];
  shown: ReadonlySet<Shown> = new Set<Shown>(['events']);
  watched: ReadonlySet<string> | null = null;
  readonly #config: SwimConfig;
  readonly #names: string[] = [];
  readonly #actors = new Map<string, Actor>();
  readonly #cuts = new Set<string>();
  #deliveries: Delivery[] = [];
  #order = 0;

  constructor(config: SwimConfig) {
    this.#config = config;
  }

  start(name: string, address = this.addressOf(name)): void {
    const self = { name, address, meta: { bootId: `boot-${this.#order}`, tags: {} } };
    const seed = this.#names.indexOf(name) + 1;
    const swim = createSwim(this.#config, self, seededRandom(seed));
    this.#actors.set(name, { swim, state: 'running', inbox: [] });
    this.input(name, { kind: 'start', now: this.now });
  }

  stop(name: string, state: 'paused' | 'killed'): void {
    this.#actor(name).state = state;
  }

  /** What arrived meanwhile is read after the late tick, as an event loop does it. */
  resume(name: string): void {
    const actor = this.#actor(name);
    actor.state = 'running';
    if (actor.swim.wakeAtMs <= this.now) this.input(name, { kind: 'tick', now: this.now });
    for (const input of actor.inbox.splice(0)) this.input(name, { ...input, now: this.now });
  }

  /** `way` is a directed pair and a medium: `a>b datagram`. */
  cut(ways: readonly string[]): void {
    for (const way of ways) this.#cuts.add(way);
  }

  heal(): void {
    this.#cuts.clear();
  }

  input(name: string, input: SwimInput): void {
    const effects = this.#actor(name).swim.step(input);
    const replyTo = input.kind === 'receive' ? input.from : '';
    this.#record(name, effects);
    for (const send of effects.send) {
      const to = this.nameOf(send.via === 'reply' ? replyTo : send.to);
      this.#deliver(name, to, send);
    }
  }

  tell(name: string, from: string, messages: readonly SwimMessage[]): void {
    const via = messages.some((message) => message.kind === 'pushPull') ? 'stream' : 'datagram';
    this.input(name, { kind: 'receive', now: this.now, from: this.addressOf(from), via, messages });
  }

  run(durationMs: number): void {
    const until = this.now + durationMs;
    for (;;) {
      const dueAt = Math.min(this.#nextDelivery()?.at ?? Infinity, this.#nextTick().at);
      if (dueAt > until) break;
      this.now = Math.max(this.now, dueAt);
      this.#runDue();
    }
    this.now = until;
  }

  members(name: string): void {
    const members = [...this.#actor(name).swim.members()];
    members.sort((left, right) => (left.name < right.name ? -1 : 1));
    this.lines.push(`${name}: ${members.map(printMember).join(', ')}`);
  }

  addressOf(name: string): string {
    if (!this.#names.includes(name)) this.#names.push(name);
    return `10.0.0.${this.#names.indexOf(name) + 1}:7946`;
  }

  nameOf(address: string): string {
    const host = /^10\.0\.0\.(\d+):7946$/.exec(address)?.[1];
    return this.#names[Number(host) - 1] ?? address;
  }

  #runDue(): void {
    const delivery = this.#nextDelivery();
    if (delivery !== undefined && delivery.at <= this.now) {
      this.#deliveries = this.#deliveries.filter((other) => other !== delivery);
      return this.#arrive(delivery);
    }
    const { name } = this.#nextTick();
    if (name !== null) this.input(name, { kind: 'tick', now: this.now });
  }

  #deliver(from: string, to: string, send: SwimSend): void {
    const medium = send.via === 'datagram' ? 'datagram' : 'stream';
    if (this.#cuts.has(`${from}>${to} ${medium}`)) return;
    this.#order += 1;
    const { via, messages } = send;
    this.#deliveries.push({
      at: this.now + latencyMs,
      order: this.#order,
      from,
      to,
      via,
      messages,
    });
  }

  #arrive(delivery: Delivery): void {
    const actor = this.#actors.get(delivery.to);
    if (actor === undefined || actor.state === 'killed') return;
    const via = delivery.via === 'datagram' ? 'datagram' : 'stream';
    const { messages } = delivery;
    const from = this.addressOf(delivery.from);
    const input: SwimInput = { kind: 'receive', now: this.now, from, via, messages };
    if (actor.state === 'paused') actor.inbox.push(input);
    else this.input(delivery.to, input);
  }

  #nextDelivery(): Delivery | undefined {
    return this.#deliveries.reduce<Delivery | undefined>((first, next) => {
      return first === undefined || next.at < first.at ? next : first;
    }, undefined);
  }

  #nextTick(): { name: string | null; at: number } {
    let next: { name: string | null; at: number } = { name: null, at: Infinity };
    for (const [name, actor] of this.#actors) {
      const at = actor.swim.wakeAtMs;
      if (actor.state === 'running' && at < next.at) next = { name, at };
    }
    return next;
  }

  #actor(name: string): Actor {
    const actor = this.#actors.get(name);
    if (actor === undefined) throw new Error(`${name} was not started`);
    return actor;
  }

  #record(name: string, effects: SwimEffects): void {
    if (this.watched !== null && !this.watched.has(name)) return;
    const say = (mark: string, text: string): void => {
      this.lines.push(`${Math.round(this.now).toString().padStart(6)} ${name} ${mark} ${text}`);
    };
    if (this.shown.has('trace')) for (const entry of effects.trace) say('.', printTrace(entry));
    if (this.shown.has('events')) for (const event of effects.events) say('!', printEvent(event));
    if (!this.shown.has('packets')) return;
    const arrows = { datagram: '>', stream: '>>', reply: '<<' };
    for (const { to, via, messages } of effects.send) {
      say(arrows[via], `${this.nameOf(to)} ${messages.map(printMessage).join(' + ')}`);
    }
  }
}
