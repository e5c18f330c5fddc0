// One network's actor: drives the allocator of libs/ipam and does what it asks for – activation, reading, committing –
// one thing at a time. All decisions are the allocator's; all truth is the store's.

import { keys, SkeinError } from '@skein/contracts';
import type { ActorContext, Behavior, Reply } from '@skein/actor';
import {
  NetworkAllocator,
  networkActorKind,
  type AddressCommand,
  type AddressReply,
  type AllocatorEffect,
  type AllocatorInput,
  type BeliefEntry,
  type NetworkContent,
  type Outcome,
  type SubmittedCommand,
  type Transaction,
} from '@skein/ipam';
import { onBehalfOf } from '@skein/messaging';
import { Activation, type CallOptions, type Store } from '@skein/store-client';
import { parseValue, readAll } from './store-reading';

export type NetworkAnswer =
  | { readonly outcome: Outcome<AddressReply>; readonly revision: number }
  /** Another replica has the activation. */
  | { readonly holder: string };

export type NetworkMessage =
  | {
      readonly type: 'submit';
      readonly command: AddressCommand;
      /** On the clock of `performance.now()`. */
      readonly deadlineMs: number;
      /** Under which it stands in logs. */
      readonly requestIds: readonly string[];
      readonly reply: Reply<NetworkAnswer>;
    }
  | { readonly type: 'inspect'; readonly reply: Reply<Iterable<BeliefEntry> | null> }
  | { readonly type: 'reload'; readonly reply: Reply<null> }
  | { readonly type: 'lost'; readonly fencing: number }
  | { readonly type: 'passivate'; readonly turn: number };

export interface NetworkActorOptions {
  readonly store: Store;
  readonly networkId: string;
  readonly replica: string;
  readonly restMs: number;
  readonly activationTtlMs: number;
  /** Called when the actor takes and leaves its place: it is then reachable under its own subject. */
  readonly onActive: (isActive: boolean) => void;
}

/** One call to the store; longer than an election of its leader. */
const storeTimeoutMs = 4_000;
/** An actor that nobody asks gives its place up. */
const passivateAfterMs = 60_000;

export class NetworkActor implements Behavior<NetworkMessage> {
  private readonly allocator: NetworkAllocator;
  private readonly replies = new Map<number, Reply<NetworkAnswer>>();
  /** Requests that wait, by the ids of their replies. */
  private readonly asking = new Map<number, readonly string[]>();
  private activation: Activation | null = null;
  private nextId = 1;
  private turn = 0;
  private cancelPassivation: () => void = () => undefined;

  constructor(private readonly options: NetworkActorOptions) {
    const { networkId, restMs } = options;
    this.allocator = new NetworkAllocator({ keys, networkId, restMs });
  }

