// One NATS connection and all that an application does with it: ask, answer, publish facts, hear them, carry bytes.
// It knows subjects and bodies by their contracts and nothing of what they mean.

import type { NatsConnection } from '@nats-io/transport-node';
import {
  SkeinError,
  type Contract,
  type EventContract,
  type ReplyOf,
  type RequestOf,
} from '@skein/contracts';
import type { z } from 'zod';
import { followStatus, openConnection, pause, type ConnectionStatus } from './connection';
import { Deadline } from './deadline';
import { silentLogger, type Logger } from './logger';
import type { ConversationObserver, Observed } from './observer';
import { Requester, type RequestOptions } from './requester';
import { ServiceEndpoints } from './service-endpoints';
import type { ServiceDefinition } from './service-protocol';
import type { NatsSettings } from './settings';
import { logHandlerFault, subscribeGuarded, type Subscription } from './subscription';
import type { Traced, Tracing } from './tracing';
import { parseBody } from './validation';
import { decodeJson, encodeJson } from './wire';

export type EventHandler<Body> = (body: Body, subject: string) => void | Promise<void>;
export type BytesHandler = (data: Uint8Array, subject: string, reply?: string) => void;

/** How long a reconnection waits for answers, and how often it looks. */
const quietLimitMs = 5_000;
const quietPollMs = 5;

export class Messenger {
  readonly #connection: NatsConnection;
  readonly #logger: Logger;
  readonly #checkReplies: boolean;
  readonly #requester: Requester;
  readonly #services: ServiceEndpoints[] = [];
  readonly #listeners = new Set<(status: ConnectionStatus) => void>();
  #status: ConnectionStatus = 'connected';
  #drained: Promise<void> | undefined;
  readonly #observed: Observed = { by: undefined };
  readonly #traced: Traced = { by: undefined };

  private constructor(connection: NatsConnection, settings: NatsSettings, logger: Logger) {
    this.#connection = connection;
    this.#logger = logger;
    this.#checkReplies = settings.checkReplies ?? false;
    this.#requester = new Requester(connection, () => this.connected, this.#traced);
  }

  /** Waits for the server, up to `settings.connectTimeoutMs`; later it reconnects for ever. Throws a SkeinError. */
  static async connect(settings: NatsSettings, logger: Logger = silentLogger): Promise<Messenger> {
    const connection = await openConnection(settings, logger);
    const messenger = new Messenger(connection, settings, logger);
    void followStatus(connection, logger, (status) => messenger.#changed(status));
    return messenger;
  }

  get connected(): boolean {
    return this.#status === 'connected';
  }

  /** Calls back at each change of the connection; the answer ends it. */
  onStatus(listener: (status: ConnectionStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Asks, and gives the answer or throws a SkeinError. */
  request<C extends Contract>(
    contract: C,
    body: RequestOf<C>,
    options: RequestOptions = {},
  ): Promise<ReplyOf<C>> {
    const asked = this.#requester.request(contract, body, options);
    return this.#observed.by === undefined ? asked : this.#timed(contract, asked);
  }

  /** From now on the observer is told of each conversation; one takes the place of another. */
  observe(observer: ConversationObserver | undefined): void {
    this.#observed.by = observer;
  }

  /** From now on requests are followed; one takes the place of another. */
  follow(tracing: Tracing | undefined): void {
    this.#traced.by = tracing;
  }

  /** For parts of a request that are no conversation. */
  get tracing(): Tracing | undefined {
    return this.#traced.by;
  }

  async #timed<Reply>({ service, verb }: Contract, asked: Promise<Reply>): Promise<Reply> {
    const startedAt = performance.now();
    const tell = (code: string): void =>
      this.#observed.by?.asked(`${service}.${verb}`, performance.now() - startedAt, code);
    try {
      const reply = await asked;
      tell('ok');
      return reply;
    } catch (thrown) {
      tell(SkeinError.from(thrown).code);
      throw thrown;
    }
  }

  publishEvent<E extends EventContract>(event: E, body: z.input<E['body']>): void {
    if (this.#checkReplies) parseBody(event.body, body, `Event ${event.noun}.${event.verb}`);
    this.publishBytes(event.subjectOf(body), encodeJson(body));
  }

  /**
   * Bodies that do not fit the event's schema, or speak for another than their subject, are dropped and logged; a bare
   * subject pattern takes any JSON.
   */
  subscribeEvent<E extends EventContract>(
    event: E,
    handler: EventHandler<z.output<E['body']>>,
  ): Subscription;
  subscribeEvent(pattern: string, handler: EventHandler<unknown>): Subscription;
  subscribeEvent(event: EventContract | string, handler: EventHandler<never>): Subscription {
    const subject = typeof event === 'string' ? event : event.subject;
    return this.subscribeBytes(subject, (data, actualSubject) => {
      const body = decodeJson(data);
      const parsed = typeof event === 'string' ? body : parseEvent(event, body, actualSubject);
      const handled = handler(parsed as never, actualSubject);
      if (handled instanceof Promise) {
        handled.catch((thrown: unknown) => logHandlerFault(this.#logger, actualSubject, thrown));
      }
    });
  }

  /** Lists a service with NATS' services protocol; what it serves is added to the result. */
  service(definition: ServiceDefinition): ServiceEndpoints {
    const options = {
      logger: this.#logger,
      checkReplies: this.#checkReplies,
      observed: this.#observed,
      traced: this.#traced,
    };
    const service = new ServiceEndpoints(this.#connection, definition, options);
    this.#services.push(service);
    return service;
  }

  /** Best effort: what is published while the connection is down is lost. */
  publishBytes(subject: string, data: Uint8Array): void {
    if (this.connected && !this.#connection.isClosed()) this.#connection.publish(subject, data);
  }

  subscribeBytes(
    subject: string,
    handler: BytesHandler,
    options: { readonly queue?: string | undefined } = {},
  ): Subscription {
    return subscribeGuarded(
      this.#connection,
      subject,
      (message) => handler(message.data, message.subject, message.reply),
      { queue: options.queue, logger: this.#logger },
    );
  }

  /**
   * Connects anew, with the credentials of now. Subscriptions stay. Waits, for a while, until what was asked is answered: a
   * server lets nobody answer on another connection than the one that was asked.
   */
  async reconnect(): Promise<void> {
    const limit = Deadline.after(quietLimitMs);
    const isBusy = () => this.#services.some((service) => service.pending > 0);
    while (isBusy() && !limit.expired) await pause(quietPollMs);
    if (this.connected) await this.#connection.reconnect();
  }

  /** Resolves when the server has all that was sent so far. */
  async flush(): Promise<void> {
    await this.#connection.flush();
  }

  /** Stops all services, answers what had arrived, sends what is left and closes. */
  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  async #drain(): Promise<void> {
    if (this.connected) await Promise.all(this.#services.map((service) => service.stop()));
    if (this.#connection.isClosed()) return;
    await (this.connected ? this.#connection.drain() : this.#connection.close());
  }

  #changed(status: ConnectionStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    for (const listener of this.#listeners) listener(status);
  }
}

function parseEvent(event: EventContract, body: unknown, subject: string): unknown {
  const parsed = parseBody(event.body, body, 'The event');
  if (event.subjectOf(parsed) === subject) return parsed;
  throw new SkeinError('host_mismatch', `The event speaks for another than '${subject}'`);
}
