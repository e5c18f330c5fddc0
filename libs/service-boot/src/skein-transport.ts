// Nest's transport strategy over libs/messaging: registers the methods that @Serve marked, one NATS service for each
// service that their contracts name. Bodies are not wrapped. Decides nothing.

import { Catch, type RpcExceptionFilter } from '@nestjs/common';
import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import type { Contract } from '@skein/contracts';
import type { Messenger, RequestContext, ServiceEndpoints } from '@skein/messaging';
import { isObservable, lastValueFrom, throwError, type Observable } from 'rxjs';
import type { ServeExtras } from './serve';

export interface SkeinTransportOptions {
  readonly messenger: Messenger;
  readonly version: string;
  readonly description: string;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Id under which the services are listed. */
  readonly instanceId?: string | undefined;
  /** Subject token of contracts that are per instance: the host, the replica. */
  readonly instance?: string | undefined;
}

export class SkeinTransport extends Server implements CustomTransportStrategy {
  readonly #options: SkeinTransportOptions;
  readonly #services = new Map<string, ServiceEndpoints>();

  constructor(options: SkeinTransportOptions) {
    super();
    this.#options = options;
  }

  listen(callback: (fault?: unknown) => void): void {
    try {
      for (const handler of this.getHandlers().values()) this.#serve(handler);
      callback();
    } catch (fault) {
      callback(fault);
    }
  }

  /** Answers what had arrived, then takes no more. */
  async close(): Promise<void> {
    await Promise.all([...this.#services.values()].map((service) => service.stop()));
  }

  /** The listed service of this name: for endpoints that come and go at run time. Made at first use. */
  service(name: string): ServiceEndpoints {
    const known = this.#services.get(name);
    if (known !== undefined) return known;
    const { messenger, version, description, metadata, instanceId } = this.#options;
    const made = messenger.service({ name, version, description, metadata, instanceId });
    this.#services.set(name, made);
    return made;
  }

  on(): never {
    throw new Error('SkeinTransport has no events of its own');
  }

  unwrap<T>(): T {
    return this.#options.messenger as T;
  }

  #serve(handler: MessageHandler): void {
    const { contract, maxPending } = handler.extras as ServeExtras;
    const instance = contract.perInstance === true ? this.#options.instance : undefined;
    this.service(contract.service).serve(
      contract as Contract,
      (request, context) => settle(handler, request, context),
      { instance, maxPending },
    );
  }
}

async function settle(
  handler: MessageHandler,
  request: unknown,
  context: RequestContext,
): Promise<unknown> {
  const result: unknown = await handler(request, context);
  return isObservable(result) ? lastValueFrom(result) : result;
}

/** Lets an error through as it is; Nest would put one of its own in its place. */
@Catch()
export class PassErrors implements RpcExceptionFilter {
  catch(thrown: unknown): Observable<never> {
    return throwError(() => thrown);
  }
}
