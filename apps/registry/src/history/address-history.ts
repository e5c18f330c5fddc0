// Who holds an address, now or then, and who held it before.

import {
  SkeinError,
  type Holding,
  type ParsedRequestOf,
  type ReplyOf,
  type addressHistoryContract,
} from '@skein/contracts';
import { formatAddress, parseAddress, sortableAddress } from '@skein/ip';
import type { Deadline, RequestContext } from '@skein/messaging';
import type { FreshView } from '@skein/registry';
import type { HistoryStore } from './history-store';
import type { HistoryWriter } from './history-writer';

/** Longest wait for the history to have what the view has. */
const longestCatchUpMs = 5_000;

type Request = ParsedRequestOf<typeof addressHistoryContract>;

export interface AddressHistoryOptions {
  readonly view: FreshView;
  readonly store: HistoryStore;
  readonly writer: Pick<HistoryWriter, 'reached' | 'written'>;
}

export class AddressHistory {
  readonly #options: AddressHistoryOptions;

  constructor(options: AddressHistoryOptions) {
    this.#options = options;
  }

  async of(
    request: Request,
    context: RequestContext,
  ): Promise<ReplyOf<typeof addressHistoryContract>> {
    const { view, store } = this.#options;
    const { sortable, address } = canonical(request.address);
    if (request.atTime !== undefined && request.atRevision !== undefined) {
      throw new SkeinError('invalid_request', 'Give a time or a revision, not both', {
        field: 'atRevision',
      });
    }
    const networkId = await this.#networkIdOf(request.network, context);
    await this.#demandWritten(view.revision, context.deadline);
    const rows = await store.holdings({ sortable, networkId });
    const began = rows.filter((row) => hasBegun(row, request));
    if (began.length === 0) {
      throw new SkeinError('address_not_found', `Nobody holds or held ${address}`, {
        field: 'address',
        facts: { address, ...(networkId === undefined ? {} : { network: networkId }) },
      });
    }
    return {
      address,
      revision: view.revision,
      holders: began.filter((row) => !hasEnded(row, request)),
      past: began.filter((row) => hasEnded(row, request)),
    };
  }

  /** Without it an answer could deny what has just been told to somebody. */
  async #demandWritten(revision: number, deadline: Deadline): Promise<void> {
    const { writer } = this.#options;
    if (await writer.reached(revision, Math.min(longestCatchUpMs, deadline.remainingMs()))) return;
    const message = `The history has not been written up to revision ${revision} yet`;
    throw new SkeinError('unavailable', message, { facts: { revision, seen: writer.written } });
  }

  /** A network that is gone may still be asked about, by its id or by what it was called. */
  async #networkIdOf(
    reference: string | undefined,
    context: RequestContext,
  ): Promise<string | undefined> {
    if (reference === undefined) return undefined;
    const { view, store } = this.#options;
    const known = view.network(reference)?.id ?? (await store.networkIdOf(reference));
    return known ?? (await view.findNetwork(reference, context.deadline)).id;
  }
}

function hasBegun(row: Holding, { atTime, atRevision }: Request): boolean {
  if (atRevision !== undefined) return row.sinceRevision <= atRevision;
  return atTime === undefined || row.since <= atTime;
}

function hasEnded(row: Holding, { atTime, atRevision }: Request): boolean {
  if (row.untilRevision === undefined || row.until === undefined) return false;
  if (atRevision !== undefined) return row.untilRevision <= atRevision;
  return atTime === undefined || row.until <= atTime;
}

function canonical(text: string): { sortable: string; address: string } {
  const parsed = parseAddress(text);
  if (!parsed.ok) {
    throw new SkeinError('invalid_request', `'${text}' is no address`, { field: 'address' });
  }
  return { sortable: sortableAddress(parsed.value), address: formatAddress(parsed.value) };
}
