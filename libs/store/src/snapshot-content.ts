// What the records of a snapshot hold: shapes that writer and reader share. Rows are flat lists, which JSON reads several times
// faster than objects.

import { type LeaseSnapshot } from './leases';
import { type KeptAnswer } from './sessions';
import { type HashPoint } from './state';
import { type Alarm, type StoreSettings } from './types';

export const snapshotVersion = 2;

export interface SnapshotHeader {
  readonly format: 'skein-store';
  readonly version: number;
  readonly appliedIndex: number;
  readonly revision: number;
  readonly compactRevision: number;
  readonly at: number;
  readonly protocolVersion: number;
  readonly settings: StoreSettings;
  readonly alarms: readonly Alarm[];
  readonly stateHash: string;
  readonly hashPoints: readonly HashPoint[];
  readonly leaseCounters: { readonly granted: number; readonly grants: number };
  /** What the whole must come to when it is loaded. */
  readonly keys: number;
  readonly bytes: number;
}

export type LeaseRows = readonly LeaseSnapshot[];

/** What was live at the compacted revision, in the order of keys: key, value, createRevision, modRevision, version, lease or 0. */
export type KeyRows = (string | number)[];
export const keyRowWidth = 6;

/** A revision each: when, and its writes as key, value (`null` for a deletion), lease or 0. */
export type HistoryRows = [number, (string | number | null)[]][];
export const writeWidth = 3;

/** Answers of one client, in the order in which they were kept; a client with many comes several times. */
export type SessionRows = [string, number, [number, KeptAnswer][]][];

export interface SnapshotEnd {
  /** Records before this one. */
  readonly records: number;
}
