// The words of the store: what it keeps, what it is asked and what it answers. Shapes are those of the store's contracts,
// written again here because a pure core depends on no schema library. Knows no Raft, no clock and no network.

/** One key as of one revision. `version` 0 and an empty value mark a tombstone. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease?: string;
}

/** One key; or all from `key` up to `rangeEnd`, exclusive; or all that start with `key`. */
export interface SpanRequest {
  readonly key: string;
  readonly rangeEnd?: string;
  readonly prefix?: boolean;
}

export interface RangeRequest extends SpanRequest {
  /** 0 or absent: all. */
  readonly limit?: number;
  /** State as of this revision; 0 or absent: now. */
  readonly revision?: number;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
  readonly descending?: boolean;
}

export interface RangeReply {
  readonly revision: number;
  readonly kvs: KeyValue[];
  readonly count: number;
  readonly more: boolean;
}

export interface Compare extends SpanRequest {
  readonly target: 'version' | 'createRevision' | 'modRevision' | 'value' | 'lease';
  readonly operator: '=' | '!=' | '<' | '>';
  readonly value: string | number;
}

export interface PutOperation {
  readonly type: 'put';
  readonly key: string;
  readonly value: string;
  readonly lease?: string;
  readonly previous?: boolean;
}
export interface DeleteOperation extends SpanRequest {
  readonly type: 'delete';
  readonly previous?: boolean;
}
export interface RangeOperation extends RangeRequest {
  readonly type: 'range';
}
export type Operation = PutOperation | DeleteOperation | RangeOperation;

export type OperationResult =
  | { readonly type: 'put'; readonly previous?: KeyValue }
  | { readonly type: 'delete'; readonly deleted: number; readonly previous?: KeyValue[] }
  | {
      readonly type: 'range';
      readonly kvs: KeyValue[];
      readonly count: number;
      readonly more: boolean;
    };

/** A client and its running number: each pair is applied once, and its answer repeated. */
export interface Once {
  readonly client: string;
  readonly sequence: number;
  /** Every sequence below this one has been answered: those kept answers may go. */
  readonly settledBelow?: number;
}

interface Repeatable {
  readonly once?: Once;
}
export interface TransactionRequest extends Repeatable {
  readonly type: 'txn';
  readonly compare: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure: readonly Operation[];
}

/** What a log entry can ask of the store. `expireLease` and `compact` come from the leader itself, never from a client. */
export type StoreRequest =
  | (PutOperation & Repeatable)
  | (DeleteOperation & Repeatable)
  | TransactionRequest
  | ({ readonly type: 'grantLease'; readonly ttlMs: number; readonly lease?: string } & Repeatable)
  | ({ readonly type: 'revokeLease'; readonly lease: string } & Repeatable)
  | { readonly type: 'expireLease'; readonly lease: string }
  | { readonly type: 'compact'; readonly revision: number };

/** One log entry: requests that the leader gathered in one turn. Each has its own revision and its own result. */
export interface StoreCommand {
  /** The leader's clock when it proposed, in milliseconds since the epoch. The only way in for time. */
  readonly at: number;
  readonly requests: readonly StoreRequest[];
}

export type RefusalCode =
  | 'key_invalid'
  | 'invalid_request'
  | 'lease_not_found'
  | 'lease_exists'
  | 'request_superseded'
  | 'revision_compacted'
  | 'revision_future';

/** Why the store did not do as it was asked; nothing of the request took effect. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
  readonly field?: string;
  readonly facts?: Readonly<Record<string, unknown>>;
}

export type Outcome<Reply> =
  { readonly ok: true; readonly reply: Reply } | { readonly ok: false; readonly refusal: Refusal };

export interface PutReply {
  readonly revision: number;
  readonly previous?: KeyValue;
}
export interface DeleteReply {
  readonly revision: number;
  readonly deleted: number;
  readonly previous?: KeyValue[];
}
export interface TransactionReply {
  readonly succeeded: boolean;
  readonly revision: number;
  readonly results: OperationResult[];
}
export interface GrantLeaseReply {
  readonly lease: string;
  readonly ttlMs: number;
  readonly revision: number;
}
export interface RevokeLeaseReply {
  readonly revision: number;
  readonly deleted: number;
}
export interface CompactReply {
  readonly revision: number;
  readonly compactRevision: number;
}

/** The reply to each kind of request. */
export interface ReplyByType {
  put: PutReply;
  delete: DeleteReply;
  txn: TransactionReply;
  grantLease: GrantLeaseReply;
  revokeLease: RevokeLeaseReply;
  expireLease: RevokeLeaseReply;
  compact: CompactReply;
}
export type StoreReply = ReplyByType[keyof ReplyByType];

export interface StoreEvent {
  readonly type: 'put' | 'delete';
  readonly kv: KeyValue;
  readonly previous?: KeyValue;
}

/** All events of one revision, in the order of their operations. */
export interface RevisionEvents {
  readonly revision: number;
  readonly at: number;
  readonly events: StoreEvent[];
}

export interface LeaseRecord {
  readonly lease: string;
  readonly ttlMs: number;
  readonly keys: number;
}

export function refuse(
  code: RefusalCode,
  message: string,
  rest: { field?: string; facts?: Readonly<Record<string, unknown>> } = {},
): { ok: false; refusal: Refusal } {
  return { ok: false, refusal: { code, message, ...rest } };
}
