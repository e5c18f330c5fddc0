// What the tests of the store share: asking it one request an entry, a snapshot taken whole, and a copy by way of it. Not part
// of the library.

import { newestProtocol } from './protocol';
import { createStore, Store } from './store';
import {
  type Outcome,
  type PutOperation,
  type RangeRequest,
  type ReplyByType,
  type StoreRequest,
  type TransactionOperation,
} from './types';

/** The bytes of a snapshot of the state as it is now. */
export function bytesOf(store: Store, sliceBytes = 64 * 1024): Uint8Array {
  const source = store.beginSnapshot();
  const slices: Uint8Array[] = [];
  for (let slice = source.next(sliceBytes); slice !== null; slice = source.next(sliceBytes)) {
    slices.push(slice);
  }
  const bytes = new Uint8Array(slices.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const slice of slices) {
    bytes.set(slice, at);
    at += slice.length;
  }
  return bytes;
}

export function copyOf(store: Store): Store {
  return restored(bytesOf(store));
}

/** `pieceBytes`: how much the loader is given at once. */
export function restored(bytes: Uint8Array, pieceBytes = 1_000): Store {
  const loader = Store.loader();
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    loader.push(bytes.subarray(at, at + pieceBytes));
  }
  return loader.finish();
}

/** A store with one entry a request; `at` counts the entries from 1,000. */
export class Asker {
  logIndex = 0;

  constructor(readonly store = createStore({ protocolVersion: newestProtocol })) {}

  ask<R extends StoreRequest>(request: R): Outcome<ReplyByType[R['type']]> {
    this.logIndex += 1;
    const command = { at: 1_000 + this.logIndex, requests: [request] };
    return this.store.apply(this.logIndex, command)[0] as Outcome<ReplyByType[R['type']]>;
  }

  done<R extends StoreRequest>(request: R): ReplyByType[R['type']] {
    const outcome = this.ask(request);
    if (!outcome.ok) throw new Error(`refused: ${JSON.stringify(outcome.refusal)}`);
    return outcome.reply;
  }

  /** The refusal's code, and its field if it names one. */
  refusal(request: StoreRequest): string {
    const outcome = this.ask(request);
    if (outcome.ok) return 'done';
    const { code, field } = outcome.refusal;
    return field === undefined ? code : `${code} ${field}`;
  }

  put(key: string, value = key, rest: Partial<PutOperation> = {}): number {
    return this.done({ type: 'put', key, value, ...rest }).revision;
  }

  /** Keys and values that a range gives, as `key=value`. */
  read(request: RangeRequest = { key: '', prefix: true }): string[] {
    const outcome = this.store.range(request);
    if (!outcome.ok) return [outcome.refusal.code];
    return outcome.reply.kvs.map(({ key, value }) => `${key}=${value}`);
  }
}

export function txn(rest: Partial<TransactionOperation>): TransactionOperation {
  return { type: 'txn', compare: [], success: [], failure: [], ...rest };
}
