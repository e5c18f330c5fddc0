// Keeps the kernel's guards of fenced networks open as long as the host's lease runs, for the endpoints that the latest share
// gives this host and no others. It never closes one: time does that, whether this agent lives or not.

import type { Share } from '@skein/contracts';
import type { Logger } from '@skein/messaging';
import type { Time } from '@skein/time';
import { guardedNetworks, type GuardedNetwork } from '@skein/vxlan';
import { HostLease, type Moment } from './lease';
import type { Guard } from './ports';

export interface LeaseGuardOptions {
  readonly self: string;
  readonly netnsPrefix: string;
  /** The share that was last taken in. */
  readonly share: () => Share;
  readonly guard: Guard;
  readonly time: Pick<Time, 'monotonicMs'>;
  readonly logger: Logger;
}

/** A renewal that moves the end by less than this is left to the next one: each is a process a network. */
const leastGainMs = 400;

interface Written {
  readonly endMonotonicMs: number;
  readonly ports: string;
}

export class LeaseGuard {
  readonly #options: LeaseGuardOptions;
  readonly #lease = new HostLease();
  readonly #written = new Map<string, Written>();
  #writing: Promise<void> = Promise.resolve();

  constructor(options: LeaseGuardOptions) {
    this.#options = options;
  }

  granted(sentAt: Moment, leaseMs: number): Promise<void> {
    if (!this.#lease.granted(sentAt, leaseMs)) return Promise.resolve();
    return this.#enqueue();
  }

  /** After a share was programmed: its new ports are let in. */
  refresh(): Promise<void> {
    return this.#enqueue();
  }

  /** After guards were made anew: they are closed, whatever was written before. */
  reopen(): Promise<void> {
    this.#written.clear();
    return this.#enqueue();
  }

  #enqueue(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#renewAll());
    return this.#writing;
  }

  async #renewAll(): Promise<void> {
    const { self, netnsPrefix, share } = this.#options;
    const networks = guardedNetworks(share(), self, netnsPrefix);
    const known = new Set(networks.map(({ netns }) => netns));
    for (const netns of this.#written.keys()) if (!known.has(netns)) this.#written.delete(netns);
    await Promise.all(networks.map((network) => this.#renew(network)));
  }

  async #renew({ netns, ports }: GuardedNetwork): Promise<void> {
    const { guard, time, logger } = this.#options;
    const { end } = this.#lease;
    const leftMs = this.#lease.leftMs(time.monotonicMs());
    if (end === null || leftMs === 0) return;
    const before = this.#written.get(netns);
    const text = ports.join(' ');
    const gainMs = end.monotonicMs - (before?.endMonotonicMs ?? 0);
    if (before?.ports === text && gainMs < leastGainMs) return;
    if (await guard.renew({ netns, ports, leftMs, endWallMs: end.wallMs })) {
      this.#written.set(netns, { endMonotonicMs: end.monotonicMs, ports: text });
      return;
    }
    this.#written.delete(netns);
    logger.warn({ netns }, 'the guard could not be renewed');
  }
}
