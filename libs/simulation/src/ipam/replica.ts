// One ipam replica: drives the real NetworkAllocator as the app does – activation by lease, load, commit, one at a time – but
// may be paused at any moment, believing afterwards what it believed before, or crash and forget everything.

import { keys } from '@skein/contracts';
import {
  NetworkAllocator,
  networkActorKind,
  type AddressCommand,
  type AllocatorEffect,
  type AllocatorInput,
  type NetworkRecord,
  type SubmittedCommand,
  type Transaction,
} from '@skein/ipam';
import type { Outcome, StoreReply, StoreRequest } from '@skein/store';
import type { EventQueue } from '../event-queue';
import type { SimulatedStore } from './simulated-store';

export interface Answer {
  readonly kind: 'accepted' | 'refused' | 'elsewhere' | 'failed';
  readonly holder?: string;
  readonly code?: string;
  readonly allocations?: readonly {
    endpointId: string;
    addresses: readonly string[];
    mac: string;
  }[];
}

export interface Parcel {
  readonly command: AddressCommand;
  readonly deadlineMs: number;
  readonly answer: (answer: Answer) => void;
}

export interface ReplicaOptions {
  readonly name: string;
  readonly networkId: string;
  readonly queue: EventQueue;
  readonly store: SimulatedStore;
  readonly restMs: number;
  readonly ttlMs: number;
  /** Where a planted fault changes what is committed. */
  readonly alter: (transaction: Transaction) => Transaction;
}

const callTimeoutMs = 600;
const resendAfterMs = 200;

interface Place {
  readonly lease: string;
  readonly fencing: number;
  validUntilMs: number;
}

export class Replica {
  isDown = false;
  isPaused = false;
  /** How far its wall clock is from the true time. */
  clockErrorMs = 0;
  private incarnation = 0;
  private sequence = 0;
  private allocator: NetworkAllocator;
  private place: Place | null = null;
  private isBusy = false;
  private inbox: SubmittedCommand[] = [];
  private inputs: AllocatorInput[] = [];
  private readonly answers = new Map<number, Parcel['answer']>();
  private nextId = 1;
  private arrived: (() => void)[] = [];
  private backlog: (() => void)[] = [];

  constructor(private readonly options: ReplicaOptions) {
    this.allocator = this.makeAllocator();
  }

  get name(): string {
    return this.options.name;
  }

  get believesActive(): boolean {
    return this.place !== null;
  }

  receive(parcel: Parcel): void {
    if (this.isDown) return;
    this.whenAwake(() => {
      // As libs/messaging does: what arrives too late is not even looked at.
      if (parcel.deadlineMs <= this.options.queue.nowMs) return;
      const id = this.nextId;
      this.nextId += 1;
      this.answers.set(id, parcel.answer);
      this.inbox.push({ id, command: parcel.command, deadlineMs: parcel.deadlineMs });
      this.run();
    }, this.arrived);
  }

  crash(): void {
    this.isDown = true;
    this.isPaused = false;
    this.incarnation += 1;
    this.place = null;
    this.isBusy = false;
    this.inbox = [];
    this.inputs = [];
    this.arrived = [];
    this.backlog = [];
    this.answers.clear();
    this.sequence = 0;
    this.allocator = this.makeAllocator();
  }

  restart(): void {
    this.isDown = false;
  }

  resume(): void {
    this.isPaused = false;
    // What arrived is looked at before the timers that ran out: it meets a replica that knows nothing of its pause.
    for (const run of this.arrived.splice(0)) run();
    for (const run of this.backlog.splice(0)) run();
  }

  private makeAllocator(): NetworkAllocator {
    const { networkId, restMs } = this.options;
    return new NetworkAllocator({ keys, networkId, restMs });
  }

  /** Runs now, at the end of a pause, or never if the replica crashes before. */
  private whenAwake(run: () => void, backlog = this.backlog): void {
    if (this.isPaused) backlog.push(run);
    else run();
  }

