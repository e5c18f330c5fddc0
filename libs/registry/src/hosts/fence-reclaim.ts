// Takes back what lost hosts held on networks with `fence`: after this process, being in office, has itself seen the host down
// for longer than any lease that was ever granted to it can last. By then the kernel has silenced its endpoints.

import { SkeinError } from '@skein/contracts';
import type { Deadline, Logger } from '@skein/messaging';
import { elapsed, every, type Time } from '@skein/time';
import type { EndpointEntry, HostEntry } from '../state/entries';
import type { FreshView } from '../state/fresh-view';
import type { DownSightings } from './down-sightings';
import { fenceMarginMs } from './host-lease';
import type { HostRelease } from './host-release';

export interface FenceReclaimOptions {
  readonly view: FreshView;
  readonly release: HostRelease;
  readonly sightings: DownSightings;
  readonly leaseMs: number;
  /** Whether this process is the active registry, for certain and now. */
  readonly isInOffice: () => boolean;
  readonly time: Time;
  readonly logger: Logger;
}

const intervalMs = 250;

export class FenceReclaim {
  readonly #options: FenceReclaimOptions;
  #cancel: (() => void) | undefined;
  #looking = false;

  constructor(options: FenceReclaimOptions) {
    this.#options = options;
  }

  start(): void {
    this.#cancel = every(this.#options.time, intervalMs, () => void this.look());
  }

  stop(): void {
    this.#cancel?.();
  }

  /** One look; answers the hosts from which something was taken back. */
  async look(): Promise<string[]> {
    const { view, sightings, logger } = this.#options;
    const hosts = view.state.hosts();
    sightings.keepOnly(new Set(hosts.map(({ id }) => id)));
    const silent = hosts.filter((host) => this.silentInMs(host) === 0);
    if (this.#looking) return [];
    this.#looking = true;
    const taken: string[] = [];
    try {
      for (const host of silent) if (await this.#reclaim(host)) taken.push(host.id);
    } catch (thrown) {
      logger.warn({ error: String(thrown) }, 'what a lost host held could not be taken back');
    } finally {
      this.#looking = false;
    }
    return taken;
  }

  isFenced(networkId: string): boolean {
    return this.#options.view.state.network(networkId)?.onHostLoss === 'fence';
  }

  /** Resolves once a host that is down is silent for certain; throws `unavailable` if that takes longer than there is time. */
  async untilSilent(host: HostEntry, deadline: Deadline): Promise<void> {
    const leftMs = this.silentInMs(host);
    if (leftMs === null || leftMs === 0) return;
    if (leftMs < deadline.remainingMs()) return elapsed(this.#options.time, leftMs);
    const message = `The endpoints of host ${host.name} may still be heard for ${leftMs} ms`;
    throw new SkeinError('unavailable', message, { facts: { host: host.id, retryInMs: leftMs } });
  }

  /** Null for a host that is not down: it may be heard for as long as it likes. */
  silentInMs(host: HostEntry): number | null {
    const { sightings, leaseMs, time } = this.#options;
    const seenMs = sightings.forMs(host, time.monotonicMs());
    if (host.state !== 'down') return null;
    return Math.max(0, Math.ceil(leaseMs + fenceMarginMs - seenMs));
  }

  async #reclaim(host: HostEntry): Promise<boolean> {
    const { release, isInOffice, logger } = this.#options;
    const isMeant = ({ networkId }: EndpointEntry): boolean => this.isFenced(networkId);
    if (!isInOffice() || !release.endpointsOf(host.id).some(isMeant)) return false;
    const endpoints = await release.release(host, isMeant);
    if (endpoints === null) return false;
    logger.warn({ host: host.id, endpoints }, 'what a lost host held was taken back');
    return true;
  }
}
