// Gathers attaches that come at once to one network into one message to the registry. Each keeps its own request id, answer and
// refusal, as if it had gone alone; a request with nobody beside it and no key does go alone. Knows no HTTP.

import {
  createEndpointsContract,
  createEndpointsEachContract,
  maxBatch,
  SkeinError,
  type EndpointSpec,
  type ReplyOf,
  type RequestKey,
} from '@skein/contracts';
import { onBehalfOf, type Messenger } from '@skein/messaging';

export interface Attach {
  readonly network: string;
  readonly endpoint: EndpointSpec;
  readonly waitMs: number;
  readonly requestId: string;
  /** To be committed with the endpoint, so that it is attached at most once. */
  readonly once?: RequestKey;
}

/** As the registry answers an attach of one. */
export type Attached = ReplyOf<typeof createEndpointsContract> & { readonly isReplayed?: true };

interface Waiting {
  readonly attach: Attach;
  readonly size: number;
  readonly resolve: (attached: Attached) => void;
  readonly reject: (thrown: unknown) => void;
}

/** Messages of one network on their way at once: one is worked on while hosts program another. */
const maxInFlight = 3;
/** A message that takes longer (a host is behind) holds up nobody. */
const holdMs = 150;
/** Those who were answered together ask again one after the other: whoever comes first waits this long for the rest at most. */
const settleMs = 20;
/** Text of the endpoints of one message, so that neither it nor its answer exceeds what NATS carries. */
const maxCharacters = 128 * 1_024;
/** Beyond the wait itself: two commits, and an election if there must be one. */
export const attachMarginMs = 12_000;

export class AttachGatherer {
  readonly #messenger: Pick<Messenger, 'request'>;
  readonly #lanes = new Map<string, Lane>();

  /** `nowMs` never goes backwards. */
  constructor(
    messenger: Pick<Messenger, 'request'>,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.#messenger = messenger;
  }

  /** Throws as a request for this endpoint alone does. */
  attach(attach: Attach): Promise<Attached> {
    const name = `${attach.waitMs} ${attach.network}`;
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = new Lane(this.#messenger, this.nowMs, () => this.#lanes.delete(name));
      this.#lanes.set(name, lane);
    }
    return lane.add(attach);
  }
}

/** Attaches to one network that wait equally long. */
class Lane {
  #queue: Waiting[] = [];
  #inFlight = 0;
  #scheduled = false;
  #added = 0;

  constructor(
    private readonly messenger: Pick<Messenger, 'request'>,
    private readonly nowMs: () => number,
    private readonly onIdle: () => void,
  ) {}

  add(attach: Attach): Promise<Attached> {
    return new Promise((resolve, reject) => {
      const size = JSON.stringify(attach.endpoint).length;
      this.#queue.push({ attach, size, resolve, reject });
      this.#added += 1;
      this.#schedule();
    });
  }

  /** Once a turn of the loop has brought nothing more: everything that has arrived has been read. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const until = this.nowMs() + settleMs;
    const look = (added: number): void => {
      if (this.#added > added && this.nowMs() < until) {
        setImmediate(look, this.#added);
        return;
      }
      this.#scheduled = false;
      while (this.#queue.length > 0 && this.#inFlight < maxInFlight) this.#send(this.#take());
      if (this.#queue.length === 0 && this.#inFlight === 0) this.onIdle();
    };
    setImmediate(look, this.#added - 1);
  }

  #take(): Waiting[] {
    let size = 0;
    let taken = 0;
    for (const waiting of this.#queue) {
      size += waiting.size;
      if (taken > 0 && (size > maxCharacters || taken >= maxBatch)) break;
      taken += 1;
    }
    return this.#queue.splice(0, taken);
  }

  #send(batch: readonly Waiting[]): void {
    let isHeld = true;
    const letGo = (): void => {
      if (!isHeld) return;
      isHeld = false;
      clearTimeout(timer);
      this.#inFlight -= 1;
      this.#schedule();
    };
    const timer = setTimeout(letGo, holdMs);
    this.#inFlight += 1;
    const isAlone = batch.length === 1 && batch[0]?.attach.once === undefined;
    void (isAlone ? this.#sendAlone(batch[0]) : this.#sendEach(batch)).finally(letGo);
  }

  async #sendAlone(waiting: Waiting | undefined): Promise<void> {
    if (waiting === undefined) return;
    const { network, endpoint, waitMs, requestId } = waiting.attach;
    const request = { network, endpoints: [endpoint], waitMs };
    const options = { requestId, timeoutMs: waitMs + attachMarginMs, retryUnavailable: true };
    await this.messenger
      .request(createEndpointsContract, request, options)
      .then(waiting.resolve, waiting.reject);
  }

  async #sendEach(batch: readonly Waiting[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    const { network, waitMs } = first.attach;
    const onBehalf = onBehalfOf(batch.map(({ attach }) => attach.requestId));
    const attaches = batch.map(({ attach }) => ({
      endpoint: attach.endpoint,
      request: attach.requestId,
      ...(attach.once === undefined ? {} : { once: attach.once }),
    }));
    const options = { ...onBehalf, timeoutMs: waitMs + attachMarginMs, retryUnavailable: true };
    try {
      const request = { network, attaches, waitMs };
      const reply = await this.messenger.request(createEndpointsEachContract, request, options);
      for (const [at, waiting] of batch.entries()) answer(waiting, reply, at);
    } catch (thrown) {
      for (const { reject } of batch) reject(thrown);
    }
  }
}

function answer(
  { resolve, reject }: Waiting,
  { attached, behind }: ReplyOf<typeof createEndpointsEachContract>,
  at: number,
): void {
  const own = attached[at];
  if (own === undefined) reject(new SkeinError('unknown_outcome', 'The answer is incomplete'));
  else if (!own.ok) reject(SkeinError.fromBody(own.error));
  else {
    const { endpoint, faults, isReplayed } = own;
    const attached = { endpoints: [endpoint], revision: endpoint.revision, behind, faults };
    resolve(isReplayed === true ? { ...attached, isReplayed } : attached);
  }
}
