// The gateway's events for as long as the page is open: resumed after the last revision that was heard, tried again ever more
// slowly while the gateway is away. Read with fetch, since the browser's own EventSource can't carry a token.

import type { HistoryEvent } from '@skein/contracts';
import { createParser } from 'eventsource-parser';
import { backoffMs } from '../model/backoff';
import { Problem, type GatewayClient } from './client';

/** The gateway says something every 15 seconds; a stream that is silent for longer is dead. */
const silenceLimitMs = 40_000;

/** An event of the history, or one that passes without a revision. */
export type LiveEvent = Pick<HistoryEvent, 'type' | 'body'> & Partial<HistoryEvent>;

export interface StreamEar {
  /** The stream is open, and goes on after `revision`. */
  readonly opened: () => void;
  readonly heard: (events: readonly LiveEvent[]) => void;
  /** It ended or could not be opened; it will be tried again at `retryAt`. */
  readonly lost: (problem: Problem, retryAt: number) => void;
}

export class EventStream {
  readonly #client: GatewayClient;
  readonly #ear: StreamEar;
  readonly #closed = new AbortController();
  #after: number;
  #attempt = 0;
  #hurry: () => void = () => undefined;

  /** `after`: the revision up to which all is known. */
  constructor(client: GatewayClient, after: number, ear: StreamEar) {
    this.#client = client;
    this.#after = after;
    this.#ear = ear;
  }

  async run(): Promise<void> {
    while (!this.#closed.signal.aborted) {
      const problem = await this.#read().catch(asProblem);
      if (this.#closed.signal.aborted) return;
      const waitMs = backoffMs(this.#attempt, Math.random());
      this.#attempt += 1;
      this.#ear.lost(problem, Date.now() + waitMs);
      await this.#pause(waitMs);
    }
  }

  /** Does not wait any longer. */
  retryNow(): void {
    this.#hurry();
  }

  close(): void {
    this.#closed.abort();
    this.#hurry();
  }

  async #read(): Promise<Problem> {
    const silence = new AbortController();
    let timer = 0;
    const stir = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => silence.abort(), silenceLimitMs);
    };
    stir();
    try {
      const signal = AbortSignal.any([this.#closed.signal, silence.signal]);
      const headers = { accept: 'text/event-stream', 'last-event-id': String(this.#after) };
      const response = await this.#client.open('/v1/events', headers, signal);
      this.#attempt = 0;
      this.#ear.opened();
      await this.#parse(response, stir);
      return new Problem('gateway_away', 'The gateway has closed the stream', 0);
    } finally {
      window.clearTimeout(timer);
    }
  }

  async #parse(response: Response, stir: () => void): Promise<void> {
    let heard: LiveEvent[] = [];
    const parser = createParser({
      onEvent: ({ data, id }) => {
        heard.push(JSON.parse(data) as LiveEvent);
        if (id !== undefined) this.#after = Number(id);
      },
    });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const part = await reader?.read();
      if (part === undefined || part.done) return;
      stir();
      parser.feed(part.value);
      if (heard.length > 0) this.#ear.heard(heard);
      heard = [];
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = window.setTimeout(resolve, ms);
      this.#hurry = () => {
        window.clearTimeout(timer);
        resolve();
      };
    });
  }
}

function asProblem(thrown: unknown): Problem {
  return thrown instanceof Problem
    ? thrown
    : new Problem('gateway_away', 'The gateway has gone away', 0);
}
