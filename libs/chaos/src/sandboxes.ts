// The sandboxes of a run: bare network namespaces with a prober's socket inside, taken by clients one at a time, made anew now and
// then. A sandbox belongs to a host and goes with that host's boot.

import type { Random } from '@skein/simulation';
import { netnsOfContainer } from '@skein/local-cluster';
import { sandboxes, type Sandbox } from './plan';
import type { Prober } from './prober';
import type { World } from './world';

interface Slot extends Sandbox {
  /** Grows each time it is made: the name of the namespace follows. */
  life: number;
  state: 'free' | 'taken' | 'away';
}

export interface Taken {
  readonly name: string;
  readonly host: string;
  readonly netns: string;
  readonly life: number;
}

export class Sandboxes {
  readonly #slots: Slot[] = sandboxes.map((one) => ({ ...one, life: 0, state: 'away' }));

  constructor(
    private readonly world: World,
    private readonly prober: Prober,
  ) {}

  async open(): Promise<void> {
    for (const slot of this.#slots) await this.#make(slot);
  }

  take(host: string, random: Random): Taken | undefined {
    const free = this.#slots.filter((slot) => slot.host === host && slot.state === 'free');
    if (free.length === 0) return undefined;
    const slot = random.pick(free);
    slot.state = 'taken';
    return this.#taken(slot);
  }

  /** Whether it is still the one that was taken. */
  has({ name, life }: Taken): boolean {
    return this.#slots.some(
      (slot) => slot.name === name && slot.life === life && slot.state === 'taken',
    );
  }

  /** Given back: as it is, or made anew. Nothing for one whose life is over. */
  async giveBack({ name, life }: Taken, anew: boolean): Promise<void> {
    const slot = this.#slots.find((one) => one.name === name);
    if (slot === undefined || slot.life !== life || slot.state !== 'taken') return;
    if (!anew) {
      slot.state = 'free';
      return;
    }
    slot.state = 'away';
    await this.#unmake(slot);
    await this.#make(slot);
  }

  /** All of a host's go, whoever has them. */
  async lose(host: string): Promise<void> {
    const lost = this.#slots.filter((slot) => slot.host === host && slot.state !== 'away');
    for (const slot of lost) slot.state = 'away';
    for (const slot of lost) await this.#unmake(slot);
  }

  /** Those of a host that went come back, free. */
  async bringBack(host: string): Promise<void> {
    for (const slot of this.#slots) {
      if (slot.host === host && slot.state === 'away') await this.#make(slot);
    }
  }

  #taken({ name, host, life }: Slot): Taken {
    const netns = `/run/netns/${netnsOfContainer(containerOf(name, life))}`;
    return { name, host, netns, life };
  }

  async #make(slot: Slot): Promise<void> {
    slot.life += 1;
    const name = containerOf(slot.name, slot.life);
    const { netns } = await this.world.cluster.control.call('addContainer', { name });
    await this.prober.open(slot.name, netns);
    slot.state = 'free';
  }

  async #unmake(slot: Slot): Promise<void> {
    this.prober.close(slot.name);
    const name = containerOf(slot.name, slot.life);
    await this.world.cluster.control.call('removeContainer', { name });
  }
}

const containerOf = (name: string, life: number): string => `${name}-${life}`;
