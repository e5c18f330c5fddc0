// One replica of the address service: drives the real allocator of each network over the real store client, with activation by
// lease, as the service's actors do. It must not know what faults there are.

import {
  actorAllocateContract,
  actorReleaseContract,
  allocateContract,
  keys,
  releaseContract,
  SkeinError,
  type AllocationRequest,
  type Contract,
} from '@skein/contracts';
import {
  NetworkAllocator,
  networkActorKind,
  type AddressCommand,
  type AddressReply,
  type AllocatorEffect,
  type AllocatorInput,
  type NetworkRecord,
  type Outcome,
  type SubmittedCommand,
  type Transaction,
} from '@skein/ipam';
import type { RequestContext } from '@skein/messaging';
import { Activation, type Store } from '@skein/store-client';
import { elapsed, type Time } from '@skein/time';
import type { FencedCommit } from './checkers/activations';
import type { Handler, HubMessenger } from './hub';

export interface IpamOptions {
  readonly name: string;
  readonly store: Store;
  readonly messenger: HubMessenger;
  readonly time: Time;
  readonly restMs: number;
  readonly ttlMs: number;
  /** Where a planted fault changes what is committed. */
  readonly alter: (transaction: Transaction) => Transaction;
  readonly onCommitted: (commit: FencedCommit) => void;
}

type Answer =
  | { readonly outcome: Outcome<AddressReply>; readonly revision: number }
  | { readonly holder: string };

interface Settler {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (thrown: unknown) => void;
}

const storeTimeoutMs = 4_000;
const lookAgainMs = 100;
const forwardTimeoutMs = 1_000;

export class IpamReplica {
  private readonly actors = new Map<string, NetworkActor>();

  constructor(private readonly options: IpamOptions) {}

  start(): void {
    const { messenger } = this.options;
    const allocate: Handler = (request: AllocateRequest, context) =>
      this.route(request.network, allocateOf(request, context), context);
    const release: Handler = (request: ReleaseRequest, context) =>
      this.route(request.network, releaseOf(request, context), context);
    messenger.serve(allocateContract, allocate);
    messenger.serve(releaseContract, release);
  }

  /** To wherever the actor is: at another replica, or here. */
  private async route(
    network: string,
    command: AddressCommand,
    context: RequestContext,
  ): Promise<unknown> {
    const { time } = this.options;
    for (;;) {
      if (this.actors.get(network)?.isActive !== true) {
        const reply = await this.forward(network, command, context);
        if (reply !== null) return reply;
      }
      const answer = await this.actor(network).submit(command, context);
      if ('outcome' in answer) return wireReply(answer);
      const { deadline } = context;
      if (deadline.remainingMs() <= lookAgainMs) {
        throw new SkeinError('deadline_exceeded', 'The actor did not answer in time');
      }
      await elapsed(time, lookAgainMs);
    }
  }

  private async forward(
    instance: string,
    command: AddressCommand,
    context: RequestContext,
  ): Promise<unknown> {
    const { messenger } = this.options;
    const contract: Contract =
      command.kind === 'allocate' ? actorAllocateContract : actorReleaseContract;
    const body =
      command.kind === 'allocate'
        ? { network: instance, requests: [...command.requests] }
        : { network: instance, endpointIds: [...command.endpointIds] };
    try {
      const options = { instance, context, timeoutMs: forwardTimeoutMs };
      return await messenger.request(contract, body, options);
    } catch (thrown) {
      const { code } = SkeinError.from(thrown);
      if (code === 'unavailable' || code === 'fenced' || code === 'deadline_exceeded') return null;
      throw thrown;
    }
  }

  private actor(networkId: string): NetworkActor {
    const known = this.actors.get(networkId);
    if (known !== undefined) return known;
    const made = new NetworkActor(networkId, this.options);
    this.actors.set(networkId, made);
    return made;
  }
}

/** One network's actor: one thing at a time. */
class NetworkActor {
  private readonly allocator: NetworkAllocator;
  private readonly settlers = new Map<number, Settler>();
  private readonly inputs: AllocatorInput[] = [];
  private inbox: SubmittedCommand[] = [];
  private activation: Activation | null = null;
  private closes: (() => void)[] = [];
  private isBusy = false;
  private nextId = 1;

  constructor(
    private readonly networkId: string,
    private readonly options: IpamOptions,
  ) {
    const { restMs } = options;
    this.allocator = new NetworkAllocator({ keys, networkId, restMs });
  }

  get isActive(): boolean {
    return this.activation !== null;
  }

