// The NATS server as far as programs can tell: requests go to one who serves the subject, events to all who hear it, and each way
// may be cut, slow or lost. When it is down nobody reaches anybody. It must not know what is said.

import {
  SkeinError,
  speakerOf,
  type Contract,
  type ErrorBody,
  type EventContract,
} from '@skein/contracts';
import { Deadline, type RequestContext, type RequestOptions } from '@skein/messaging';
import type { StoreMessenger } from '@skein/store-client';
import type { Time } from '@skein/time';
import type { EventQueue } from '../event-queue';
import { SimulatedNetwork, type NetworkConditions } from '../network';
import type { Random } from '../random';
import type { Receiver } from './place';

export type Handler = (body: never, context: RequestContext) => unknown;

/** The name under which the server takes part in the network. */
export const hubName = 'nats';

interface Question {
  readonly kind: 'question';
  readonly subject: string;
  readonly id: number;
  readonly from: string;
  readonly body: string;
  readonly remainingMs: number;
  readonly requestId: string;
}
interface Reply {
  readonly kind: 'reply';
  readonly id: number;
  readonly to: string;
  readonly outcome: { readonly body: string } | { readonly error: ErrorBody } | 'nobody';
}
interface Publication {
  readonly kind: 'publication';
  readonly subject: string;
  readonly body: string;
}
/** Between replicas, which hear each other's own subjects. */
interface Direct {
  readonly kind: 'direct';
  readonly to: string;
  readonly run: () => void;
}
type Parcel = Question | Reply | Publication | Direct;

interface Carried {
  readonly parcel: Parcel;
  /** How often the server had gone down when it was sent: it loses what is on its way. */
  readonly downs: number;
}

interface Subscriber {
  readonly receiver: Receiver;
  readonly life: number;
  /** Of a queue one is asked; whoever is not in one is asked always. */
  readonly isQueued: boolean;
  readonly take: (parcel: Question | Publication) => void;
}

interface Asking {
  readonly settle: (outcome: Reply['outcome']) => void;
}

export class Hub {
  readonly network: SimulatedNetwork<Carried>;
  isDown = false;
  requests = 0;
  private downs = 0;
  private readonly subscribers = new Map<string, Set<Subscriber>>();
  private readonly askings = new Map<number, Asking>();
  private readonly connectedAt = new Map<string, number>();
  private readonly taken = new Set<number>();
  private nextId = 1;

  constructor(
    readonly queue: EventQueue,
    private readonly random: Random,
    conditions: NetworkConditions,
  ) {
    this.network = new SimulatedNetwork(
      queue,
      random.fork(),
      conditions,
      (to, { parcel, downs }) => {
        if (this.isDown || downs !== this.downs) return;
        if (to === hubName) this.route(parcel);
        else this.deliver(parcel);
      },
    );
  }

  /** Everybody loses the connection, and what is on its way. */
  goDown(): void {
    this.isDown = true;
    this.downs += 1;
  }

  /** Each program finds its way back in its own time. */
  comeUp(programs: readonly string[]): void {
    this.isDown = false;
    for (const name of programs) {
      this.connectedAt.set(name, this.queue.nowMs + this.random.next() * 2_000);
    }
  }

  isConnected(name: string): boolean {
    return !this.isDown && (this.connectedAt.get(name) ?? 0) <= this.queue.nowMs;
  }

  send(from: string, parcel: Parcel): void {
    if (!this.isConnected(from)) return;
    this.network.send(from, hubName, { parcel, downs: this.downs });
  }

  subscribe(subject: string, subscriber: Subscriber): () => void {
    const all = this.subscribers.get(subject) ?? new Set();
    this.subscribers.set(subject, all);
    all.add(subscriber);
    return () => all.delete(subscriber);
  }

  ask(settle: Asking['settle']): number {
    const id = this.nextId;
    this.nextId += 1;
    this.askings.set(id, { settle });
    this.requests += 1;
    return id;
  }

