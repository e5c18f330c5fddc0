// The door as a state machine: a call and what is known in, an action out. Calls come twice, out of order, and with ids that nobody
// has heard of; none of it takes an address from a container that has it, or leaves one behind for good.

import type { Action, AttachOrder, Attached } from './actions';
import { addressReply, releaseAddress, requestAddress, requestPool } from './address-calls';
import { Book } from './book';
import { createEndpoint, deleteEndpoint, join, leave } from './endpoint-calls';
import { fixedReply } from './fixed-replies';
import { createNetwork } from './network-calls';
import { poolOf, type FindNetwork } from './networks';
import type { Call } from './protocol';

export interface Circumstances {
  readonly find: FindNetwork;
  /** Fit for an endpoint that is new. */
  readonly newId: string;
  readonly nowMs: number;
  /** Whether the registry was asked just now: what is not known then is not there. */
  readonly isFresh: boolean;
}

/** What calls share. */
export interface Known extends Circumstances {
  readonly book: Book;
  /** When a pool was last asked for without naming it, by network and family. */
  readonly poolsAskedAt: Map<string, number>;
}

export class Door {
  readonly #book: Book;
  readonly #poolsAskedAt = new Map<string, number>();

  constructor(book = new Book()) {
    this.#book = book;
  }

  get book(): Book {
    return this.#book;
  }

  handle(call: Call, circumstances: Circumstances): Action {
    const known: Known = {
      ...circumstances,
      book: this.#book,
      poolsAskedAt: this.#poolsAskedAt,
    };
    const fixed = fixedReply(call.method);
    if (fixed !== undefined) return { kind: 'reply', body: fixed };
    switch (call.method) {
      case 'IpamDriver.RequestPool':
        return requestPool(call.body, known);
      case 'IpamDriver.RequestAddress':
        return requestAddress(call.body, known);
      case 'IpamDriver.ReleaseAddress':
        return releaseAddress(call.body, known);
      case 'NetworkDriver.CreateNetwork':
        return createNetwork(call.body, known);
      case 'NetworkDriver.DeleteNetwork':
        this.#book.bindings.delete(call.body.NetworkID);
        return { kind: 'reply', body: {} };
      case 'NetworkDriver.CreateEndpoint':
        return createEndpoint(call.body, known);
      case 'NetworkDriver.DeleteEndpoint':
        return deleteEndpoint(call.body, known);
      case 'NetworkDriver.Join':
        return join(call.body, known);
      case 'NetworkDriver.Leave':
        return leave(call.body, known);
      default:
        return { kind: 'refuse', code: 'internal', message: `${call.method} has no answer` };
    }
  }

  /** The order was carried out. Answers the reply to the call. */
  attached(order: AttachOrder, { addresses, mac, isPlugged }: Attached, find: FindNetwork): Action {
    const { id, network, then } = order;
    const isClaimed = then.reply === 'endpoint';
    this.#book.put({
      id,
      network,
      mac,
      addresses: [...addresses],
      isClaimed,
      isPlugged,
      isReleased: false,
      ...(then.reply === 'endpoint' ? { engineId: then.engineId } : {}),
    });
    if (then.reply === 'endpoint') {
      return { kind: 'reply', body: { Interface: then.hasMac ? {} : { MacAddress: mac } } };
    }
    const pool = poolOf(then.poolId, find);
    if ('kind' in pool) return pool;
    return addressReply(addresses, pool.subnet);
  }

  /** The host's kernel has the endpoint's interface. */
  plugged(id: string): void {
    const hold = this.#book.holds.get(id);
    if (hold !== undefined) this.#book.put({ ...hold, isPlugged: true });
  }

  /** The order could not be carried out. */
  failed({ id }: AttachOrder): void {
    const hold = this.#book.holds.get(id);
    if (hold?.addresses.length === 0) this.#book.holds.delete(id);
  }

  /** The endpoint is at the registry no more. */
  detached(id: string): void {
    this.#book.holds.delete(id);
  }
}