  submit(command: AddressCommand, { deadline }: RequestContext): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const id = this.nextId;
      this.nextId += 1;
      this.settlers.set(id, { resolve, reject });
      const deadlineMs = this.options.time.monotonicMs() + deadline.remainingMs();
      this.inbox.push({ id, command, deadlineMs });
      void this.run();
    });
  }

  private async run(): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    const { time } = this.options;
    for (;;) {
      const commands = this.inputs.length === 0 ? this.inbox.splice(0) : [];
      if (commands.length > 0) this.inputs.push({ type: 'submit', commands });
      const input = this.inputs.shift();
      if (input === undefined) break;
      const now = { wallMs: time.wallMs(), monotonicMs: time.monotonicMs() };
      for (const effect of this.allocator.step(input, now)) {
        const result = await this.perform(effect);
        if (result !== null) this.inputs.push(result);
      }
    }
    this.isBusy = false;
  }

  private async perform(effect: AllocatorEffect): Promise<AllocatorInput | null> {
    switch (effect.type) {
      case 'activate':
        return this.activate();
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
        this.settler(effect.id)?.resolve({ outcome: effect.outcome, revision: effect.revision });
        return null;
      case 'elsewhere':
        this.settler(effect.id)?.resolve({ holder: effect.holder });
        return null;
      case 'fail':
        this.settler(effect.id)?.reject(effect.failure);
        return null;
    }
  }

  private settler(id: number): Settler | undefined {
    const found = this.settlers.get(id);
    this.settlers.delete(id);
    return found;
  }

  private async activate(): Promise<AllocatorInput> {
    const { store, time, name: replica, ttlMs } = this.options;
    let fencing = -1;
    try {
      const taken = await Activation.take({
        store,
        time,
        kind: networkActorKind,
        id: this.networkId,
        replica,
        ttlMs,
        onLost: () => this.lost(fencing),
      });
      if ('heldBy' in taken) return { type: 'heldElsewhere', holder: taken.heldBy };
      fencing = taken.fencing;
      this.activation = taken;
      this.serve();
      return { type: 'activated', fence: taken.fence(), fencing };
    } catch (failure) {
      return { type: 'failed', failure };
    }
  }

  private serve(): void {
    const { messenger } = this.options;
    const here = async (command: AddressCommand, context: RequestContext): Promise<unknown> => {
      const answer = await this.submit(command, context);
      if ('outcome' in answer) return wireReply(answer);
      throw new SkeinError('fenced', 'The actor has moved');
    };
    const allocate: Handler = (request: AllocateRequest, context) =>
      here(allocateOf(request, context), context);
    const release: Handler = (request: ReleaseRequest, context) =>
      here(releaseOf(request, context), context);
    const options = { instance: this.networkId };
    this.closes.push(messenger.serve(actorAllocateContract, allocate, options));
    this.closes.push(messenger.serve(actorReleaseContract, release, options));
  }

  private leave(): void {
    this.activation = null;
    for (const close of this.closes.splice(0)) close();
  }

  private lost(fencing: number): void {
    if (this.activation?.fencing !== fencing) return;
    this.leave();
    this.inputs.push({ type: 'lost' });
    void this.run();
  }

  private async release(): Promise<void> {
    const { activation } = this;
    this.leave();
    await activation?.release().catch(() => undefined);
  }

  private async load(): Promise<AllocatorInput> {
    const { store } = this.options;
    const options = { timeoutMs: storeTimeoutMs };
    try {
      const wanted = [keys.network(this.networkId), keys.actor(networkActorKind, this.networkId)];
      const success = wanted.map((key) => ({ type: 'range' as const, key }));
      const { results, revision } = await store.txn({ success }, options);
      const [network, actor] = results.map((one) =>
        one.type === 'range' ? one.kvs[0] : undefined,
      );
      const isCurrent = actor?.createRevision === this.activation?.fencing;
      if (network === undefined) return { type: 'loaded', content: null, isCurrent };
      const read = (key: string) => store.range({ key, prefix: true, revision }, options);
      const addresses = await read(keys.addresses(this.networkId));
      const macs = await read(keys.macs(this.networkId));
      const content = {
        network: JSON.parse(network.value) as NetworkRecord,
        networkRevision: network.modRevision,
        addresses: addresses.kvs,
        macs: macs.kvs,
      };
      return { type: 'loaded', content, isCurrent };
    } catch (failure) {
      return { type: 'failed', failure };
    }
  }

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

  private async commit(transaction: Transaction): Promise<AllocatorInput> {
    const { store, alter, onCommitted } = this.options;
    const { compare, success } = alter(transaction);
    const key = keys.actor(networkActorKind, this.networkId);
    const fencing = Number(transaction.compare.find((each) => each.key === key)?.value);
    const request = { compare: [...compare], success: [...success], failure: [] };
    try {
      const reply = await store.txn(request, { timeoutMs: storeTimeoutMs });
      if (!reply.succeeded) return { type: 'rejected' };
      if (success.length > 0) {
        onCommitted({ key, fencing, revision: reply.revision });
      }
      return { type: 'committed', revision: reply.revision };
    } catch {
      return { type: 'unknownOutcome' };
    }
  }
}

interface AllocateRequest {
  readonly network: string;
  readonly requests: AllocationRequest[];
}
interface ReleaseRequest {
  readonly network: string;
  readonly endpointIds: string[];
}

function allocateOf({ requests }: AllocateRequest, { requestId }: RequestContext): AddressCommand {
  return { kind: 'allocate', requests, cause: { request: requestId, at: 0 } };
}

function releaseOf({ endpointIds }: ReleaseRequest, { requestId }: RequestContext): AddressCommand {
  return { kind: 'release', endpointIds, cause: { request: requestId, at: 0 } };
}

function wireReply({ outcome, revision }: Extract<Answer, { outcome: unknown }>): unknown {
  if (!outcome.ok) {
    const { code, message, ...rest } = outcome.refusal;
    throw new SkeinError(code, message, rest as object);
  }
  const { reply } = outcome;
  return reply.kind === 'allocate'
    ? { allocations: reply.allocations, revision }
    : { released: reply.released, revision };
}