  /** True once for each question. */
  isFirst(id: number): boolean {
    if (this.taken.has(id)) return false;
    this.taken.add(id);
    return true;
  }

  forget(id: number): void {
    this.askings.delete(id);
  }

  chance(): number {
    return this.random.next();
  }

  private route(parcel: Parcel): void {
    if (parcel.kind === 'reply' || parcel.kind === 'direct') return this.pass(parcel.to, parcel);
    const living = [...(this.subscribers.get(parcel.subject) ?? [])].filter((each) => {
      if (each.receiver.life === each.life) return true;
      this.subscribers.get(parcel.subject)?.delete(each);
      return false;
    });
    const reached = living.filter(({ receiver }) => this.isConnected(receiver.name));
    const queued = reached.filter(({ isQueued }) => isQueued);
    const chosen = reached.filter(({ isQueued }) => !isQueued);
    if (queued.length > 0) chosen.push(this.random.pick(queued));
    if (parcel.kind === 'question' && chosen.length === 0) {
      const { id, from: to } = parcel;
      return this.pass(to, { kind: 'reply', id, to, outcome: 'nobody' });
    }
    for (const subscriber of chosen) {
      const to = subscriber.receiver.name;
      const run = (): void => {
        const { receiver, life, take } = subscriber;
        if (receiver.life === life) receiver.whenAwake(() => take(parcel));
      };
      this.pass(to, { kind: 'direct', to, run });
    }
  }

  private pass(to: string, parcel: Parcel): void {
    if (this.isConnected(to)) this.network.send(hubName, to, { parcel, downs: this.downs });
  }

  private deliver(parcel: Parcel): void {
    if (parcel.kind === 'direct') parcel.run();
    if (parcel.kind === 'reply') this.askings.get(parcel.id)?.settle(parcel.outcome);
  }
}

/** One program's connection in one life: the part of `Messenger` that domains use, and serving. */
export class HubMessenger {
  private readonly life: number;
  private requestCount = 0;

  constructor(
    private readonly hub: Hub,
    private readonly receiver: Receiver,
    private readonly time: Time,
  ) {
    this.life = receiver.life;
  }

  readonly request = (async (contract: Contract, body: unknown, options: RequestOptions = {}) => {
    const { time } = this;
    const deadline = this.deadlineOf(contract, options);
    for (let waitMs = 20; ; waitMs = Math.min(waitMs * 2, 500)) {
      try {
        return await this.once(contract, body, options, deadline);
      } catch (thrown) {
        const isNobody = thrown instanceof SkeinError && thrown.facts['nobody'] === true;
        const isOver = deadline.remainingMs() <= waitMs;
        if (!isNobody || options.retryUnavailable !== true || isOver) throw thrown;
        await new Promise<void>((resolve) => void time.after(waitMs, resolve));
      }
    }
  }) as StoreMessenger['request'];

  readonly subscribeEvent = ((event: EventContract, handler: (body: unknown) => void) => ({
    unsubscribe: this.hear(event.subject, (text) => handler(JSON.parse(text))),
  })) as unknown as StoreMessenger['subscribeEvent'];

  readonly subscribeBytes = ((subject: string, handler: (data: Uint8Array) => void) => ({
    unsubscribe: this.hear(subject, (text) => handler(encoder.encode(text))),
  })) as unknown as StoreMessenger['subscribeBytes'];

  publish(subject: string, body: unknown): void {
    this.hub.send(this.receiver.name, {
      kind: 'publication',
      subject,
      body: JSON.stringify(body),
    });
  }

  serve(
    contract: Contract,
    handler: Handler,
    options: { readonly instance?: string; readonly isQueued?: boolean } = {},
  ): () => void {
    const { hub, receiver, life } = this;
    const take = (question: Question | Publication): void => {
      if (question.kind !== 'question') return;
      // The server carries each message once at most; what may be asked twice is carried twice all the same, to be hard on it.
      const isRepeatable = contract.idempotent || contract.service === 'store';
      if (!isRepeatable && !hub.isFirst(question.id)) return;
      void this.answer(contract, handler, question);
    };
    const isQueued = options.isQueued ?? true;
    const subject = contract.servedSubject(options.instance);
    return hub.subscribe(subject, { receiver, life, isQueued, take });
  }

