// How full a network is and who holds what, read from the store at one revision; needs no actor.

import { keys, type AddressRecord, type ReplyOf, type usageContract } from '@skein/contracts';
import { countUsage } from '@skein/ipam';
import type { RequestContext } from '@skein/messaging';
import type { Store } from '@skein/store-client';
import { callOptions, type NetworkCatalog } from './network-catalog';
import { parseValue, readAll } from './store-reading';

export class UsageReport {
  constructor(
    private readonly store: Store,
    private readonly catalog: NetworkCatalog,
  ) {}

  /** `cursor` is the sortable form of the last address of the page before. */
  async read(
    request: {
      readonly network: string;
      readonly limit: number;
      readonly cursor?: string | undefined;
    },
    context: RequestContext,
  ): Promise<ReplyOf<typeof usageContract>> {
    const { record: network } = await this.catalog.find(request.network, context);
    const prefix = keys.addresses(network.id);
    const { kvs, revision } = await readAll(this.store, { prefix }, callOptions(context));
    const now = Date.now();
    const all = kvs.map((kv) => ({
      sortable: kv.key.slice(prefix.length),
      record: parseValue<AddressRecord>(kv),
    }));
    const { cursor = '', limit } = request;
    const rest = all.filter(
      ({ sortable, record }) =>
        sortable > cursor && (record.state === 'held' || (record.until ?? 0) > now),
    );
    const last = rest.length > limit ? rest[limit - 1] : undefined;
    return {
      networkId: network.id,
      revision,
      subnets: countUsage(
        network,
        all.map(({ record }) => record),
        now,
      ),
      holders: rest.slice(0, limit).map(({ record }) => record),
      ...(last === undefined ? {} : { cursor: last.sortable }),
    };
  }
}