  private later(delayMs: number, run: () => void): void {
    const { incarnation } = this;
    this.options.queue.after(delayMs, () => {
      if (this.incarnation !== incarnation) return;
      this.whenAwake(() => {
        if (this.incarnation === incarnation) run();
      });
    });
  }

  /** One effect at a time, as an actor's turn awaits each; commands that come meanwhile wait together. */
  private run(): void {
    while (!this.isBusy) {
      const commands = this.inputs.length === 0 ? this.inbox.splice(0) : [];
      if (commands.length > 0) this.inputs.push({ type: 'submit', commands });
      const input = this.inputs.shift();
      if (input === undefined) return;
      const now = Math.floor(this.options.queue.nowMs);
      const effects = this.allocator.step(input, {
        wallMs: Math.max(0, now + this.clockErrorMs),
        monotonicMs: now,
      });
      for (const effect of effects) this.perform(effect);
    }
  }

  private finish(input: AllocatorInput): void {
    this.isBusy = false;
    this.inputs.push(input);
    this.run();
  }

  private perform(effect: AllocatorEffect): void {
    switch (effect.type) {
      case 'activate':
        this.isBusy = true;
        return this.activate();
      case 'deactivate':
        this.isBusy = true;
        return this.deactivate();
      case 'load':
        this.isBusy = true;
        return this.load();
      case 'reread':
        this.isBusy = true;
        return this.reread(effect.keys);
      case 'commit':
        this.isBusy = true;
        return this.commit(effect.transaction);
      case 'answer':
        return this.settle(
          effect.id,
          effect.outcome.ok
            ? {
                kind: 'accepted',
                ...(effect.outcome.reply.kind === 'allocate'
                  ? { allocations: effect.outcome.reply.allocations }
                  : {}),
              }
            : { kind: 'refused', code: effect.outcome.refusal.code },
        );
      case 'elsewhere':
        return this.settle(effect.id, { kind: 'elsewhere', holder: effect.holder });
      case 'fail':
        return this.settle(effect.id, { kind: 'failed' });
    }
  }

  private settle(id: number, answer: Answer): void {
    this.answers.get(id)?.(answer);
    this.answers.delete(id);
  }

  /** Sends until answered or out of time; undefined means that nobody knows. */
  private call<Reply>(run: () => Reply, done: (reply: Reply | undefined) => void): void {
    let isDone = false;
    const { incarnation } = this;
    const once = (reply: Reply | undefined): void => {
      if (isDone || this.incarnation !== incarnation) return;
      this.whenAwake(() => {
        if (isDone || this.incarnation !== incarnation) return;
        isDone = true;
        done(reply);
      });
    };
    const send = (): void => {
      if (!isDone) this.options.store.carry(run, once);
    };
    for (let atMs = 0; atMs < callTimeoutMs; atMs += resendAfterMs) this.later(atMs, send);
    this.later(callTimeoutMs, () => once(undefined));
  }

  /** A write is applied once, however often it is sent. */
  private write(
    request: StoreRequest,
    done: (reply: Outcome<StoreReply> | undefined) => void,
  ): void {
    this.sequence += 1;
    const client = `${this.name}-${this.incarnation}`;
    const once = { client, sequence: this.sequence };
    this.call(() => this.options.store.apply({ ...request, once } as StoreRequest), done);
  }