  async receiveBatch(
    messages: readonly NetworkMessage[],
    context: ActorContext<NetworkMessage>,
  ): Promise<void> {
    this.turn += 1;
    const inputs = this.inputsOf(messages);
    for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
      const now = { wallMs: Date.now(), monotonicMs: performance.now() };
      for (const effect of this.allocator.step(input, now)) {
        const result = await this.perform(effect, context);
        if (result !== null) inputs.push(result);
      }
    }
    if (this.allocator.isIdle) context.stop();
    else {
      this.cancelPassivation();
      const message = { type: 'passivate', turn: this.turn } as const;
      this.cancelPassivation = context.schedule(passivateAfterMs, message);
    }
  }

  async stopped(): Promise<void> {
    await this.release();
    for (const reply of this.replies.values()) {
      reply.reject(new SkeinError('unavailable', 'The replica is stopping'));
    }
    this.replies.clear();
    this.asking.clear();
  }

  private inputsOf(messages: readonly NetworkMessage[]): AllocatorInput[] {
    const inputs: AllocatorInput[] = [];
    const commands: SubmittedCommand[] = [];
    for (const message of messages) {
      switch (message.type) {
        case 'submit': {
          const id = this.nextId;
          this.nextId += 1;
          this.replies.set(id, message.reply);
          this.asking.set(id, message.requestIds);
          commands.push({ id, command: message.command, deadlineMs: message.deadlineMs });
          break;
        }
        case 'inspect':
          // Between two turns: nothing is half done.
          message.reply.resolve(this.allocator.beliefs && [...this.allocator.beliefs]);
          break;
        case 'reload':
          inputs.push({ type: 'reload' });
          message.reply.resolve(null);
          break;
        case 'lost':
          if (message.fencing === this.activation?.fencing) {
            this.leave();
            inputs.push({ type: 'lost' });
          }
          break;
        case 'passivate':
          if (message.turn === this.turn - 1) inputs.push({ type: 'passivate' });
          break;
      }
    }
    if (commands.length > 0) inputs.push({ type: 'submit', commands });
    return inputs;
  }

  private async perform(
    effect: AllocatorEffect,
    context: ActorContext<NetworkMessage>,
  ): Promise<AllocatorInput | null> {
    switch (effect.type) {
      case 'activate':
        return this.activate(context);
      case 'deactivate':
        await this.release();
        return { type: 'deactivated' };
      case 'load':
        return this.load();
      case 'reread':
        return this.reread(effect.keys);
      case 'commit':
        return this.commit(effect.transaction);
      case 'answer':
        this.settle(effect.id)?.resolve({ outcome: effect.outcome, revision: effect.revision });
        return null;
      case 'elsewhere':
        this.settle(effect.id)?.resolve({ holder: effect.holder });
        return null;
      case 'fail':
        this.settle(effect.id)?.reject(effect.failure);
        return null;
    }
  }

  private settle(id: number): Reply<NetworkAnswer> | undefined {
    const reply = this.replies.get(id);
    this.asking.delete(id);
    this.replies.delete(id);
    return reply;
  }

  private async activate(context: ActorContext<NetworkMessage>): Promise<AllocatorInput> {
    const { store, networkId, replica, activationTtlMs } = this.options;
    let fencing = -1;
    try {
      const taken = await Activation.take({
        store,
        kind: networkActorKind,
        id: networkId,
        replica,
        ttlMs: activationTtlMs,
        onLost: () => context.self.tell({ type: 'lost', fencing }),
      });
      if ('heldBy' in taken) return { type: 'heldElsewhere', holder: taken.heldBy };
      fencing = taken.fencing;
      this.activation = taken;
      this.options.onActive(true);
      return { type: 'activated', fence: taken.fence(), fencing };
    } catch (failure) {
      return { type: 'failed', failure };
    }
  }

  private leave(): void {
    if (this.activation === null) return;
    this.activation = null;
    this.options.onActive(false);
  }

  /** Best effort: what can't be given up now lapses. */
  private async release(): Promise<void> {
    const { activation } = this;
    this.leave();
    await activation?.release().catch(() => undefined);
  }

  private async load(): Promise<AllocatorInput> {
    const { store, networkId } = this.options;
    const options: CallOptions = { timeoutMs: storeTimeoutMs };
    const place = keys.actor(networkActorKind, networkId);
    try {
      const success = [keys.network(networkId), place].map((key) => ({
        type: 'range' as const,
        key,
      }));
      const { results, revision } = await store.txn({ success }, options);
      const [network, actor] = results.map((one) =>
        one.type === 'range' ? one.kvs[0] : undefined,
      );
      const isCurrent = actor?.createRevision === this.activation?.fencing;
      if (network === undefined) return { type: 'loaded', content: null, isCurrent };
      const [addresses, macs] = await Promise.all([
        readAll(store, { prefix: keys.addresses(networkId), revision }, options),
        readAll(store, { prefix: keys.macs(networkId), revision }, options),
      ]);
      const content: NetworkContent = {
        network: parseValue(network),
        networkRevision: network.modRevision,
        addresses: addresses.kvs,
        macs: macs.kvs,
      };
      return { type: 'loaded', content, isCurrent };
    } catch (failure) {
      return { type: 'failed', failure };
    }
  }

  /** All keys as of one moment. */
  private async reread(wanted: readonly string[]): Promise<AllocatorInput> {
    const { store } = this.options;
    try {
      const success = wanted.map((key) => ({ type: 'range' as const, key }));
      const { results } = await store.txn({ success }, { timeoutMs: storeTimeoutMs });
      const found = results.flatMap((one) => (one.type === 'range' ? one.kvs : []));
      return { type: 'reread', found };
    } catch (failure) {
      return { type: 'failed', failure };
    }
  }

  private async commit({ compare, success }: Transaction): Promise<AllocatorInput> {
    const request = { compare: [...compare], success: [...success], failure: [] };
    try {
      const onBehalf = onBehalfOf([...this.asking.values()].flat());
      const reply = await this.options.store.txn(request, { timeoutMs: storeTimeoutMs, onBehalf });
      if (!reply.succeeded) return { type: 'rejected' };
      return { type: 'committed', revision: reply.revision };
    } catch {
      return { type: 'unknownOutcome' };
    }
  }
}
