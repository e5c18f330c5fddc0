// Whether a container whose endpoint is gone may still be heard under its addresses: its agent may be dead, or behind. It must not
// know who wants the addresses.

import type { AddressRecord } from '@skein/contracts';
import type { Feeds } from '../feeds/feeds';
import type { CommittedView } from '../state/committed-view';
import type { HostEntry } from '../state/entries';

export interface LastHolderOptions {
  readonly view: CommittedView;
  readonly feeds: Feeds;
  /** Until a host that is down is silent on fenced networks for certain, in milliseconds; null for one that is not down. */
  readonly silentInMs: (host: HostEntry) => number | null;
}

export type Held = Pick<AddressRecord, 'networkId' | 'host' | 'bootId'>;

export class LastHolder {
  readonly #options: LastHolderOptions;

  constructor(options: LastHolderOptions) {
    this.#options = options;
  }

  /**
   * Whether what was held is surely silent, its endpoint being gone at `revision`: its host has programmed that, was started anew or
   * removed, or has lost its lease on a network that fences.
   */
  isSilent({ networkId, host: hostId, bootId }: Held, revision: number): boolean {
    const { view, feeds, silentInMs } = this.#options;
    const host = hostId === undefined ? undefined : view.state.host(hostId);
    if (host === undefined) return true;
    if (bootId !== undefined && bootId !== host.bootId) return true;
    const isFenced = view.state.network(networkId)?.onHostLoss === 'fence';
    if (host.state === 'down') return isFenced && silentInMs(host) === 0;
    return (feeds.feed(host.id)?.acked ?? 0) >= revision;
  }

  /** The same, after the host has had `timeoutMs` to program it. */
  async becomesSilent(held: Held, revision: number, timeoutMs: number): Promise<boolean> {
    const { view, feeds } = this.#options;
    if (this.isSilent(held, revision)) return true;
    await view.reached(revision, timeoutMs);
    // One that is down now has no feed.
    await feeds.feed(held.host ?? '')?.waitFor(revision, timeoutMs);
    return this.isSilent(held, revision);
  }
}
