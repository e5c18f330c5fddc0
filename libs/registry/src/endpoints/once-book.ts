// Attaches that were made under a key already. Whoever repeats one is given what it made, whatever stands in the way of making it
// again: its own name is taken by now, its network may be gone.

import { idempotencyRecordSchema, keys, SkeinError, type RequestKey } from '@skein/contracts';
import type { Store } from '@skein/store-client';
import type { EndpointEntry } from '../state/entries';

export class OnceBook {
  readonly #store: Pick<Store, 'get'>;

  constructor(store: Pick<Store, 'get'>) {
    this.#store = store;
  }

  /**
   * The endpoint as it was attached, or undefined if nothing was under this key. Throws `idempotency_key_reused` if the key was
   * another request's, and `endpoint_gone` if the endpoint is there no more: nobody is told addresses that may be another's.
   */
  async find({ key, request }: RequestKey): Promise<EndpointEntry | undefined> {
    const kv = await this.#store.get(keys.idempotency(key));
    if (kv === undefined) return undefined;
    const record = idempotencyRecordSchema.parse(JSON.parse(kv.value));
    if (record.state === 'attached' && record.request === request) {
      const { id, networkId, name } = record.endpoint;
      if ((await this.#store.get(keys.endpoint(networkId, id))) === undefined) {
        const message = `The attach under this key was done; its endpoint ${name} has gone since`;
        throw new SkeinError('endpoint_gone', message, { facts: { id } });
      }
      return { ...record.endpoint, revision: kv.createRevision };
    }
    throw new SkeinError(
      'idempotency_key_reused',
      'This Idempotency-Key was used for another request',
      { field: 'Idempotency-Key' },
    );
  }
}
