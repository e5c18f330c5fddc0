// A log under test: opened in a folder that goes away with the test, written to, and opened again as a crash would leave it.
// Knows how a log is opened, not what it must do.

import { afterEach, beforeEach } from '@jest/globals';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HardState, LogEntry, LogWrite, RestoredState } from '@skein/raft';
import { openRaftLog, type RaftLog } from './raft-log';

/** What a replica asks of its log. */
export type OpenLog = Pick<
  RaftLog,
  | 'restored'
  | 'repair'
  | 'meta'
  | 'write'
  | 'compact'
  | 'saveSnapshot'
  | 'readSnapshot'
  | 'storeChunk'
  | 'install'
  | 'loadSnapshot'
  | 'size'
  | 'outstandingMs'
  | 'setEpoch'
  | 'rotateDataKey'
  | 'changeKey'
  | 'close'
>;
export type OpenLogIn = (
  directory: string,
  onDurable: (writes: readonly LogWrite[]) => void,
) => Promise<OpenLog>;

export const configuration = { incoming: ['r1'], outgoing: [], learners: [] };
export const owner = { clusterId: 'c1', replicaId: 'r1' };

export interface SqliteLogOptions {
  /** Null: in the caller's thread. */
  readonly worker?: () => URL | null;
  readonly owner?: { readonly clusterId: string; readonly replicaId: string };
  readonly key?: Uint8Array | null;
}

/** The log of this library. What it calls a failure fails the test. */
export function sqliteLog(options: SqliteLogOptions = {}): OpenLogIn {
  const { worker = () => null, key = null } = options;
  return (directory, onDurable) =>
    openRaftLog({
      ...(options.owner ?? owner),
      directory,
      configuration,
      worker: worker(),
      encryption: key === null ? null : { key },
      onDurable,
      onFailure: (error) => {
        throw error;
      },
    });
}

export function entry(index: number, term: number, text = `entry ${index}`): LogEntry {
  return { index, term, kind: 'command', data: new TextEncoder().encode(text) };
}

let lastId = 0;
export function logWrite(
  entries: readonly LogEntry[],
  rest: { hardState?: HardState; truncateFrom?: number } = {},
): LogWrite {
  lastId += 1;
  const last = entries.at(-1);
  return {
    id: lastId,
    hardState: rest.hardState ?? null,
    truncateFrom: rest.truncateFrom ?? null,
    entries,
    lastIndex: last?.index ?? 0,
    lastTerm: last?.term ?? 0,
    then: [],
  };
}

/** A log with the writes that it has confirmed. */
export class WrittenLog {
  readonly durable: number[] = [];
  private waiting: (() => void) | undefined;
  private log: OpenLog | undefined;
  private due = 0;

  static async open(openIn: OpenLogIn, directory: string): Promise<WrittenLog> {
    const written = new WrittenLog();
    written.log = await openIn(directory, (writes) => {
      written.durable.push(...writes.map(({ id }) => id));
      if (written.durable.length >= written.due) written.waiting?.();
    });
    return written;
  }

  get open(): OpenLog {
    if (this.log === undefined) throw new Error('not open');
    return this.log;
  }

  get restored(): RestoredState {
    return this.open.restored;
  }

  /** Resolves when all of them are durable. */
  async write(...writes: readonly LogWrite[]): Promise<void> {
    this.due = this.durable.length + writes.length;
    const done = new Promise<void>((resolve) => (this.waiting = resolve));
    for (const write of writes) this.log?.write(write);
    await done;
  }

  async close(): Promise<void> {
    await this.log?.close();
  }
}

/** What a crash at this instant would leave: the files as they are, under a log that never closed. */
export function copyOf(directory: string, to: string): string {
  cpSync(directory, to, { recursive: true });
  return to;
}

export interface TestLogs {
  /** The test's one log. */
  readonly open: () => Promise<WrittenLog>;
  /** A copy of it, as a crash would leave it. */
  readonly openCopy: () => Promise<WrittenLog>;
}

/** Inside a `describe`: each of its tests gets a folder of its own; what it opens there is closed after it. */
export function logsOfEachTest(openIn: OpenLogIn): TestLogs {
  let root = '';
  let copies = 0;
  let opened: WrittenLog[] = [];
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'skein-raft-log-'));
    opened = [];
  });
  afterEach(async () => {
    for (const log of opened) await log.close();
    rmSync(root, { recursive: true, force: true });
  });
  const openAt = async (directory: string): Promise<WrittenLog> => {
    const log = await WrittenLog.open(openIn, directory);
    opened.push(log);
    return log;
  };
  return {
    open: () => openAt(join(root, 'log')),
    openCopy: () => {
      copies += 1;
      return openAt(copyOf(join(root, 'log'), join(root, `copy-${copies}`)));
    },
  };
}
