// What a service may ask of the replicated store, whoever answers: the cluster (StoreClient) or memory (createMemoryStore).
// Refusals and failures are thrown as SkeinError; every write is done at most once, however often it had to be sent.

import type {
  Compare,
  KeyValue,
  Operation,
  ReplyOf,
  RequestOf,
  RevisionEvents,
  deleteContract,
  grantLeaseContract,
  keepAliveContract,
  leasesContract,
  putContract,
  rangeContract,
  revokeLeaseContract,
  transactionContract,
} from '@skein/contracts';
import type { OnBehalfOf, RequestContext } from '@skein/messaging';

export type { Compare, KeyValue, Operation, RevisionEvents };

export type RangeRequest = RequestOf<typeof rangeContract>;
export type RangeReply = ReplyOf<typeof rangeContract>;
export type PutRequest = Omit<RequestOf<typeof putContract>, 'once'>;
export type PutReply = ReplyOf<typeof putContract>;
export type DeleteRequest = Omit<RequestOf<typeof deleteContract>, 'once'>;
export type DeleteReply = ReplyOf<typeof deleteContract>;
export type TransactionRequest = Omit<RequestOf<typeof transactionContract>, 'once'>;
export type TransactionReply = ReplyOf<typeof transactionContract>;
export type GrantLeaseRequest = Omit<RequestOf<typeof grantLeaseContract>, 'once'>;
export type GrantLeaseReply = ReplyOf<typeof grantLeaseContract>;
export type KeepAliveReply = ReplyOf<typeof keepAliveContract>;
export type RevokeLeaseReply = ReplyOf<typeof revokeLeaseContract>;
export type LeasesReply = ReplyOf<typeof leasesContract>;

export interface CallOptions {
  /** Until when the call is retried; default 5 s. A write that runs out of it throws `unknown_outcome`. */
  readonly timeoutMs?: number | undefined;
  /** The request on whose behalf this one is made: its id and deadline go along. */
  readonly context?: RequestContext | undefined;
  /** The requests on whose behalf it is made, where they are several, or their deadlines are not this one's. */
  readonly onBehalf?: OnBehalfOf | undefined;
}

export interface WatchRequest {
  /** Exactly one of the two. */
  readonly key?: string | undefined;
  readonly prefix?: string | undefined;
  /** First revision to deliver; absent: what comes after the watch is open. */
  readonly fromRevision?: number | undefined;
  /** Deliver the replaced values too. */
  readonly previous?: boolean | undefined;
  /** Kinds of events that are left out. */
  readonly filters?: ('noput' | 'nodelete')[] | undefined;
  /** Revisions in order, each exactly once, never split. */
  readonly onEvents: (revisions: RevisionEvents[]) => void;
  /** Everything up to this revision has been delivered. */
  readonly onProgress?: ((revision: number) => void) | undefined;
  /** Revisions up to this one are gone and can't be delivered: read the state anew. The watch has ended. */
  readonly onCompacted?: ((compactRevision: number) => void) | undefined;
}

export interface Watch {
  /** Resolves with the store's revision once the watch is open for the first time. */
  readonly opened: Promise<number>;
  close(): void;
}

export interface Store {
  /** The key as it is now, read linearizably. */
  get(key: string, options?: CallOptions): Promise<KeyValue | undefined>;
  range(request: RangeRequest, options?: CallOptions): Promise<RangeReply>;
  put(request: PutRequest, options?: CallOptions): Promise<PutReply>;
  delete(request: DeleteRequest, options?: CallOptions): Promise<DeleteReply>;
  txn(request: TransactionRequest, options?: CallOptions): Promise<TransactionReply>;
  grantLease(request: GrantLeaseRequest, options?: CallOptions): Promise<GrantLeaseReply>;
  keepAlive(lease: string, options?: CallOptions): Promise<KeepAliveReply>;
  revokeLease(lease: string, options?: CallOptions): Promise<RevokeLeaseReply>;
  leases(options?: CallOptions): Promise<LeasesReply>;
  watch(request: WatchRequest): Watch;
}
