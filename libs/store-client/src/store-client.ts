// The store as a service reaches it: through whichever replica leads. Every write carries a number, so that it can be sent again
// until it is answered and is done once all the same. Watches go on across leaders.

import {
  closeWatchContract,
  deleteContract,
  grantLeaseContract,
  keepAliveContract,
  leaderChangedEvent,
  leasesContract,
  putContract,
  rangeContract,
  revokeLeaseContract,
  subjectPrefix,
  transactionContract,
  watchContract,
  type Contract,
  type KeyValue,
  type ReplyOf,
  type RequestOf,
} from '@skein/contracts';
import { Deadline, type Messenger, type Subscription } from '@skein/messaging';
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
}

const defaultTimeoutMs = 5_000;
/** An opening is short: it is repeated by the watch itself. */
const openTimeoutMs = 1_000;

export class StoreClient implements Store {
  private readonly clientId = crypto.randomUUID();
  private readonly once = new OnceNumbers(this.clientId);
  private readonly signal = new LeaderSignal();
  private readonly watches = new Set<ClientWatch>();
  private readonly subscription: Subscription;
  private watchCount = 0;

  constructor(
    private readonly messenger: Messenger,
    private readonly options: StoreClientOptions = {},
  ) {
    this.subscription = messenger.subscribeEvent(leaderChangedEvent, ({ leaderId }) => {
      if (leaderId !== null) this.signal.raise();
    });
  }

  static connect(messenger: Messenger, options: StoreClientOptions = {}): StoreClient {
    return new StoreClient(messenger, options);
  }

  async get(key: string, options?: CallOptions): Promise<KeyValue | undefined> {
    return (await this.range({ key }, options)).kvs[0];
  }

  range(request: RangeRequest, options?: CallOptions) {
    return this.read(rangeContract, request, options);
  }

  put(request: PutRequest, options?: CallOptions) {
    return this.write(putContract, (once) => ({ ...request, once }), options);
  }

  delete(request: DeleteRequest, options?: CallOptions) {
    return this.write(deleteContract, (once) => ({ ...request, once }), options);
  }

  txn(request: TransactionRequest, options?: CallOptions) {
    return this.write(transactionContract, (once) => ({ ...request, once }), options);
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

  private call<C extends Contract>(
    contract: C,
    request: RequestOf<C>,
    deadline: Deadline,
    { context }: CallOptions,
    isWrite: boolean,
  ): Promise<ReplyOf<C>> {
    const requestId = context?.requestId;
    return callWithRetry({
      send: (attemptDeadline) =>
        this.messenger.request(contract, request, { deadline: attemptDeadline, requestId }),
      deadline,
      signal: this.signal,
      isWrite,
    });
  }

  private deadlineOf({ timeoutMs, context }: CallOptions): Deadline {
    const own = Deadline.after(timeoutMs ?? this.options.timeoutMs ?? defaultTimeoutMs);
    return context === undefined ? own : Deadline.earlier(own, context.deadline);
  }
}
