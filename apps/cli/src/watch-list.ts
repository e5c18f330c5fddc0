// A list that is shown again whenever something happens: on the gateway's events, and now and then for what no event tells. What has
// not changed is not printed again.

import { setTimeout as delay } from 'node:timers/promises';
import { SkeinError } from '@skein/contracts';
import pc from 'picocolors';
import { followEvents } from './client/event-stream';
import { Output } from './output/output';
import { time } from './output/table';
import type { Session } from './session';

/** However much happens, it is not looked more often. */
const leastMs = 200;
const everyMs = 5_000;

/** Until Ctrl-C. Rejects if the first look fails: then there is nothing to watch. */
export async function watchList(
  { api, out }: Session,
  look: (session: Session) => Promise<void>,
): Promise<void> {
  const control = new AbortController();
  const { signal } = control;
  let wake: () => void = () => undefined;
  process.once('SIGINT', () => {
    control.abort();
    wake();
  });
  const watched = new WatchedOutput(out.json);
  await look({ api, out: watched });
  // What happens while it is being looked is looked for again.
  let isDue = false;
  const onEvent = (): void => {
    isDue = true;
    wake();
  };
  const following = followEvents(api, {
    signal,
    isPatient: true,
    onEvent,
    onOpen: onEvent,
  });
  while (!signal.aborted) {
    if (!isDue)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, everyMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    if (signal.aborted) break;
    isDue = false;
    await look({ api, out: watched }).catch((thrown: unknown) => watched.fail(thrown));
    await delay(leastMs);
  }
  await following;
}

/** Of answers that are alike only the first is printed: a line of JSON each, or a screen. */
class WatchedOutput extends Output {
  #last = '';

  override show<T>(value: T, render: (value: T) => string): void {
    this.#print(this.json ? JSON.stringify(value) : render(value));
  }

  fail(thrown: unknown): void {
    const { code, message } = SkeinError.from(thrown);
    this.#print(this.json ? JSON.stringify({ error: { code, message } }) : pc.red(message));
  }

  #print(text: string): void {
    if (text === this.#last) return;
    this.#last = text;
    if (this.json) this.line(text);
    else this.screen(`${pc.dim(time(Date.now()) ?? '')}\n${text}`);
  }
}
