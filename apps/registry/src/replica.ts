// What every replica of the registry keeps, active or not: the view of the committed state and the readable history. A
// standby that takes over has both at hand.

import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import type { KeyValue, RevisionEvents } from '@skein/contracts';
import type { Logger, Messenger } from '@skein/messaging';
import { FreshView, StoreFollower } from '@skein/registry';
import type { Store } from '@skein/store-client';
import { Announcer } from './history/announcer';
import { HistoryStore } from './history/history-store';
import { HistoryWriter } from './history/history-writer';
import type { Time } from '@skein/time';

export interface ReplicaOptions {
  readonly store: Store;
  readonly messenger: Pick<Messenger, 'publishEvent'>;
  readonly time: Time;
  readonly logger: Logger;
  readonly dataDir: string;
}

export class Replica {
  readonly view: FreshView;
  readonly history: HistoryStore;
  readonly writer: HistoryWriter;
  readonly announcer: Announcer;
  readonly #follower: StoreFollower;
  readonly #time: Time;

  private constructor(
    options: ReplicaOptions,
    parts: { view: FreshView; history: HistoryStore; writer: HistoryWriter },
  ) {
    const { store, messenger, time, logger } = options;
    this.view = parts.view;
    this.history = parts.history;
    this.writer = parts.writer;
    this.announcer = new Announcer(messenger, time);
    this.#time = time;
    this.#follower = new StoreFollower({ store, time, logger }, this.#following());
  }

  static async open(options: ReplicaOptions): Promise<Replica> {
    const { store, time, logger, dataDir } = options;
    mkdirSync(dataDir, { recursive: true });
    const view = new FreshView({ store, time, logger });
    const history = HistoryStore.open(join(dataDir, 'registry.db'));
    const networkName = (id: string): string | undefined => view.state.network(id)?.name;
    const writer = await HistoryWriter.open({ store: history, logger, networkName });
    return new Replica(options, { view, history, writer });
  }

  /** Resolves once the state has been read. */
  start(): Promise<void> {
    return this.#follower.start();
  }

  async close(): Promise<void> {
    this.#follower.stop();
    await this.writer.close();
    await this.history.close();
  }

  #following() {
    const { view, writer, announcer } = this;
    return {
      onState: (revision: number, kvs: KeyValue[]) => view.reset(revision, kvs),
      onEvents: (revisions: RevisionEvents[]) => {
        const fresh = revisions.filter(({ revision }) => revision > view.revision);
        view.advance(revisions);
        writer.take(revisions);
        announcer.take(fresh);
      },
      onProgress: (revision: number) => {
        view.progress(revision);
        writer.progress(revision);
      },
      resumeAt: () => writer.resumeAt,
      onGap: (revision: number, addresses: KeyValue[]) =>
        writer.gap(revision, this.#time.wallMs(), addresses),
    };
  }
}
