// From a message that came to its answer: by what its asker sees, or by the host's name servers. Knows no socket.

import {
  lookUp,
  readMessage,
  replyTo,
  type Question,
  type View,
  type ViewAnswer,
} from '@skein/names';
import type { Via } from './forwarder';

export type Respond = (message: Buffer, via: Via, from: string) => Promise<Buffer | null>;

export interface Elsewhere {
  /** Never rejects; null: no answer. */
  ask(question: Buffer, via: Via): Promise<Buffer | null>;
}

export class Responder {
  readonly #elsewhere: Elsewhere;
  #turn = 0;

  constructor(elsewhere: Elsewhere) {
    this.#elsewhere = elsewhere;
  }

  /** Null: nothing to say. */
  async respond(message: Buffer, via: Via, view: View): Promise<Buffer | null> {
    const read = readMessage(message, via);
    if (read.kind === 'nothing') return null;
    if (read.kind === 'refusal') return read.reply;
    this.#turn = (this.#turn + 1) % 0x10000;
    const answer = lookUp(read.question, view, this.#turn);
    if (answer.code !== 'forward') return known(read.question, answer, view.forwards);
    const told = await this.#elsewhere.ask(message, via);
    return told ?? replyTo(read.question, { code: 'serverFailed', forwards: true });
  }
}

function known(
  question: Question,
  answer: Exclude<ViewAnswer, { code: 'forward' }>,
  forwards: boolean,
): Buffer {
  switch (answer.code) {
    case 'found':
      return replyTo(question, { code: 'noError', records: answer.records, forwards });
    case 'nameUnknown':
    case 'refused':
      return replyTo(question, { code: answer.code, forwards });
  }
}
