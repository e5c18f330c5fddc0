// The store as a service reaches it: through whichever replica leads. Every write carries a number, so that it can be sent again
// until it is answered and is done once all the same. Watches go on across leaders.

import {
  batchedContracts,
  type BatchedType,
  closeWatchContract,
  grantLeaseContract,
  keepAliveContract,
  leaderChangedEvent,
  leasesContract,
  revokeLeaseContract,
  subjectPrefix,
  watchContract,
  type Contract,
  type KeyValue,
  type ReplyOf,
  type RequestOf,
} from '@skein/contracts';
import { Deadline, type Messenger, type OnBehalfOf, type Subscription } from '@skein/messaging';
import { systemTime, type Time } from '@skein/time';
import { Batcher, type BatcherPorts } from './batcher';
import { OnceNumbers, type Once } from './once-numbers';
import { callWithRetry, LeaderSignal } from './retry';
import type {
  CallOptions,
  DeleteRequest,
  GrantLeaseRequest,
  PutRequest,
  RangeRequest,
  Store,
  TransactionRequest,
  Watch,
  WatchRequest,
} from './store';
import { ClientWatch } from './watch-client';

export interface StoreClientOptions {
  /** Default 5 s. */
  readonly timeoutMs?: number;
  /** False: each call is a message of its own. Default: calls of one turn share one. */
  readonly batching?: boolean;
  /** Default: the machine's. Batching takes the machine's in any case. */
  readonly time?: Time;
  /** In [0, 1): spreads the attempts of many callers. Default: the machine's. */
  readonly chance?: () => number;
  /** Unique for all time, since the store knows its writes by it. Default: a random one. */
  readonly clientId?: string;
}

export type StoreMessenger = Pick<Messenger, 'request' | 'subscribeEvent' | 'subscribeBytes'>;

const defaultTimeoutMs = 5_000;
/** An opening is short: it is repeated by the watch itself. */
const openTimeoutMs = 1_000;

type Batched<T extends BatchedType> = RequestOf<(typeof batchedContracts)[T]>;

export class StoreClient implements Store {
  private readonly clientId: string;
  private readonly once: OnceNumbers;
  private readonly time: Time;
  private readonly chance: () => number;
  private readonly signal = new LeaderSignal();
  private readonly batchers: { readonly reads: Batcher; readonly writes: Batcher } | null;
  private readonly watches = new Set<ClientWatch>();
  private readonly subscription: Subscription;
  private watchCount = 0;

  constructor(
    private readonly messenger: StoreMessenger,
    private readonly options: StoreClientOptions = {},
  ) {
    this.clientId = options.clientId ?? crypto.randomUUID();
    this.once = new OnceNumbers(this.clientId);
    this.time = options.time ?? systemTime;
    this.chance = options.chance ?? Math.random;
    const ports: BatcherPorts = {
      request: (contract, body, deadline, onBehalf) =>
        messenger.request(contract, body, { deadline, ...onBehalf }),
    };
    this.batchers =
      options.batching === false
        ? null
        : { reads: new Batcher(ports, false), writes: new Batcher(ports, true) };
    this.subscription = messenger.subscribeEvent(leaderChangedEvent, ({ leaderId }) => {
      if (leaderId === null) return;
      this.batchers?.reads.leaderChanged();
      this.batchers?.writes.leaderChanged();
      this.signal.raise();
    });
  }

  static connect(messenger: StoreMessenger, options: StoreClientOptions = {}): StoreClient {
    return new StoreClient(messenger, options);
  }

  async get(key: string, options?: CallOptions): Promise<KeyValue | undefined> {
    return (await this.range({ key }, options)).kvs[0];
  }

  range(request: RangeRequest, options: CallOptions = {}) {
    return this.batchable('range', request, this.deadlineOf(options), options, false);
  }

  put(request: PutRequest, options?: CallOptions) {
    return this.batchableWrite('put', (once) => ({ ...request, once }), options);
  }

  delete(request: DeleteRequest, options?: CallOptions) {
    return this.batchableWrite('delete', (once) => ({ ...request, once }), options);
  }

  txn(request: TransactionRequest, options?: CallOptions) {
    return this.batchableWrite('txn', (once) => ({ ...request, once }), options);
  }

