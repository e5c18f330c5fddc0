// `GET /v1/kv/watch`: a watch of the store as server-sent events. Each revision is one event whose id is the revision, so that
// `Last-Event-ID` goes on exactly after it; `progress` moves the id on where nothing happened. A reader that does not keep up
// is let go of, and resumes from where it was.

import type { ServerResponse } from 'node:http';
import { SkeinError, type RevisionEvents } from '@skein/contracts';
import type { Watch } from '@skein/store-client';
import { cutOff } from './cut-off';
import type { StreamContext } from './route';

export const maxWatchReaders = 256;
/** What may wait for a slow reader before it is let go of. */
export const maxWaitingBytes = 8 * 1_024 * 1_024;
/** How long it may take a reader that is let go of to hear why. */
const cutOffGraceMs = 30_000;
const heartbeatMs = 15_000;
const openTimeoutMs = 5_000;

export interface WatchFeedRequest {
  readonly key?: string | undefined;
  readonly prefix?: string | undefined;
  readonly fromRevision?: number | undefined;
  readonly previous?: boolean | undefined;
  readonly filters?: ('noput' | 'nodelete')[] | undefined;
  /** Send `progress` too. */
  readonly progress?: boolean | undefined;
}

let readers = 0;

/** Resolves once the reader has gone or the watch has ended. */
export async function streamWatch(asked: WatchFeedRequest, context: StreamContext): Promise<void> {
  if (readers >= maxWatchReaders) {
    throw new SkeinError('overloaded', `The gateway feeds ${maxWatchReaders} watches already`);
  }
  readers += 1;
  const feed = new WatchFeed(asked, context);
  try {
    await feed.run();
  } finally {
    feed.end();
    readers -= 1;
  }
}

class WatchFeed {
  readonly #response: ServerResponse;
  #watch: Watch | undefined;
  #compacted: number | undefined;
  #isEnded = false;
  #finish: () => void = () => undefined;
  readonly #finished = new Promise<void>((resolve) => (this.#finish = resolve));
  /** What came before the head was sent. */
  #early: string[] | undefined = [];

  constructor(
    private readonly asked: WatchFeedRequest,
    private readonly context: StreamContext,
  ) {
    this.#response = context.response;
  }

  async run(): Promise<void> {
    const { key, prefix, fromRevision, previous, filters, progress } = this.asked;
    this.#response.once('close', () => this.end());
    this.#watch = this.context.watch({
      key,
      prefix,
      fromRevision,
      previous,
      filters,
      onEvents: (revisions) => this.#write(formatRevisions(revisions)),
      onProgress: (revision) => {
        if (progress === true) this.#write(message('progress', { revision }, revision));
      },
      onCompacted: (compactRevision) => this.#onCompacted(compactRevision),
    });
    const revision = await this.#opened(this.#watch);
    this.#begin(revision);
    const heartbeat = setInterval(() => this.#write(': heartbeat\n\n'), heartbeatMs);
    await this.#finished;
    clearInterval(heartbeat);
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#watch?.close();
    if (this.#response.headersSent && !this.#response.writableEnded) this.#response.end();
    this.#finish();
  }

  /** Waits for the store, but not for ever: without a leader it is the caller's to ask again. */
  async #opened(watch: Watch): Promise<number> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, openTimeoutMs, undefined);
    });
    const revision = await Promise.race([
      watch.opened,
      limit,
      this.#finished.then(() => undefined),
    ]);
    clearTimeout(timer);
    if (this.#compacted !== undefined) {
      throw new SkeinError('revision_compacted', 'The revision has been compacted', {
        field: 'from',
        facts: { compactRevision: this.#compacted },
      });
    }
    if (revision !== undefined) return revision;
    throw new SkeinError('no_leader', 'There is no leader at the moment');
  }

  #begin(revision: number): void {
    this.context.takeOver();
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-request-id': this.context.requestId,
    });
    const early = this.#early ?? [];
    this.#early = undefined;
    this.#write(message('opened', { revision }, undefined));
    for (const text of early) this.#write(text);
  }

  #onCompacted(compactRevision: number): void {
    this.#compacted = compactRevision;
    if (this.#early === undefined)
      this.#write(message('compacted', { compactRevision }, undefined));
    this.end();
  }

  #write(text: string): void {
    if (this.#isEnded) return;
    if (this.#early !== undefined) {
      this.#early.push(text);
      return;
    }
    this.#response.write(text);
    if (this.#response.writableLength <= maxWaitingBytes) return;
    cutOff(this.#response, cutOffGraceMs);
    this.end();
  }
}

export function formatRevisions(revisions: readonly RevisionEvents[]): string {
  return revisions.map((each) => message('revision', each, each.revision)).join('');
}

function message(event: string, data: object, id: number | undefined): string {
  const head = id === undefined ? '' : `id: ${id}\n`;
  return `event: ${event}\n${head}data: ${JSON.stringify(data)}\n\n`;
}
