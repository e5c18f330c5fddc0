// Clients of the simulated cluster: each has one request out at a time, numbered, and sends it again to
// whoever may lead until it is answered or its time is up. They must not know how replicas work.
import { asksForRetry, leavesOpen } from '@skein/contracts';
import type { NodeId } from '@skein/raft';
import type { Answered } from '@skein/replica';
import type { RangeReply } from '@skein/store';
import type { EventQueue } from '../event-queue';
import type { Random } from '../random';
import type { Answers, Call, Wish } from './answers';
import { drawSpell, type ClusterConditions } from './options';
import type { PlantedClusterFault } from './plants';
import type { Promises } from './promises';
import { readAt } from './read-level';
import type { ClusterReplica } from './replica';
import { Wishes } from './wishes';

const ATTEMPT_MS = 250;
const PATIENCE_MS = 1_200;
const PAUSE_MS = 20;

export interface ClientWorld {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly conditions: ClusterConditions;
  readonly planted: PlantedClusterFault | null;
  readonly answers: Answers;
  readonly promises: Promises;
  readonly replicas: () => readonly ClusterReplica[];
}

export class Clients {
  private isStopped = false;
  private readonly wishes: Wishes;

  constructor(private readonly world: ClientWorld) {
    this.wishes = new Wishes(world.random.fork(), world.conditions);
  }

  start(): void {
    for (let at = 1; at <= this.world.conditions.clients; at += 1) {
      new Client(`c${at}`, this.world, this.wishes).live(() => this.isStopped);
    }
  }

  /** Calls under way go on; no new ones begin. */
  stop(): void {
    this.isStopped = true;
  }

  /** One wish that must come true once faults have stopped. */
  callOnce(name: string, wish: Wish, to: NodeId, done: (isDone: boolean) => void): void {
    const client = new Client(name, this.world, this.wishes, to);
    client.run(wish, (call) => done(call.outcome === 'done'));
  }
}

class Client {
  private sequence = 0;

  constructor(
    private readonly name: string,
    private readonly world: ClientWorld,
    private readonly wishes: Wishes,
    private believed: NodeId | null = null,
  ) {}

  live(isOver: () => boolean): void {
    const { queue, random, conditions } = this.world;
    queue.after(drawSpell(random, conditions.meanThinkMs), () => {
      if (isOver()) return;
      this.run(this.wishes.draw(), (call) => {
        this.wishes.learned(call);
        this.live(isOver);
      });
    });
  }

  run(wish: Wish, then: (call: Call) => void): void {
    const call = this.world.answers.begin(this.name, this.numbered(wish));
    const untilMs = this.world.queue.nowMs + PATIENCE_MS;
    this.attempt(call, { untilMs, mayHaveRun: false, then });
  }

  private numbered(wish: Wish): Wish {
    if (wish.kind !== 'write') return wish;
    this.sequence += 1;
    const once = { client: this.name, sequence: this.sequence, settledBelow: this.sequence };
    return { kind: 'write', request: { ...wish.request, once } as typeof wish.request };
  }

  private attempt(call: Call, state: Attempts): void {
    const { queue, random } = this.world;
    const replica = this.choose();
    let isOver = false;
    const settle = (answered: Answered<unknown> | null): void => {
      if (isOver) return;
      isOver = true;
      if (answered !== null && this.settled(call, answered)) return state.then(call);
      const open = answered === null || (!answered.ok && leavesOpen(answered.refusal));
      const next = { ...state, mayHaveRun: state.mayHaveRun || open };
      this.believed = answered === null ? null : leaderIn(replica);
      const pauseMs = random.next() * PAUSE_MS;
      if (queue.nowMs + pauseMs >= state.untilMs) {
        this.world.answers.gaveUp(call, next.mayHaveRun);
        return state.then(call);
      }
      queue.after(pauseMs, () => this.attempt(call, next));
    };
    this.carry(() => {
      replica.whenAwake(() =>
        this.serve(replica, call.wish, (answered) => this.carry(() => settle(answered))),
      );
    });
    queue.after(ATTEMPT_MS, () => settle(null));
  }

  /** One way of a message; it may be lost. */
  private carry(arrive: () => void): void {
    const { queue, random, conditions } = this.world;
    const isLost = random.chance(conditions.clientLoss);
    const delayMs = random.next() * 3;
    if (!isLost) queue.after(delayMs, arrive);
  }

  private choose(): ClusterReplica {
    const { random, replicas } = this.world;
    const all = replicas();
    const isFaithful = random.chance(0.7);
    const named = all.find((replica) => replica.id === this.believed);
    return isFaithful && named !== undefined ? named : random.pick(all);
  }

  private serve(
    replica: ClusterReplica,
    wish: Wish,
    answer: (answered: Answered<unknown>) => void,
  ): void {
    const { planted, conditions, promises } = this.world;
    const promised = promises.expect(replica, wish.kind, answer);
    replica.call(wish.kind, (core) => {
      switch (wish.kind) {
        case 'write':
          return core.submit(this.renumbered(wish.request), promised);
        case 'keepAlive':
          return core.keepAlive(wish.lease, promised);
        case 'read': {
          const { maxStalenessMs } = conditions;
          const level = planted === 'stale-reads' ? 'stale' : wish.level;
          return readAt(core, { level, range: wish.range, maxStalenessMs }, promised);
        }
      }
    });
  }

  private renumbered(request: Extract<Wish, { kind: 'write' }>['request']): typeof request {
    if (this.world.planted !== 'retries-renumbered') return request;
    const client = `${this.name}-${this.world.answers.nextPosition()}`;
    return { ...request, once: { client, sequence: 1 } } as typeof request;
  }

  /** True when the call has its answer. */
  private settled(call: Call, answered: Answered<unknown>): boolean {
    const { answers } = this.world;
    if (!answered.ok && asksForRetry(answered.refusal)) return false;
    switch (call.wish.kind) {
      case 'write':
        answers.wrote(call, answered as Parameters<Answers['wrote']>[1]);
        return true;
      case 'keepAlive':
        if (answered.ok) answers.renewed(call, (answered.reply as { ttlMs: number }).ttlMs);
        else answers.gaveUp(call, false);
        return true;
      case 'read':
        if (answered.ok) answers.didRead(call, answered.reply as RangeReply);
        else answers.gaveUp(call, false);
        return true;
    }
  }
}

interface Attempts {
  readonly untilMs: number;
  readonly mayHaveRun: boolean;
  readonly then: (call: Call) => void;
}

function leaderIn(replica: ClusterReplica): NodeId | null {
  return replica.status?.leader ?? null;
}
