// A service: the contracts that this process serves at the moment. Endpoints come and go at run time (a leader takes
// office, an actor is activated); the service stays listed. All instances of a contract are reported as one endpoint.

import { nuid, type NatsConnection } from '@nats-io/transport-node';
import { subjectPrefix, type Contract } from '@skein/contracts';
import { EndpointStats } from './endpoint-stats';
import type { Logger } from './logger';
import type { Observed } from './observer';
import {
  report,
  type ReportedEndpoint,
  type ReportedService,
  type ServiceDefinition,
} from './service-protocol';
import { defaultMaxPending, ServedSubject, type Handler, type Serving } from './serving';
import type { Subscription } from './subscription';
import type { Traced } from './tracing';

export interface ServeOptions {
  /** Required exactly when the contract is per instance. */
  readonly instance?: string | undefined;
  /** Members of a queue group share the requests; `null` for none. Default `q`. */
  readonly queue?: string | null | undefined;
  /** Requests that may run at once; further ones are refused as `overloaded`. */
  readonly maxPending?: number | undefined;
}

export const defaultQueue = 'q';

interface Endpoint {
  readonly contract: Contract;
  readonly queue: string | undefined;
  readonly stats: EndpointStats;
  readonly subjects: Map<string, Serving>;
}

export class ServiceEndpoints implements ReportedService {
  readonly definition: ServiceDefinition;
  readonly id: string;
  readonly started = new Date().toISOString();
  readonly #connection: NatsConnection;
  readonly #logger: Logger;
  readonly #checkReplies: boolean;
  readonly #observed: Observed;
  readonly #traced: Traced;
  readonly #endpoints = new Map<Contract, Endpoint>();
  readonly #reporting: Subscription[];
  #stopped: Promise<void> | undefined;

  constructor(
    connection: NatsConnection,
    definition: ServiceDefinition,
    options: {
      readonly logger: Logger;
      readonly checkReplies: boolean;
      readonly observed?: Observed;
      readonly traced?: Traced;
    },
  ) {
    if (!/^[-\w]+$/.test(definition.name))
      throw new Error(`'${definition.name}' can't name a service`);
    this.definition = definition;
    this.id = definition.instanceId ?? nuid.next();
    this.#connection = connection;
    this.#logger = options.logger;
    this.#checkReplies = options.checkReplies;
    this.#observed = options.observed ?? { by: undefined };
    this.#traced = options.traced ?? { by: undefined };
    this.#reporting = report(connection, this, options.logger);
  }

  serve<C extends Contract>(contract: C, handler: Handler<C>, options: ServeOptions = {}): Serving {
    if (this.#stopped !== undefined) throw new Error(`service ${this.definition.name} has stopped`);
    const subject = contract.servedSubject(options.instance);
    const endpoint = this.#endpoint(contract, options);
    if (endpoint.subjects.has(subject)) throw new Error(`'${subject}' is served already`);
    const served = new ServedSubject({
      connection: this.#connection,
      logger: this.#logger,
      contract,
      subject,
      queue: endpoint.queue,
      maxPending: options.maxPending ?? defaultMaxPending,
      checkReplies: this.#checkReplies,
      observed: this.#observed,
      traced: this.#traced,
      stats: endpoint.stats,
      handler,
    });
    const serving: Serving = {
      get pending() {
        return served.pending;
      },
      stop: () => {
        if (endpoint.subjects.get(subject) === serving) endpoint.subjects.delete(subject);
        return served.stop();
      },
    };
    endpoint.subjects.set(subject, serving);
    return serving;
  }

  /** Requests that have arrived and are not answered. */
  get pending(): number {
    const servings = [...this.#endpoints.values()].flatMap(({ subjects }) => [
      ...subjects.values(),
    ]);
    return servings.reduce((sum, { pending }) => sum + pending, 0);
  }

  /** What is served now; counts of a contract go on when it is left and taken up again. */
  endpoints(): ReportedEndpoint[] {
    return [...this.#endpoints.values()]
      .filter(({ subjects }) => subjects.size > 0)
      .map(({ contract, queue, stats, subjects }) => ({
        contract,
        queue,
        counts: stats.counts(),
        subject: reportedSubject(contract, [...subjects.keys()]),
      }));
  }

  /** Leaves every subject, answers what had arrived, and is listed no more. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const servings = [...this.#endpoints.values()].flatMap(({ subjects }) => [
      ...subjects.values(),
    ]);
    await Promise.all(servings.map((serving) => serving.stop()));
    await Promise.all(this.#reporting.map((subscription) => subscription.drain()));
  }

  #endpoint(contract: Contract, options: ServeOptions): Endpoint {
    const known = this.#endpoints.get(contract);
    if (known !== undefined) return known;
    const queue = options.queue === null ? undefined : (options.queue ?? defaultQueue);
    const made = {
      contract,
      queue,
      stats: new EndpointStats(),
      subjects: new Map<string, Serving>(),
    };
    this.#endpoints.set(contract, made);
    return made;
  }
}

/** The subject itself, or a pattern over all instances of one contract. */
function reportedSubject(contract: Contract, subjects: readonly string[]): string {
  const [only] = subjects;
  if (subjects.length === 1 && only !== undefined) return only;
  return `${subjectPrefix}.${contract.service}.*.${contract.verb}`;
}
