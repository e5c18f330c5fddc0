// The whole state as bytes: what was live at the compacted revision, then every revision since. Versions, previous values and
// lease attachments follow from those and are rebuilt. One version byte in front, as commands have.

import { decodeVersioned, encodeVersioned } from './command';
import { type LeaseSnapshot } from './leases';
import { type SessionSnapshot } from './sessions';
import { type KeyValue } from './types';

const snapshotVersion = 1;

export interface SnapshotContent {
  readonly appliedIndex: number;
  readonly revision: number;
  readonly compactRevision: number;
  readonly at: number;
  readonly leaseCounter: number;
  readonly leases: readonly LeaseSnapshot[];
  readonly live: readonly KeyValue[];
  readonly history: readonly {
    readonly revision: number;
    readonly at: number;
    readonly events: readonly { readonly type: 'put' | 'delete'; readonly kv: KeyValue }[];
  }[];
  readonly sessions: readonly SessionSnapshot[];
}

export function encodeSnapshot(content: SnapshotContent): Uint8Array {
  return encodeVersioned(snapshotVersion, content);
}

export function decodeSnapshot(bytes: Uint8Array): SnapshotContent {
  return decodeVersioned(snapshotVersion, bytes) as SnapshotContent;
}
