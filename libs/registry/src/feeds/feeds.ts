// One feed for each host that is up; follows the view. It tells which hosts have to have programmed a revision for an attach
// to return (P6), and which were behind.

import type { Logger } from '@skein/messaging';
import type { Time } from '@skein/time';
import type { CommittedView, ViewChange } from '../state/committed-view';
import { HostFeed, type Fault, type Program } from './host-feed';

export interface FeedsOptions {
  readonly view: CommittedView;
  readonly program: Program;
  readonly time: Pick<Time, 'after'>;
  readonly logger: Logger;
}

export interface Settled {
  /** Hosts that had not programmed the revision in time. */
  readonly behind: string[];
  readonly faults: Fault[];
}

export class Feeds {
  readonly #options: FeedsOptions;
  readonly #feeds = new Map<string, HostFeed>();
  #unsubscribe: (() => void) | undefined;

  constructor(options: FeedsOptions) {
    this.#options = options;
  }

  start(): void {
    const { view } = this.#options;
    for (const host of view.state.hosts()) this.#follow(host.id);
    this.#unsubscribe = view.onChange((change) => this.#changed(change));
  }

  stop(): void {
    this.#unsubscribe?.();
    for (const feed of this.#feeds.values()) feed.stop();
  }

  feed(hostId: string): HostFeed | undefined {
    return this.#feeds.get(hostId);
  }

  /** Waits for those of the hosts that are up, each at most `waitMs`. */
  async waitFor(hostIds: Iterable<string>, revision: number, waitMs: number): Promise<Settled> {
    const waited = await Promise.all(
      [...hostIds].flatMap((hostId) => {
        const feed = this.#feeds.get(hostId);
        if (feed === undefined) return [];
        return feed.waitFor(revision, waitMs).then((outcome) => ({ hostId, ...outcome }));
      }),
    );
    return {
      behind: waited
        .filter(({ acked, hostId }) => !acked && this.#feeds.has(hostId))
        .map(({ hostId }) => hostId)
        .sort(),
      faults: waited.flatMap(({ faults }) => faults),
    };
  }

  #changed({ touched, since, hosts }: ViewChange): void {
    for (const hostId of hosts) this.#follow(hostId);
    for (const [hostId, items] of touched) this.#feeds.get(hostId)?.touch(items, since);
  }

  /** A host that comes up, for the first time or again, gets a feed; one that goes down loses it. */
  #follow(hostId: string): void {
    const { view, program, time, logger } = this.#options;
    const isUp = view.state.host(hostId)?.state === 'up';
    const feed = this.#feeds.get(hostId);
    if (isUp && feed === undefined) {
      this.#feeds.set(hostId, new HostFeed({ hostId, view, program, time, logger }));
    } else if (!isUp && feed !== undefined) {
      this.#feeds.delete(hostId);
      feed.stop();
    }
  }
}
