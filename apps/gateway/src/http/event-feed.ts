// `GET /v1/events`: the readable history from a revision on, then live. The registry's history is the one source; facts
// published on NATS only say that there may be more of it. What the history does not hold (a repaired kernel, an election) is
// passed on as it comes. A slow reader is waited for, never buffered: the next page is read when the last one has left.

import type { ServerResponse } from 'node:http';
import {
  SkeinError,
  eventTypeOf,
  isInHistory,
  type eventsContract,
  type HistoryEvent,
  type ReplyOf,
  type RequestOf,
} from '@skein/contracts';
import { cutOff } from './cut-off';
import type { EventHandler, Subscription } from '@skein/messaging';

export const maxReaders = 256;
const heartbeatMs = 15_000;
/** The history is asked again after this long even if no fact was heard. */
const pollMs = 2_000;
/** A fact can be heard before the history has it: ask again so often, so soon. */
const eagerPolls = 5;
const eagerPollMs = 100;
const pageSize = 500;
/** Uncommitted events that wait for a slow reader; older ones are dropped. */
const maxWaiting = 256;
/** A reader that takes nothing for this long is cut off; it is told why, and given as long again to hear it. */
export const stallLimitMs = 30_000;

export interface FeedRequest {
  /** First revision to send; absent: what comes from now on. */
  readonly from: number | undefined;
  readonly prefix: string | undefined;
  readonly requestId: string;
}

export interface LooseEvent {
  readonly type: string;
  readonly body: Record<string, unknown>;
}

type EventsPage = ReplyOf<typeof eventsContract>;

export interface EventSources {
  readonly history: (
    request: RequestOf<typeof eventsContract>,
    requestId: string,
  ) => Promise<EventsPage>;
  /** Every fact that is published, with its subject. */
  readonly facts: (handler: EventHandler<unknown>) => Subscription;
  /** Default `stallLimitMs`. */
  readonly stallLimitMs?: number;
}

export class EventFeed {
  readonly #sources: EventSources;
  readonly #readers = new Set<Reader>();
  #subscription: Subscription | undefined;

  constructor(sources: EventSources) {
    this.#sources = sources;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** Resolves once the reader has gone. `takeOver` is called before the first byte; what is thrown earlier is the answer. */
  async stream(
    response: ServerResponse,
    request: FeedRequest,
    takeOver: () => void,
  ): Promise<void> {
    if (this.#readers.size >= maxReaders) {
      throw new SkeinError('overloaded', `The gateway feeds ${maxReaders} readers already`);
    }
    const limitMs = this.#sources.stallLimitMs ?? stallLimitMs;
    const reader = new Reader(response, request.prefix, limitMs);
    this.#readers.add(reader);
    this.#listen();
    try {
      await this.#feed(reader, request, takeOver);
    } finally {
      this.#readers.delete(reader);
      reader.end();
    }
  }

  close(): void {
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
    for (const reader of this.#readers) reader.end();
  }

  #listen(): void {
    this.#subscription ??= this.#sources.facts((body, subject) => {
      const type = eventTypeOf(subject, body);
      if (type === undefined) return;
      const fact = { type, body: asRecord(body) };
      for (const reader of this.#readers) reader.hear(fact);
    });
  }

  async #feed(reader: Reader, request: FeedRequest, takeOver: () => void): Promise<void> {
    let next = request.from ?? (await this.#page(request, 0, 1)).revision + 1;
    takeOver();
    reader.begin(request.requestId);
    while (reader.open) {
      await reader.sendLoose();
      const page = await this.#page(request, next, pageSize).catch((thrown: unknown) => {
        const { code } = SkeinError.from(thrown);
        if (code !== 'revision_future') reader.comment(`history: ${code}`);
        return undefined;
      });
      const { events, resumeAt } = wholeRevisions(page?.events ?? [], pageSize, next);
      next = resumeAt;
      if (events.length === 0) await reader.wait();
      else await reader.send(events);
    }
  }

  #page(request: FeedRequest, from: number, limit: number): Promise<EventsPage> {
    const { prefix, requestId } = request;
    const asked = { from, limit, ...(prefix === undefined ? {} : { prefix }) };
    return this.#sources.history(asked, requestId);
  }
}

