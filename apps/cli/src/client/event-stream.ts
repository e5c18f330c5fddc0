// The gateway's event stream as it goes on: after a break it is resumed behind the last revision that was seen.

import { SkeinError } from '@skein/contracts';
import { createParser } from 'eventsource-parser';
import type { Api, Json } from './api';

const againMs = 500;

export interface FollowOptions {
  /** First revision to hear of; absent: what comes from now on. */
  readonly from?: number | undefined;
  readonly prefix?: string | undefined;
  readonly signal: AbortSignal;
  readonly onEvent: (event: Json) => void;
  /** From now on nothing is missed. */
  readonly onOpen?: () => void;
  /** True: a gateway that cannot be reached is tried again from the start on. */
  readonly isPatient?: boolean;
}

/** Resolves when the signal is given; rejects if it can't be opened at first or be resumed ever, unless it is patient. */
export async function followEvents(api: Api, options: FollowOptions): Promise<void> {
  const { prefix, signal, onEvent, isPatient = false } = options;
  let { from } = options;
  let hasOpened = false;
  while (!signal.aborted) {
    try {
      // Who is told each event once must not miss those of a break before the first one.
      if (!isPatient) from ??= await nextRevision(api, signal);
      const response = await api.open('/v1/events', { from, prefix }, signal, 'text/event-stream');
      hasOpened = true;
      options.onOpen?.();
      const parser = createParser({
        onEvent: ({ id, data }) => {
          if (id !== undefined) from = Number(id) + 1;
          onEvent(JSON.parse(data));
        },
      });
      const decoder = new TextDecoder();
      for await (const part of response.body as AsyncIterable<Uint8Array>) {
        parser.feed(decoder.decode(part, { stream: true }));
      }
    } catch (thrown) {
      if (signal.aborted) return;
      const isLost = SkeinError.from(thrown).code === 'revision_compacted';
      if (!isPatient && (!hasOpened || isLost)) throw thrown;
    }
    await new Promise((resolve) => setTimeout(resolve, againMs));
  }
}

async function nextRevision(api: Api, signal: AbortSignal): Promise<number> {
  const query = { from: 0, limit: 1 };
  const response = await api.open('/v1/events', query, signal, 'application/json');
  const { revision } = (await response.json()) as { revision: number };
  return revision + 1;
}
