// Opening a replica's directory: a new one is made, a whole one restored, and of a damaged one what is provably whole is kept
// in a fresh file, whose replica is recovering until the leader says otherwise. Refuses before it touches anything.

import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { HardState, SnapshotHeader } from '@skein/raft';
import { CommitMark, type Mark } from './commit-mark';
import { syncDirectory } from './durable-file';
import { examine, faultOf, foundNothing, type Found } from './examine';
import {
  decodeIdentity,
  demandOwner,
  encodeIdentity,
  hasSidecar,
  newerIdentity,
  readSidecar,
  schemaVersion,
  writeSidecar,
  type Identity,
} from './identity';
import { Keyring } from './keyring';
import { readFirstSchema } from './first-schema';
import { LogDatabase } from './log-database';
import type { PackedLog } from './packed-write';
import { RaftLogError } from './raft-log-error';
import { buildFresh, finishReplacing, putInPlace } from './replacement';
import { copyFound } from './salvage';
import {
  hasAllTables,
  isFirstSchema,
  logFileName,
  openConnection,
  type Connection,
  type LogLocation,
} from './schema';
import { headerOf } from './snapshot-table';
import { hardStateOf, type StateRow } from './state-row';

export interface OpenLocation extends LogLocation {
  /** Of a directory that is made now. Default 0. */
  readonly epoch?: number;
  /** 32 bytes. */
  readonly key?: Uint8Array | null;
}

/** What was found to be damaged, and what is left. */
export interface RepairReport {
  readonly reason: string;
  /** The first index that is not provably what was written. */
  readonly lostFrom: number;
  readonly keptEntries: number;
  readonly keptSnapshot: boolean;
  /** Name, in the directory, of the damaged file; empty if it was gone. */
  readonly setAside: string;
}

export interface LogMeta {
  readonly epoch: number;
  readonly clusterId: string;
  readonly replicaId: string;
}

export interface RestoredLog extends PackedLog {
  readonly hardState: HardState;
  readonly snapshot: SnapshotHeader | null;
  readonly repair: RepairReport | null;
  readonly meta: LogMeta;
  /** There is something to drop, in slices. */
  readonly hasStale: boolean;
}

export interface OpenedLog {
  readonly database: LogDatabase;
  readonly restored: RestoredLog;
}

/** Throws a RaftLogError. */
export function openLogDatabase(location: OpenLocation): OpenedLog {
  try {
    return new Opening(location).open();
  } catch (thrown) {
    throw RaftLogError.from(thrown);
  }
}

/** One attempt; what it learns on the way is used once. */
class Opening {
  private identity: Identity | null;
  private keyring: Keyring | null = null;
  private setAside = '';
  private repairReason: string | null = null;

  constructor(private readonly location: OpenLocation) {
    const { directory } = location;
    makeDirectory(directory);
    this.identity = readSidecar(directory);
    if (this.identity !== null) this.unlock(this.identity);
  }

  open(): OpenedLog {
    const { directory } = this.location;
    if (this.identity?.replacing != null) this.finishReplacing(this.identity);
    if (!existsSync(join(directory, logFileName))) {
      if (hasSidecar(directory)) {
        this.repair(['the database file is missing'], null, CommitMark.readIn(directory));
      } else this.create();
    }
    return this.openWhole() ?? this.openWhole() ?? this.neverWhole();
  }

  /** Null if the file was damaged: then another one has taken its place. */
  private openWhole(): OpenedLog | null {
    const { directory } = this.location;
    const mark = CommitMark.open(directory);
    let connection: Connection | null = null;
    try {
      const noted = mark.read();
      connection = this.connect();
      const faults = connection === null ? ['SQLite does not know the file'] : [];
      const found =
        connection === null ? { ...foundNothing, faults } : this.examine(connection, noted);
      if (connection !== null && found.faults.length === 0 && found.state !== null) {
        const { state } = found;
        return this.opened({ connection, mark, found: { ...found, state } });
      }
      this.repair(found.faults, { ...found, connection }, noted);
      mark.close();
      return null;
    } catch (thrown) {
      connection?.close();
      mark.close();
      throw thrown;
    }
  }

  private connect(): Connection | null {
    const path = join(this.location.directory, logFileName);
    accessSync(path, constants.R_OK | constants.W_OK);
    try {
      return openConnection(path);
    } catch (thrown) {
      faultOf(thrown);
      return null;
    }
  }

  private examine(connection: Connection, mark: Mark | null): Found {
    const broken = (fault: string) => ({ ...foundNothing, faults: [fault] });
    try {
      if (isFirstSchema(connection)) readFirstSchema(connection, this.location);
      if (!hasAllTables(connection)) return broken('tables are missing or damaged');
    } catch (thrown) {
      return broken(faultOf(thrown));
    }
    const kept = newerIdentity(this.identity, readIdentity(connection));
    if (kept === null) return broken('nothing says whose log this is');
    if (this.keyring === null || kept !== this.identity) this.unlock(kept);
    return examine(connection, this.unlocked().keyring, mark);
  }

