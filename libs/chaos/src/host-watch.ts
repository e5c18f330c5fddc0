// Asks the registry for the hosts, again and again: who is up, with which boot, and how much was repaired. Tells those who keep
// account; decides nothing.

import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from './clock';
import type { Ledger } from './ledger';
import type { Rest } from './rest';
import type { Weather } from './weather';

interface SeenHost {
  readonly id: string;
  readonly state: 'up' | 'down';
  readonly bootId: string;
  readonly repairs: number;
}

const everyMs = 700;
/** A host that is down now may have been since then. */
const unseenMs = 5_000;

export class HostWatch {
  #stopped = false;
  #repairs = 0;
  readonly #last = new Map<string, SeenHost>();
  readonly #newBoot: { host: string; bootId: string; known: () => void }[] = [];
  /** Times that a host was committed down. */
  downs = 0;

  constructor(
    private readonly rest: Rest,
    private readonly weather: Weather,
    private readonly ledger: Ledger,
  ) {}

  /** Repairs that agents have told of since the run began. */
  get repairs(): number {
    return this.#repairs;
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      const askedAt = nowMs();
      const { status, body } = await this.rest.ask({
        method: 'GET',
        path: '/v1/hosts?limit=100',
        timeoutMs: 3_000,
      });
      if (status === 200) for (const host of body.hosts as SeenHost[]) this.#see(host, askedAt);
      await delay(everyMs);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Calls `known` once the host has reported another boot than the one it has now. */
  onNextBoot(host: string, known: () => void): void {
    this.#newBoot.push({ host, bootId: this.#last.get(host)?.bootId ?? '', known });
  }

  #see(host: SeenHost, askedAt: number): void {
    const { id, state, repairs, bootId } = host;
    const before = this.#last.get(id);
    this.#last.set(id, host);
    // Counted by the agent since its start, told by a registry since its own.
    this.#repairs += Math.max(0, repairs - (before?.repairs ?? repairs));
    if (state === 'down' && before?.state === 'up') this.downs += 1;
    if (this.weather.seen(id, state === 'up', askedAt))
      this.ledger.distrust(id, askedAt - unseenMs);
    for (const [index, awaited] of [...this.#newBoot.entries()].toReversed()) {
      if (awaited.host !== id || awaited.bootId === bootId) continue;
      this.#newBoot.splice(index, 1);
      awaited.known();
    }
  }
}
