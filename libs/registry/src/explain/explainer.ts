// Finds out what lies between two endpoints: asks the store for the addresses' records and both agents for their rows, and has
// the steps judged (P8).

import {
  addressRecordSchema,
  agentStatusContract,
  keys,
  SkeinError,
  type ParsedRequestOf,
  type ReplyOf,
  type explainContract,
} from '@skein/contracts';
import { parsePrefixedAddress, sortableAddress } from '@skein/ip';
import type { Messenger, RequestContext } from '@skein/messaging';
import { networkMtu } from '@skein/share';
import type { Store } from '@skein/store-client';
import type { Feeds } from '../feeds/feeds';
import type { EndpointEntry } from '../state/entries';
import type { FreshView } from '../state/fresh-view';
import { stepsOf } from './explain-steps';
import type { AgentStatus, End } from './step';

export interface ExplainerOptions {
  readonly store: Store;
  readonly view: FreshView;
  readonly feeds: Feeds;
  readonly messenger: Pick<Messenger, 'request'>;
}

type Request = ParsedRequestOf<typeof explainContract>;

const agentTimeoutMs = 2_000;

export class Explainer {
  readonly #options: ExplainerOptions;

  constructor(options: ExplainerOptions) {
    this.#options = options;
  }

  async explain(
    request: Request,
    context: RequestContext,
  ): Promise<ReplyOf<typeof explainContract>> {
    const { view } = this.#options;
    const network = await view.findNetwork(request.network, context.deadline);
    const source = await this.#endpoint(network.id, 'from', request, context);
    const target = await this.#endpoint(network.id, 'to', request, context);
    const [from, to] = await Promise.all([this.#end(source, context), this.#end(target, context)]);
    const participants = [...view.state.participantsOf(network.id).keys()];
    const hosts = participants.flatMap((id) => view.state.host(id) ?? []);
    const steps = stepsOf({ network, mtu: networkMtu(network, hosts), from, to });
    const firstWrong = steps.findIndex(({ ok }) => !ok);
    const verdict = firstWrong === -1 ? { ok: true } : { ok: false, firstWrong };
    return { revision: view.revision, ...verdict, steps };
  }

  async #endpoint(
    networkId: string,
    field: 'from' | 'to',
    request: Request,
    { deadline }: RequestContext,
  ): Promise<EndpointEntry> {
    try {
      return await this.#options.view.findEndpoint(networkId, request[field], deadline);
    } catch (thrown) {
      const { code, message, facts } = SkeinError.from(thrown);
      if (code !== 'endpoint_not_found') throw thrown;
      throw new SkeinError(code, message, { field, facts });
    }
  }

  async #end(endpoint: EndpointEntry, context: RequestContext): Promise<End> {
    const { view, feeds } = this.#options;
    const [records, status] = await Promise.all([
      Promise.all(endpoint.addresses.map((address) => this.#record(endpoint.networkId, address))),
      this.#status(endpoint, context),
    ]);
    return {
      endpoint,
      host: view.state.host(endpoint.host),
      records,
      status,
      digest: view.state.digestOf(endpoint.host),
      acked: feeds.feed(endpoint.host)?.acked ?? 0,
    };
  }

  async #record(networkId: string, prefixed: string): Promise<End['records'][number]> {
    const parsed = parsePrefixedAddress(prefixed);
    if (!parsed.ok) return { address: prefixed, record: null };
    const address = prefixed.slice(0, prefixed.indexOf('/'));
    const key = keys.address(networkId, sortableAddress(parsed.value.address));
    const kv = await this.#options.store.get(key);
    if (kv === undefined) return { address, record: null };
    return { address, record: addressRecordSchema.safeParse(JSON.parse(kv.value)).data ?? null };
  }

  async #status(endpoint: EndpointEntry, context: RequestContext): Promise<End['status']> {
    const timeoutMs = Math.min(agentTimeoutMs, context.deadline.remainingMs() / 2);
    const { host: instance, networkId: network } = endpoint;
    const { requestId } = context;
    try {
      const status: AgentStatus = await this.#options.messenger.request(
        agentStatusContract,
        { network, rows: true },
        { instance, timeoutMs, requestId },
      );
      return status;
    } catch (thrown) {
      return { unreachable: SkeinError.from(thrown).message };
    }
  }
}
