// Services of a network: the names under which endpoints were attached, and those that were declared. Backends come from the
// view; declarations, which nothing else waits for, are read from the store when somebody asks.

import {
  demandRevision,
  keys,
  maxListedBackends,
  pageOf,
  serviceRecordSchema,
  SkeinError,
  type Backend,
  type KeyValue,
  type ParsedRequestOf,
  type ReplyOf,
  type ServiceRecord,
  type ServiceView,
  type declareServiceContract,
  type getServiceContract,
  type listServicesContract,
  type withdrawServiceContract,
} from '@skein/contracts';
import type { RequestContext } from '@skein/messaging';
import type { Store } from '@skein/store-client';
import type { Time } from '@skein/time';
import { absent } from '../hosts/host-record';
import type { Fence } from '../ports';
import type { EndpointEntry, NetworkEntry } from '../state/entries';
import type { FreshView } from '../state/fresh-view';

export interface ServiceDeskOptions {
  readonly store: Store;
  readonly view: FreshView;
  readonly time: Pick<Time, 'wallMs'>;
  readonly fence: Fence;
}

type Declared = ServiceRecord & { readonly revision: number };

/** Declarations of one network that are read at once. */
const maxDeclared = 10_000;

export class ServiceDesk {
  readonly #options: ServiceDeskOptions;

  constructor(options: ServiceDeskOptions) {
    this.#options = options;
  }

  async list(
    { network: reference, ...page }: ParsedRequestOf<typeof listServicesContract>,
    context: RequestContext,
  ): Promise<ReplyOf<typeof listServicesContract>> {
    const { store, view } = this.#options;
    const network = await view.findNetwork(reference, context.deadline);
    const span = { key: keys.services(network.id), prefix: true, limit: maxDeclared };
    const { kvs } = await store.range(span, { context });
    const declared = new Map(kvs.map(declaredOf).map((each) => [each.name, each]));
    const backends = this.#backendsOf(network);
    const names = new Set([...declared.keys(), ...backends.keys()]);
    const { items, ...rest } = pageOf(names, (name) => name, page);
    const services = items.map((name) =>
      this.#view(network, name, declared.get(name), backends.get(name) ?? []),
    );
    return { services, ...rest, revision: view.revision };
  }

  async get(
    { network: reference, service }: ParsedRequestOf<typeof getServiceContract>,
    context: RequestContext,
  ): Promise<ServiceView> {
    const network = await this.#options.view.findNetwork(reference, context.deadline);
    const { declared, backends } = await this.#look(network, service, context);
    if (declared === undefined && backends.length === 0) throw notFound(network, service);
    return this.#view(network, service, declared, backends);
  }

  async declare(
    { network: reference, name, labels }: ParsedRequestOf<typeof declareServiceContract>,
    context: RequestContext,
  ): Promise<ServiceView> {
    const { store, view, time, fence } = this.#options;
    const network = await view.findNetwork(reference, context.deadline);
    const key = keys.service(network.id, name);
    const created = { request: context.requestId, at: time.wallMs() };
    const record: ServiceRecord = { networkId: network.id, name, labels, created };
    const { succeeded, revision } = await store.txn(
      {
        compare: [
          fence(),
          absent(key),
          { key: keys.network(network.id), target: 'version', operator: '>', value: 0 },
        ],
        success: [{ type: 'put', key, value: JSON.stringify(record) }],
      },
      { context },
    );
    const backends = this.#backendsOf(network).get(name) ?? [];
    if (succeeded) return this.#view(network, name, { ...record, revision }, backends);
    if ((await store.get(key, { context })) !== undefined) throw exists(network, name);
    throw new SkeinError('unavailable', 'The network or its registry has changed meanwhile');
  }

  async withdraw(
    request: ParsedRequestOf<typeof withdrawServiceContract>,
    context: RequestContext,
  ): Promise<{ revision: number }> {
    const { store, view, fence } = this.#options;
    const network = await view.findNetwork(request.network, context.deadline);
    const { declared, backends } = await this.#look(network, request.service, context);
    if (declared === undefined && backends.length === 0) throw notFound(network, request.service);
    if (declared !== undefined) demandRevision(declared.revision, request.ifRevisions);
    if (declared === undefined || backends.length > 0) throw inUse(request.service, backends);
    const key = keys.service(network.id, request.service);
    const { succeeded, revision } = await store.txn(
      {
        compare: [fence(), { key, target: 'modRevision', operator: '=', value: declared.revision }],
        success: [{ type: 'delete', key }],
      },
      { context },
    );
    if (succeeded) return { revision };
    if ((await store.get(key, { context })) === undefined) throw notFound(network, request.service);
    throw new SkeinError('unavailable', 'Another replica of the registry has taken over');
  }

  async #look(network: NetworkEntry, name: string, context: RequestContext) {
    const kv = await this.#options.store.get(keys.service(network.id, name), { context });
    const declared = kv === undefined ? undefined : declaredOf(kv);
    return { declared, backends: this.#backendsOf(network).get(name) ?? [] };
  }

  #backendsOf({ id }: NetworkEntry): Map<string, EndpointEntry[]> {
    const backends = new Map<string, EndpointEntry[]>();
    for (const endpoint of this.#options.view.state.endpointsOf(id).values()) {
      if (endpoint.service === undefined) continue;
      const known = backends.get(endpoint.service);
      if (known === undefined) backends.set(endpoint.service, [endpoint]);
      else known.push(endpoint);
    }
    return backends;
  }

  #view(
    network: NetworkEntry,
    name: string,
    declared: Declared | undefined,
    endpoints: readonly EndpointEntry[],
  ): ServiceView {
    const { state } = this.#options.view;
    const all = endpoints.map(({ id, name: endpointName, host, addresses }): Backend => {
      const isLive = state.host(host)?.state === 'up';
      const named = { endpointId: id, name: endpointName, host, addresses };
      return { ...named, state: isLive ? 'live' : 'suspended' };
    });
    all.sort((a, b) => (a.name < b.name ? -1 : 1));
    const live = all.filter((each) => each.state === 'live').length;
    return {
      network: network.name,
      networkId: network.id,
      name,
      ...(declared === undefined ? {} : { declared: declared.created, labels: declared.labels }),
      live,
      suspended: all.length - live,
      backends: all.slice(0, maxListedBackends),
      revision: Math.max(declared?.revision ?? 0, ...endpoints.map(({ revision }) => revision)),
    };
  }
}

function declaredOf(kv: KeyValue): Declared {
  return { ...serviceRecordSchema.parse(JSON.parse(kv.value)), revision: kv.modRevision };
}

function notFound({ name: network }: NetworkEntry, service: string): SkeinError {
  return new SkeinError('service_not_found', `${network} has no service '${service}'`, {
    field: 'service',
    facts: { network, service },
  });
}

function exists({ name: network }: NetworkEntry, service: string): SkeinError {
  return new SkeinError('service_exists', `${network} has declared '${service}' already`, {
    field: 'name',
    facts: { network, service },
  });
}

function inUse(service: string, backends: readonly EndpointEntry[]): SkeinError {
  const names = backends.slice(0, 5).map(({ name }) => name);
  const message = `'${service}' has ${backends.length} backend(s): ${names.join(', ')}`;
  const facts = { backends: backends.length, names };
  return new SkeinError('service_in_use', message, { field: 'service', facts });
}