/**
 * A full page may end inside a revision. That last part is left for the next page, so that a reader which resumes after a
 * revision has seen all of it; a revision longer than a page is sent as far as the page goes.
 */
export function wholeRevisions(
  events: readonly HistoryEvent[],
  limit: number,
  from: number,
): { events: readonly HistoryEvent[]; resumeAt: number } {
  const last = events.at(-1);
  if (last === undefined) return { events, resumeAt: from };
  const whole = events.filter((event) => event.revision < last.revision);
  if (events.length < limit || whole.length === 0) return { events, resumeAt: last.revision + 1 };
  return { events: whole, resumeAt: last.revision };
}

/** The last event of each revision carries its id: a reader that was cut off in the middle gets the revision again. */
export function formatEvents(events: readonly HistoryEvent[]): string {
  return events
    .map((event, index) => {
      const ends = events[index + 1]?.revision !== event.revision;
      return `${ends ? `id: ${event.revision}\n` : ''}data: ${JSON.stringify(event)}\n\n`;
    })
    .join('');
}

class Reader {
  readonly #response: ServerResponse;
  readonly #prefix: string;
  readonly #loose: LooseEvent[] = [];
  #heartbeat: NodeJS.Timeout | undefined;
  #wake: () => void = () => undefined;
  #heard = false;
  #eager = 0;
  readonly #stallLimitMs: number;
  open = true;

  constructor(response: ServerResponse, prefix: string | undefined, limitMs: number) {
    this.#response = response;
    this.#prefix = prefix ?? '';
    this.#stallLimitMs = limitMs;
    response.on('close', () => this.end());
  }

  begin(requestId: string): void {
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-request-id': requestId,
    });
    this.comment('skein events');
    this.#heartbeat = setInterval(() => this.comment('heartbeat'), heartbeatMs);
  }

  hear(fact: LooseEvent): void {
    if (!isInHistory(fact.type) && fact.type.startsWith(this.#prefix)) {
      this.#loose.push(fact);
      if (this.#loose.length > maxWaiting) this.#loose.shift();
    }
    this.#heard = true;
    this.#eager = eagerPolls;
    this.#wake();
  }

  async sendLoose(): Promise<void> {
    const waiting = this.#loose.splice(0);
    if (waiting.length === 0) return;
    await this.#write(waiting.map((fact) => `data: ${JSON.stringify(fact)}\n\n`).join(''));
  }

  send(events: readonly HistoryEvent[]): Promise<void> {
    return this.#write(formatEvents(events));
  }

  comment(text: string): void {
    if (this.open && !this.#response.writableNeedDrain) this.#response.write(`: ${text}\n\n`);
  }

  /** Until a fact is heard, the reader goes, or the time is up. */
  async wait(): Promise<void> {
    if (!this.open || this.#heard) {
      this.#heard = false;
      return;
    }
    const ms = this.#eager > 0 ? eagerPollMs : pollMs;
    this.#eager -= 1;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#heard = false;
  }

  end(): void {
    if (!this.open) return;
    this.open = false;
    clearInterval(this.#heartbeat);
    this.#wake();
    if (this.#response.headersSent && !this.#response.writableEnded) this.#response.end();
  }

  async #write(text: string): Promise<void> {
    if (!this.open || this.#response.write(text)) return;
    await new Promise<void>((resolve) => {
      const stalled = setTimeout(() => {
        cutOff(this.#response, this.#stallLimitMs);
        this.end();
        resolve();
      }, this.#stallLimitMs);
      const settle = (): void => {
        clearTimeout(stalled);
        resolve();
      };
      this.#response.once('drain', settle);
      this.#response.once('close', settle);
    });
  }
}

function asRecord(body: unknown): Record<string, unknown> {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
}
