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

export interface Sort {
  readonly by: 'key' | 'version' | 'createRevision' | 'modRevision' | 'value';
  readonly order: 'ascending' | 'descending';
}

export interface RangeRequest extends SpanRequest {
  /** 0 or absent: all. Counts after sorting and filtering. */
  readonly limit?: number;
  /** State as of this revision; 0 or absent: now. */
  readonly revision?: number;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
  /** By key; `sort` wins over it. */
  readonly descending?: boolean;
  /** Equals come in the order of their keys, ascending. */
  readonly sort?: Sort;
  /** Bounds, inclusive; 0 or absent: none. They choose among the keys; they do not change `count`. */
  readonly minModRevision?: number;
  readonly maxModRevision?: number;
  readonly minCreateRevision?: number;
  readonly maxCreateRevision?: number;
}

export interface RangeReply {
  readonly revision: number;
  /** Ends early, with `more`, where the answer would exceed `maxReplyBytes`; holds one key at least if there is one. */
  readonly kvs: KeyValue[];
  /** How many keys the span holds, whatever limit and bounds say. */
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
  /** Keep the value that the key has; `value` is then empty. Refused with `key_not_found` if there is no such key. */
  readonly ignoreValue?: boolean;
  /** Keep the lease that the key has, if any; `lease` is then absent. Refused as above. */
  readonly ignoreLease?: boolean;
}
export interface DeleteOperation extends SpanRequest {
  readonly type: 'delete';
  readonly previous?: boolean;
}
export interface RangeOperation extends RangeRequest {
  readonly type: 'range';
}
/** Its compares see the state before the whole transaction, as the outer ones do. At most `maxDepth` levels in all. */
export interface TransactionOperation {
  readonly type: 'txn';
  readonly compare: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure: readonly Operation[];
}
export type Operation = PutOperation | DeleteOperation | RangeOperation | TransactionOperation;

export type OperationResult =
  | { readonly type: 'put'; readonly previous?: KeyValue }
  | { readonly type: 'delete'; readonly deleted: number; readonly previous?: KeyValue[] }
  | {
      readonly type: 'range';
      readonly kvs: KeyValue[];
      readonly count: number;
      readonly more: boolean;
    }
  | {
      readonly type: 'txn';
      readonly succeeded: boolean;
      readonly results: OperationResult[];
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
export interface TransactionRequest extends TransactionOperation, Repeatable {}

export type AlarmKind = 'nospace' | 'corrupt';

interface AlarmName {
  /** `nospace`: the quota was exceeded; `corrupt`: a replica's state differs from the others'. */
  readonly alarm: AlarmKind;
  /** The replica that it is about; absent: the whole store. */
  readonly replica?: string;
}
export interface Alarm extends AlarmName {
  /** When it was raised, in milliseconds since the epoch. */
  readonly at: number;
}

/** Settings in the replicated state; 0 means none of it, and is what a new store starts with. */
export interface StoreSettings {
  /** How large `StoreStatus.bytes` may grow before puts are refused. */
  readonly quotaBytes: number;
  /** Compaction by the leader: how many revisions, and how long a time, of history to keep. */
  readonly historyRevisions: number;
  readonly historyMs: number;
}

/** A note of how much time leases have left, for the next leader. The full time or more takes the note away. */
export interface LeaseCheckpoint {
  readonly lease: string;
  readonly remainingMs: number;
}

/**
 * What a log entry can ask of the store. `expireLease`, `checkpointLease` and `setProtocol` come from the leader itself, never
 * from a client. Kinds and fields that `protocolOf` puts above `StoreStatus.protocolVersion` are refused.
 */
export type StoreRequest =
  | (PutOperation & Repeatable)
  | (DeleteOperation & Repeatable)
  | TransactionRequest
  | ({ readonly type: 'grantLease'; readonly ttlMs: number; readonly lease?: string } & Repeatable)
  | ({ readonly type: 'revokeLease'; readonly lease: string } & Repeatable)
  /** `grant` as in the lease's record: a later lease of the same name is not meant. */
  | { readonly type: 'expireLease'; readonly lease: string; readonly grant?: number }
  | { readonly type: 'checkpointLease'; readonly leases: readonly LeaseCheckpoint[] }
  | ({ readonly type: 'compact'; readonly revision: number } & Repeatable)
  | ({ readonly type: 'setAlarm' } & AlarmName & Repeatable)
  /** Without `replica`: of all replicas. */
  | ({ readonly type: 'clearAlarm' } & AlarmName & Repeatable)
  | ({ readonly type: 'setSettings' } & Partial<StoreSettings> & Repeatable)
  | { readonly type: 'setProtocol'; readonly version: number };

/** One log entry: requests that the leader gathered in one turn. Each has its own revision and its own result. */
export interface StoreCommand {
  /** The leader's clock when it proposed, in milliseconds since the epoch. The only way in for time. */
  readonly at: number;
  readonly requests: readonly StoreRequest[];
}

export type RefusalCode =
  | 'key_invalid'
  | 'key_not_found'
  | 'invalid_request'
  | 'lease_not_found'
  | 'lease_exists'
  | 'request_superseded'
  | 'revision_compacted'
  | 'revision_future'
  | 'payload_too_large'
  | 'no_space'
  | 'store_corrupt'
  | 'version_unsupported';

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

export interface CheckpointLeaseReply {
  readonly revision: number;
}
export interface AlarmReply {
  readonly revision: number;
  /** Whether it was not raised before (or was raised, for `clearAlarm`). */
  readonly changed: boolean;
}
export interface SettingsReply extends StoreSettings {
  readonly revision: number;
}
export interface ProtocolReply {
  readonly revision: number;
  readonly protocolVersion: number;
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
  checkpointLease: CheckpointLeaseReply;
  setAlarm: AlarmReply;
  clearAlarm: AlarmReply;
  setSettings: SettingsReply;
  setProtocol: ProtocolReply;
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
  /** Counts all grants of the store: tells a lease from a later one of the same name. */
  readonly grant: number;
  /** What a leader last wrote down of its time left; absent: the full time. */
  readonly remainingMs?: number;
}

/** A lease with what hangs on it. */
export interface LeaseTimeToLive extends LeaseRecord {
  readonly attached: string[];
}

/** A refusal, or nothing to refuse. */
export type Fault = { readonly ok: false; readonly refusal: Refusal } | undefined;

export function refuse(
  code: RefusalCode,
  message: string,
  rest: { field?: string; facts?: Readonly<Record<string, unknown>> } = {},
): { ok: false; refusal: Refusal } {
  return { ok: false, refusal: { code, message, ...rest } };
}