  grantLease(request: GrantLeaseRequest, options?: CallOptions) {
    return this.write(grantLeaseContract, (once) => ({ ...request, once }), options);
  }

  keepAlive(lease: string, options?: CallOptions) {
    return this.read(keepAliveContract, { lease }, options);
  }

  revokeLease(lease: string, options?: CallOptions) {
    return this.write(revokeLeaseContract, (once) => ({ lease, once }), options);
  }

  leases(options?: CallOptions) {
    return this.read(leasesContract, {}, options);
  }

  watch(request: WatchRequest): Watch {
    this.watchCount += 1;
    const id = `${this.clientId}-${this.watchCount}`;
    const watch: ClientWatch = new ClientWatch(request, {
      messenger: this.messenger,
      time: this.time,
      signal: this.signal,
      id,
      deliver: `${subjectPrefix}.watch.${this.clientId}.${this.watchCount}`,
      open: (opening) => this.read(watchContract, opening, { timeoutMs: openTimeoutMs }),
      close: (open) => this.closeWatch(open),
      onClosed: () => this.watches.delete(watch),
    });
    this.watches.add(watch);
    return watch;
  }

  /** Ends its watches; calls under way still end by themselves. */
  close(): void {
    for (const watch of [...this.watches]) watch.close();
    this.subscription.unsubscribe();
  }

  private closeWatch(watch: string): void {
    // Best effort: what is not renewed ends by itself.
    this.messenger
      .request(closeWatchContract, { watch }, { timeoutMs: 500 })
      .catch(() => undefined);
  }

  private read<C extends Contract>(
    contract: C,
    request: RequestOf<C>,
    options: CallOptions = {},
  ): Promise<ReplyOf<C>> {
    return this.call(contract, request, this.deadlineOf(options), options, false);
  }

  private write<C extends Contract>(
    contract: C,
    requestFor: (once: Once) => RequestOf<C>,
    options: CallOptions = {},
  ): Promise<ReplyOf<C>> {
    const deadline = this.deadlineOf(options);
    return this.once.run((once) => this.call(contract, requestFor(once), deadline, options, true));
  }

  private batchableWrite<T extends BatchedType>(
    type: T,
    requestFor: (once: Once) => Batched<T>,
    options: CallOptions = {},
  ): Promise<ReplyOf<(typeof batchedContracts)[T]>> {
    const deadline = this.deadlineOf(options);
    return this.once.run((once) => this.batchable(type, requestFor(once), deadline, options, true));
  }

  private batchable<T extends BatchedType>(
    type: T,
    request: Batched<T>,
    deadline: Deadline,
    options: CallOptions,
    isWrite: boolean,
  ): Promise<ReplyOf<(typeof batchedContracts)[T]>> {
    const batcher = isWrite ? this.batchers?.writes : this.batchers?.reads;
    if (batcher === undefined) {
      return this.call(batchedContracts[type], request, deadline, options, isWrite);
    }
    const onBehalf = behalfOf(options);
    return callWithRetry({
      send: (attemptDeadline) => batcher.send(type, request, attemptDeadline, onBehalf),
      deadline,
      signal: this.signal,
      isWrite,
      time: this.time,
      chance: this.chance,
    });
  }

  private call<C extends Contract>(
    contract: C,
    request: RequestOf<C>,
    deadline: Deadline,
    options: CallOptions,
    isWrite: boolean,
  ): Promise<ReplyOf<C>> {
    const onBehalf = behalfOf(options);
    return callWithRetry({
      send: (attemptDeadline) =>
        this.messenger.request(contract, request, { deadline: attemptDeadline, ...onBehalf }),
      deadline,
      signal: this.signal,
      isWrite,
      time: this.time,
      chance: this.chance,
    });
  }

  private deadlineOf({ timeoutMs, context }: CallOptions): Deadline {
    const ms = timeoutMs ?? this.options.timeoutMs ?? defaultTimeoutMs;
    const own = Deadline.after(ms, () => this.time.monotonicMs());
    return context === undefined ? own : Deadline.earlier(own, context.deadline);
  }
}

function behalfOf({ context, onBehalf }: CallOptions): OnBehalfOf {
  if (onBehalf !== undefined || context === undefined) return onBehalf ?? {};
  return { requestId: context.requestId, alsoFor: context.alsoFor };
}
