// Looks at the roster again and again and commits what the liveness rule decides. Holds still for a while after it began
// and after the store failed: heartbeats need time to arrive before silence means anything.

import type { Logger } from '@skein/messaging';
import { every, type Time } from '@skein/time';
import type { CommittedView } from '../state/committed-view';
import type { HostRegistry } from './host-registry';
import { decideCut, type LivenessLimits } from './liveness-rule';
import type { Roster } from './roster';

export interface LivenessOptions {
  readonly view: CommittedView;
  readonly roster: Roster;
  readonly registry: HostRegistry;
  readonly time: Time;
  readonly logger: Logger;
  readonly limits: LivenessLimits;
  readonly holdDownMs: number;
}

const intervalMs = 200;
/** A longer pause than this between two looks means that this process itself stood still. */
const stallMs = 1_000;

export class LivenessLoop {
  readonly #options: LivenessOptions;
  #holdDownUntil: number;
  #lookedAt: number;
  #cutsAt: number[] = [];
  #cancel: (() => void) | undefined;
  #looking = false;

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#lookedAt = options.time.monotonicMs();
    this.#holdDownUntil = this.#lookedAt + options.holdDownMs;
  }

  start(): void {
    this.#cancel = every(this.#options.time, intervalMs, () => void this.look());
  }

  stop(): void {
    this.#cancel?.();
  }

  /** One look; answers the hosts that it committed down. */
  async look(): Promise<string[]> {
    if (this.#looking) return [];
    this.#looking = true;
    try {
      return await this.#look();
    } catch (thrown) {
      this.#options.logger.warn({ error: String(thrown) }, 'a cut could not be committed');
      this.#holdDown();
      return [];
    } finally {
      this.#looking = false;
      this.#lookedAt = this.#options.time.monotonicMs();
    }
  }

  async #look(): Promise<string[]> {
    const { view, roster, registry, time, logger, limits } = this.#options;
    const now = time.monotonicMs();
    if (now - this.#lookedAt > stallMs) this.#holdDown();
    this.#cutsAt = this.#cutsAt.filter((at) => now - at < limits.brakeMs);
    const hosts = roster.observe(view.state.hosts());
    const holdDownUntil = this.#holdDownUntil;
    const cut = decideCut({ now, holdDownUntil, hosts, cutsAt: this.#cutsAt }, limits);
    if (cut.braked.length > 0) logger.warn({ hosts: cut.braked }, 'the brake holds a cut back');
    if (cut.down.length === 0) return [];
    if (!(await registry.takeDown(cut.down))) return [];
    this.#cutsAt.push(...cut.down.map(() => now));
    for (const { host, reason } of cut.down) logger.warn({ host, reason }, 'host down');
    return cut.down.map(({ host }) => host);
  }

  #holdDown(): void {
    const { time, holdDownMs } = this.#options;
    this.#holdDownUntil = time.monotonicMs() + holdDownMs;
  }
}
