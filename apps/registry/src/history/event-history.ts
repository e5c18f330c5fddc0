// Past events, as far as the view has got: an answer waits for the history to have been written that far.

import type { ParsedRequestOf, ReplyOf, eventsContract } from '@skein/contracts';
import type { CommittedView } from '@skein/registry';
import type { HistoryStore } from './history-store';
import type { HistoryWriter } from './history-writer';

/** Longest wait for the history to have what the view has. */
const catchUpMs = 1_000;

export class EventHistory {
  readonly #view: CommittedView;
  readonly #store: HistoryStore;
  readonly #writer: HistoryWriter;

  constructor(view: CommittedView, store: HistoryStore, writer: HistoryWriter) {
    this.#view = view;
    this.#store = store;
    this.#writer = writer;
  }

  /** `revision` of the answer: nothing up to it is missing, unless the limit cut the list short. */
  async since(
    request: ParsedRequestOf<typeof eventsContract>,
  ): Promise<ReplyOf<typeof eventsContract>> {
    await this.#writer.reached(this.#view.revision, catchUpMs);
    const revision = this.#writer.written;
    return { events: await this.#store.events(request), revision };
  }
}