  private hear(subject: string, take: (text: string) => void): () => void {
    const { hub, receiver, life } = this;
    return hub.subscribe(subject, {
      receiver,
      life,
      isQueued: false,
      take: ({ body }) => take(body),
    });
  }

  private async answer(contract: Contract, handler: Handler, question: Question): Promise<void> {
    const { id, from, requestId, remainingMs, subject, body } = question;
    const deadline = Deadline.after(remainingMs, () => this.time.monotonicMs());
    let outcome: Reply['outcome'];
    try {
      const parsed = parsedBody(contract, JSON.parse(body));
      const result = await handler(parsed as never, { requestId, deadline, subject });
      outcome = { body: JSON.stringify(result) };
    } catch (thrown) {
      outcome = { error: SkeinError.from(thrown).toBody() };
    }
    if (this.receiver.life !== this.life) return;
    this.hub.send(this.receiver.name, { kind: 'reply', id, to: from, outcome });
  }

  private once(
    contract: Contract,
    body: unknown,
    options: RequestOptions,
    deadline: Deadline,
  ): Promise<unknown> {
    const { hub, receiver, time, life } = this;
    const remainingMs = deadline.remainingMs();
    if (remainingMs < 1) {
      return Promise.reject(new SkeinError('deadline_exceeded', 'The deadline has passed'));
    }
    if (!hub.isConnected(receiver.name)) return Promise.reject(nobodyThere());
    return new Promise((resolve, reject) => {
      const settle = (outcome: Reply['outcome']): void =>
        receiver.whenAwake(() => {
          if (receiver.life !== life) return;
          cancel();
          hub.forget(id);
          if (outcome === 'nobody') reject(nobodyThere());
          else if ('error' in outcome) reject(SkeinError.fromBody(outcome.error));
          else resolve(JSON.parse(outcome.body));
        });
      const id = hub.ask(settle);
      const cancel = time.after(remainingMs, () => {
        hub.forget(id);
        reject(
          contract.idempotent
            ? new SkeinError('deadline_exceeded', 'The answer did not come in time')
            : new SkeinError('unknown_outcome', 'It is not known whether it took effect'),
        );
      });
      this.requestCount += 1;
      const requestId =
        options.requestId ??
        options.context?.requestId ??
        `${receiver.name}-${life}-${this.requestCount}`;
      const { speaker } = contract;
      // One who speaks for itself only has a subject of its own; all of them are served together.
      if (speaker !== undefined) speakerOf(speaker, body);
      const subject = contract.servedSubject(speaker === undefined ? options.instance : undefined);
      const text = JSON.stringify(body);
      const from = receiver.name;
      hub.send(from, { kind: 'question', subject, id, from, body: text, remainingMs, requestId });
    });
  }

  private deadlineOf(contract: Contract, options: RequestOptions): Deadline {
    const now = (): number => this.time.monotonicMs();
    const given = [options.deadline, options.context?.deadline].filter(
      (each) => each !== undefined,
    );
    if (options.timeoutMs !== undefined) given.push(Deadline.after(options.timeoutMs, now));
    else if (options.deadline === undefined) given.push(Deadline.after(contract.timeoutMs, now));
    return given.reduce((one, other) => Deadline.earlier(one, other));
  }
}

/** The store's bodies are many, and made by its own client: they are taken as they are. */
function parsedBody(contract: Contract, body: unknown): unknown {
  if (contract.service === 'store') return body;
  const parsed = contract.request.safeParse(body);
  if (!parsed.success) throw new SkeinError('invalid_request', parsed.error.message);
  return parsed.data;
}

function nobodyThere(): SkeinError {
  return new SkeinError('unavailable', 'Nobody serves it', { facts: { nobody: true } });
}

const encoder = new TextEncoder();