  private opened(parts: {
    connection: Connection;
    mark: CommitMark;
    found: Found & { state: StateRow };
  }): OpenedLog {
    const { connection, mark, found } = parts;
    const { directory } = this.location;
    const { identity, keyring } = this.unlocked();
    const current = this.settleIdentity(connection, identity, keyring);
    const database = new LogDatabase(
      { directory, connection, keyring, mark, identity: current },
      found,
    );
    const hasStale = database.retireStale();
    const { clusterId, replicaId, epoch } = current;
    const { entries, bytes, end } = found;
    const repair =
      this.repairReason === null
        ? null
        : {
            reason: this.repairReason,
            lostFrom: end.index + 1,
            keptEntries: entries.length,
            keptSnapshot: found.snapshot !== null,
            setAside: this.setAside,
          };
    const snapshot = found.snapshot === null ? null : headerOf(found.snapshot);
    const hardState = hardStateOf(found.state);
    const meta = { clusterId, replicaId, epoch };
    return { database, restored: { hardState, snapshot, entries, bytes, repair, meta, hasStale } };
  }

  /** Both copies say the same, with every data key, before any row is written under it. */
  private settleIdentity(connection: Connection, identity: Identity, keyring: Keyring): Identity {
    const isNewKey = keyring.ids.length !== identity.keys.length;
    const settled = isNewKey
      ? { ...identity, keys: keyring.wrapped(), generation: identity.generation + 1 }
      : identity;
    const line = encodeIdentity(settled);
    const { directory } = this.location;
    const beside = readSidecar(directory);
    if (beside === null || encodeIdentity(beside) !== line) writeSidecar(directory, settled);
    const inside = readIdentity(connection);
    if (inside === null || encodeIdentity(inside) !== line) {
      connection.prepare('INSERT OR REPLACE INTO identity (only, line) VALUES (1, ?)').run(line);
    }
    return settled;
  }

  private create(): void {
    const { directory } = this.location;
    const identity = this.newIdentity();
    buildFresh(directory, { identity, state: {} });
    putInPlace(directory, { ...identity, replacing: 'created' });
    this.identity = readSidecar(directory);
  }

  private finishReplacing(identity: Identity): void {
    const { directory } = this.location;
    this.setAside = finishReplacing(directory, identity);
    this.repairReason = isRepair(identity.replacing) ? identity.replacing : null;
    this.identity = readSidecar(directory);
  }

  private repair(
    faults: readonly string[],
    found: (Omit<Found, 'faults'> & { connection: Connection | null }) | null,
    mark: Mark | null,
  ): void {
    const { directory } = this.location;
    const reason = faults.join('; ');
    const identity = this.identity ?? this.newIdentity();
    const { connection = null, ...content } = found ?? foundNothingAtAll;
    buildFresh(directory, { identity, ...copyFound(connection, content, mark) });
    connection?.close();
    this.setAside = putInPlace(directory, {
      ...identity,
      replacing: reason,
      generation: identity.generation + 1,
    });
    this.repairReason = reason;
    this.identity = readSidecar(directory);
  }

  private neverWhole(): never {
    const reason = 'The log is damaged, and so is what was written in its place';
    throw new RaftLogError('disk_failed', reason, { found: this.repairReason });
  }

  private newIdentity(): Identity {
    const { clusterId, replicaId, epoch = 0 } = this.location;
    this.keyring = Keyring.open([], this.location.key ?? null);
    const keys = this.keyring.wrapped();
    const owner = { clusterId, replicaId, epoch };
    return { schema: schemaVersion, ...owner, generation: 1, keys, replacing: null };
  }

  private unlock(identity: Identity): void {
    demandOwner(identity, this.location);
    this.identity = identity;
    this.keyring = Keyring.open(identity.keys, this.location.key ?? null);
  }

  private unlocked(): { identity: Identity; keyring: Keyring } {
    const { identity, keyring } = this;
    if (identity === null || keyring === null) throw new Error('raft log: not unlocked');
    return { identity, keyring };
  }
}

const foundNothingAtAll = { ...foundNothing, connection: null };

/** Making a directory replaces nothing. */
function isRepair(replacing: string | null): boolean {
  return replacing !== null && replacing !== 'created';
}

function readIdentity(connection: Connection): Identity | null {
  try {
    const read = connection.prepare('SELECT line FROM identity WHERE only = 1').pluck();
    return decodeIdentity((read.get() as string | undefined) ?? null);
  } catch (thrown) {
    faultOf(thrown);
    return null;
  }
}

function makeDirectory(directory: string): void {
  if (existsSync(directory)) return;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  syncDirectory(dirname(directory));
}

/** A log is there, whole or not. */
export function holdsLog(directory: string): boolean {
  return existsSync(join(directory, logFileName)) || hasSidecar(directory);
}
