// Where the log's database runs: a worker thread in service, so that an fsync never holds up heartbeats, or the caller's own
// thread where no worker can be loaded. Both do one thing at a time, in order, and answer when it is done.

import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { LogDatabase } from './log-database';
import { openLogDatabase, type OpenLocation, type RestoredLog } from './open-database';
import { RaftLogError, type RaftLogFault } from './raft-log-error';

/** What the thread can be asked to do: the database's own verbs. */
export type LogVerb = Exclude<
  {
    [V in keyof LogDatabase]: LogDatabase[V] extends (...args: never[]) => unknown ? V : never;
  }[keyof LogDatabase],
  'close' | 'checkpointIfDue'
>;
export type LogArguments<V extends LogVerb> = Parameters<LogDatabase[V]>;
export type LogAnswer<V extends LogVerb> = ReturnType<LogDatabase[V]>;

export interface LogThread {
  readonly restored: RestoredLog;
  /** Rejects with a RaftLogError; unless that is a refusal, nothing may be asked any more. `moved` can't be used again. */
  ask<V extends LogVerb>(
    verb: V,
    args: LogArguments<V>,
    moved?: ArrayBuffer[],
  ): Promise<LogAnswer<V>>;
  close(): Promise<void>;
}

export type ToLogThread =
  { readonly verb: LogVerb; readonly args: readonly unknown[] } | { readonly verb: 'close' };
export type FromLogThread =
  | { readonly type: 'restored'; readonly log: RestoredLog }
  | { readonly type: 'done'; readonly answer: unknown }
  | { readonly type: 'refused'; readonly fault: RaftLogFault }
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

/** Does what a message asks. Throws whatever goes wrong. */
export function obey(database: LogDatabase, verb: LogVerb, args: readonly unknown[]): unknown {
  const method = database[verb] as (...args: unknown[]) => unknown;
  return method.apply(database, [...args]);
}

export async function openInThread(location: OpenLocation): Promise<LogThread> {
  const { database, restored } = openLogDatabase(location);
  let failure: RaftLogError | null = null;
  let isClosed = false;
  return {
    restored,
    ask: async <V extends LogVerb>(verb: V, args: LogArguments<V>) => {
      // A completion never arrives inside the call that asked for it.
      await Promise.resolve();
      if (isClosed) throw new RaftLogError('closed', 'The log is closed');
      if (failure !== null) throw failure;
      try {
        const answer = obey(database, verb, args) as LogAnswer<V>;
        database.checkpointIfDue();
        return answer;
      } catch (thrown) {
        const error = RaftLogError.from(thrown);
        if (!error.isRefusal) failure = error;
        throw error;
      }
    },
    close: async () => {
      isClosed = true;
      database.close();
    },
  };
}

export async function openInWorker(location: OpenLocation, url: URL): Promise<LogThread> {
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
    ask: async <V extends LogVerb>(verb: V, args: LogArguments<V>, moved: ArrayBuffer[] = []) => {
      const answered = answers.next();
      worker.postMessage({ verb, args } satisfies ToLogThread, moved);
      const answer = await answered;
      if (answer.type === 'done') return answer.answer as LogAnswer<V>;
      throw new Error(`raft log: worker answered ${answer.type}`);
    },
    close: async () => {
      const answered = answers.next();
      worker.postMessage({ verb: 'close' } satisfies ToLogThread);
      // After a failure nobody answers, and nothing more may be written.
      await answered.catch(() => undefined);
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
      if (answer.type === 'failed') this.fail(RaftLogError.of(answer.fault));
      else if (answer.type === 'refused') {
        this.waiting.shift()?.reject(RaftLogError.of(answer.fault));
      } else this.waiting.shift()?.resolve(answer);
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

  private fail(error: RaftLogError): void {
    this.failure ??= error;
    for (const { reject } of this.waiting.splice(0)) reject(this.failure);
  }
}
