// Publishes facts on their event subjects once they are committed. Only the active replica speaks; one that has just become
// active repeats what it saw lately, since its predecessor may not have said it. Every body carries its revision, by which
// listeners tell repetitions.

import type { RevisionEvents } from '@skein/contracts';
import type { Messenger } from '@skein/messaging';
import type { Time } from '@skein/time';
import { factsOf, type Fact } from './facts';

/** What a new active replica says again. */
export const recentMs = 5_000;
export const maxRecent = 1_024;

interface Recent {
  readonly seenAt: number;
  readonly fact: Fact;
}

export class Announcer {
  readonly #messenger: Pick<Messenger, 'publishEvent'>;
  readonly #time: Time;
  #recent: Recent[] = [];
  #speaks = false;

  constructor(messenger: Pick<Messenger, 'publishEvent'>, time: Time) {
    this.#messenger = messenger;
    this.#time = time;
  }

  take(revisions: readonly RevisionEvents[]): void {
    const seenAt = this.#time.monotonicMs();
    for (const fact of revisions.flatMap(factsOf)) {
      this.#recent.push({ seenAt, fact });
      if (this.#speaks) this.#publish(fact);
    }
    // Cut to half at a time, so that it costs little a revision.
    if (this.#recent.length > maxRecent) this.#recent = this.#recent.slice(-maxRecent / 2);
  }

  speak(): void {
    if (this.#speaks) return;
    this.#speaks = true;
    const now = this.#time.monotonicMs();
    for (const { seenAt, fact } of this.#recent) {
      if (now - seenAt < recentMs) this.#publish(fact);
    }
  }

  fallSilent(): void {
    this.#speaks = false;
  }

  #publish({ event, body }: Fact): void {
    this.#messenger.publishEvent(event, body);
  }
}