  private activate(): void {
    const { store, ttlMs, name, networkId, queue } = this.options;
    const askedMs = queue.nowMs;
    this.write({ type: 'grantLease', ttlMs }, (granted) => {
      if (granted?.ok !== true || !('lease' in granted.reply)) return this.failed();
      const { lease } = granted.reply;
      const key = keys.actor(networkActorKind, networkId);
      const request: StoreRequest = {
        type: 'txn',
        compare: [{ key, target: 'createRevision', operator: '=', value: 0 }],
        success: [{ type: 'put', key, value: JSON.stringify({ replica: name }), lease }],
        failure: [{ type: 'range', key }],
      };
      this.write(request, (taken) => {
        if (taken?.ok !== true || !('succeeded' in taken.reply)) return this.failed();
        const { succeeded, revision, results } = taken.reply;
        if (!succeeded) {
          const [found] = results;
          const value = found?.type === 'range' ? found.kvs[0]?.value : undefined;
          const { replica = '' } = JSON.parse(value ?? '{}') as { replica?: string };
          store.carry(
            () => store.apply({ type: 'revokeLease', lease }),
            () => undefined,
          );
          return this.finish({ type: 'heldElsewhere', holder: replica });
        }
        this.place = { lease, fencing: revision, validUntilMs: askedMs + ttlMs };
        this.renewLater(this.place);
        const fence = { key, target: 'createRevision', operator: '=', value: revision } as const;
        this.finish({ type: 'activated', fence, fencing: revision });
      });
    });
  }

  private failed(): void {
    this.finish({ type: 'failed', failure: 'the store did not answer' });
  }

  /** As the store client's Activation: it is lost when the store says so, or when no renewal came through in time. */
  private renewLater(place: Place): void {
    const { ttlMs, store, queue } = this.options;
    this.later(ttlMs / 3, () => {
      if (this.place !== place) return;
      const askedMs = queue.nowMs;
      let isAnswered = false;
      store.carry(
        () => store.keepAlive(place.lease, ttlMs),
        (isKept) =>
          this.later(0, () => {
            isAnswered = true;
            if (!isKept) return this.lose(place);
            place.validUntilMs = askedMs + ttlMs;
          }),
      );
      this.later(ttlMs / 3, () => {
        if (!isAnswered && queue.nowMs >= place.validUntilMs) this.lose(place);
      });
      this.renewLater(place);
    });
  }

  private lose(place: Place): void {
    if (this.place !== place) return;
    this.place = null;
    this.inputs.push({ type: 'lost' });
    this.run();
  }

  private deactivate(): void {
    const { place } = this;
    this.place = null;
    const done = (): void => this.finish({ type: 'deactivated' });
    if (place === null) this.later(0, done);
    else this.write({ type: 'revokeLease', lease: place.lease }, done);
  }

  private load(): void {
    const { store, networkId } = this.options;
    const run = () => {
      const [actor] = store.read(keys.actor(networkActorKind, networkId));
      const [network] = store.read(keys.network(networkId));
      return {
        createRevision: actor?.createRevision,
        networkRevision: network?.modRevision ?? 0,
        network: network === undefined ? null : (JSON.parse(network.value) as NetworkRecord),
        addresses: store.read(keys.addresses(networkId)),
        macs: store.read(keys.macs(networkId)),
      };
    };
    this.call(run, (reply) => {
      if (reply === undefined) return this.failed();
      const { network, networkRevision, addresses, macs, createRevision } = reply;
      const content = network && { network, networkRevision, addresses, macs };
      const isCurrent = createRevision === this.place?.fencing;
      this.finish({ type: 'loaded', content, isCurrent });
    });
  }

  private reread(wanted: readonly string[]): void {
    const { store } = this.options;
    const run = () => wanted.flatMap((key) => store.read(key).filter((kv) => kv.key === key));
    this.call(run, (found) => {
      if (found === undefined) this.failed();
      else this.finish({ type: 'reread', found });
    });
  }

  private commit(transaction: Transaction): void {
    const { compare, success } = this.options.alter(transaction);
    this.write({ type: 'txn', compare, success, failure: [] }, (reply) => {
      if (reply?.ok !== true || !('succeeded' in reply.reply)) {
        return this.finish({ type: 'unknownOutcome' });
      }
      const { succeeded, revision } = reply.reply;
      this.finish(succeeded ? { type: 'committed', revision } : { type: 'rejected' });
    });
  }
}
