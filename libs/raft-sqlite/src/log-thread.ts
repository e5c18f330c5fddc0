// Where the log's database runs: a worker thread in service, so that an fsync never holds up heartbeats, or the caller's own
// thread where no worker can be loaded. Both take one group at a time and answer when it is durable.

import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { LogDatabase, type RestoredLog } from './log-database';
import { type PackedGroup } from './packed-write';
import { RaftLogError, type RaftLogFault } from './raft-log-error';
import { type LogLocation } from './schema';

export interface LogThread {
  readonly restored: RestoredLog;
  /** Resolves when the group is on disk; rejects with a RaftLogError, after which nothing may be committed. */
  commit(group: PackedGroup): Promise<void>;
  close(): Promise<void>;
}

export type ToLogThread =
  { readonly type: 'commit'; readonly group: PackedGroup } | { readonly type: 'close' };
export type FromLogThread =
  | { readonly type: 'restored'; readonly log: RestoredLog }
  | { readonly type: 'durable' }
  | { readonly type: 'closed' }
  | { readonly type: 'failed'; readonly fault: RaftLogFault };

/** Bundled beside the app, or one folder above the chunk that holds this code. */
export function logWorkerUrl(): URL {
  const places = ['./raft-log-worker.js', '../raft-log-worker.js'].map(
    (path) => new URL(path, import.meta.url),
  );
  const found = places.find((url) => existsSync(url));
  if (found === undefined) throw new Error(`raft log: no worker at ${String(places[0])}`);
  return found;
}

export async function openInThread(location: LogLocation): Promise<LogThread> {
  const { database, restored } = guard(() => LogDatabase.open(location));
  return {
    restored,
    commit: async (group) => {
      // A completion never arrives inside the call that asked for it.
      await Promise.resolve();
      guard(() => database.commit(group));
      guard(() => database.checkpointIfDue());
    },
    close: async () => database.close(),
  };
}

function guard<T>(act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    throw RaftLogError.from(thrown);
  }
}

export async function openInWorker(location: LogLocation, url: URL): Promise<LogThread> {
  const worker = new Worker(url, {
    workerData: location,
    // The thread holds one group at a time; a small heap keeps the process small.
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
  });
  const answers = new AnswerQueue(worker);
  const first = await answers.next().catch(async (thrown: unknown) => {
    await worker.terminate();
    throw thrown;
  });
  if (first.type !== 'restored') throw new Error(`raft log: worker answered ${first.type}`);
  return {
    restored: first.log,
    commit: async (group) => {
      const message: ToLogThread = { type: 'commit', group };
      worker.postMessage(message, [group.bytes.buffer]);
      await answers.next();
    },
    close: async () => {
      worker.postMessage({ type: 'close' } satisfies ToLogThread);
      await answers.next();
      await worker.terminate();
    },
  };
}

/** The worker answers each message once, in order, unless it fails: then for good. */
class AnswerQueue {
  private readonly waiting: {
    resolve: (answer: FromLogThread) => void;
    reject: (error: RaftLogError) => void;
  }[] = [];
  private failure: RaftLogError | undefined;

  constructor(worker: Worker) {
    worker.on('message', (answer: FromLogThread) => {
      if (answer.type === 'failed') this.fail(answer.fault);
      else this.waiting.shift()?.resolve(answer);
    });
    worker.on('error', (error) => this.fail(RaftLogError.from(error)));
    worker.on('exit', (code) =>
      this.fail(new RaftLogError('disk_failed', 'The log thread ended', { code })),
    );
  }

  next(): Promise<FromLogThread> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  private fail(fault: RaftLogFault): void {
    this.failure ??=
      fault instanceof RaftLogError
        ? fault
        : new RaftLogError(fault.code, fault.reason, fault.facts);
    for (const { reject } of this.waiting.splice(0)) reject(this.failure);
  }
}
