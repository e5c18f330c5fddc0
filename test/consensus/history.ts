// What clients of a run asked and were answered, in the order in which it happened, with the once-number of each write: enough
// to compare with the log afterwards. Decides nothing.

import { SkeinError } from '@skein/contracts';
import type { Messenger } from '@skein/messaging';
import { StoreClient } from '@skein/store-client';

/** `unknown` may have been done; `refused` must not have been. */
export type Ending =
  | { readonly kind: 'answered'; readonly reply: unknown }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'unknown'; readonly code: string };

export type Asked =
  | { readonly kind: 'get'; readonly key: string }
  | { readonly kind: 'put'; readonly key: string; readonly value: string }
  | { readonly kind: 'delete'; readonly key: string }
  | {
      readonly kind: 'swap';
      readonly key: string;
      readonly value: string;
      /** Empty: the key must not be there. */
      readonly expected: string;
    }
  | { readonly kind: 'txn'; readonly puts: Readonly<Record<string, string>> }
  | { readonly kind: 'grant'; readonly ttlMs: number }
  | { readonly kind: 'keepAlive' | 'revoke'; readonly lease: string };

export interface Recorded {
  readonly asked: Asked;
  /** Positions in one order of all calls and answers; an operation without answer ends at Infinity. */
  readonly call: number;
  readonly end: number;
  /** Milliseconds since the epoch. */
  readonly calledAt: number;
  readonly endedAt: number;
  /** `client/sequence` of a write. */
  readonly once: string | null;
  readonly ending: Ending;
}

export class HistoryRecorder {
  readonly operations: Recorded[] = [];
  private clock = 0;

  get end(): number {
    return this.clock + 1;
  }

  /** A client of its own, that does one thing at a time. */
  client(messenger: Messenger): RecordingClient {
    return new RecordingClient(this, messenger);
  }

  stamp(): number {
    return (this.clock += 1);
  }

  /** Times between acknowledged writes, of all clients together; milliseconds, since the epoch. */
  silences(): Silence[] {
    const times = this.operations
      .filter(({ once, ending }) => once !== null && ending.kind === 'answered')
      .map(({ endedAt }) => endedAt)
      .sort((one, other) => one - other);
    return times.slice(1).map((to, at) => ({ from: times[at] ?? to, to }));
  }
}

export interface Silence {
  readonly from: number;
  readonly to: number;
}

interface Numbered {
  readonly client: string;
  readonly sequence: number;
}

export class RecordingClient {
  readonly store: StoreClient;
  private sent: string | null = null;

  constructor(
    private readonly recorder: HistoryRecorder,
    messenger: Messenger,
  ) {
    this.store = StoreClient.connect(
      overheard(messenger, ({ client, sequence }) => (this.sent = `${client}/${sequence}`)),
    );
  }

  /** Does it and writes down what came of it; `undefined` if it was not answered. */
  async record<Reply>(asked: Asked, act: () => Promise<Reply>): Promise<Reply | undefined> {
    this.sent = null;
    const call = this.recorder.stamp();
    const calledAt = Date.now();
    const ending = await endingOf(act);
    const end = ending.kind === 'unknown' ? Infinity : this.recorder.stamp();
    const endedAt = Date.now();
    const { sent: once } = this;
    this.recorder.operations.push({ asked, call, end, calledAt, endedAt, once, ending });
    return ending.kind === 'answered' ? (ending.reply as Reply) : undefined;
  }
}

const open = new Set(['unknown_outcome', 'deadline_exceeded']);

async function endingOf(act: () => Promise<unknown>): Promise<Ending> {
  try {
    return { kind: 'answered', reply: await act() };
  } catch (thrown) {
    const { code } = SkeinError.from(thrown);
    return { kind: open.has(code) ? 'unknown' : 'refused', code };
  }
}

/** The messenger, with an ear for the numbers of the writes that go through it. */
function overheard(messenger: Messenger, hear: (once: Numbered) => void): Messenger {
  const request: Messenger['request'] = (contract, body, options) => {
    for (const once of numbersIn(body)) hear(once);
    return messenger.request(contract, body, options);
  };
  return new Proxy(messenger, {
    get: (target, name) => {
      if (name === 'request') return request;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

function numbersIn(body: unknown): Numbered[] {
  const { once, requests = [] } = body as { once?: Numbered; requests?: { once?: Numbered }[] };
  return [once, ...requests.map((each) => each.once)].filter((each) => each !== undefined);
}
