import { beforeEach, describe, expect, it } from '@jest/globals';
import { SkeinError, type Contract, type RequestKey } from '@skein/contracts';
import { Idempotency, leaseName } from './idempotency';
import type { StoredAnswer } from './router';

/** One key, compared by version or value, under leases that must be granted. */
class OneKeyStore {
  value: string | undefined;
  lease: string | undefined;
  readonly leases = new Set<string>();
  /** Verb of the next request whose answer is lost after it has taken effect. */
  losesAnswerOf: string | undefined;

  request = (contract: Contract, body: unknown): Promise<never> => {
    const reply = this.#answer(contract.verb, body as never);
    if (this.losesAnswerOf !== contract.verb) return Promise.resolve(reply as never);
    this.losesAnswerOf = undefined;
    return Promise.reject(new SkeinError('unknown_outcome', 'lost'));
  };

  #answer(verb: string, body: Record<string, unknown>): unknown {
    if (verb === 'grant-lease') return this.leases.add(body['lease'] as string);
    const kvs = this.value === undefined ? [] : [{ value: this.value }];
    if (verb === 'range') return { kvs };
    const [{ target, value }] = body['compare'] as [{ target: string; value: unknown }];
    const current = target === 'version' ? (this.value === undefined ? 0 : 1) : this.value;
    if (current !== value) return { succeeded: false, results: [{ type: 'range', kvs }] };
    const [operation] = body['success'] as [{ type: string; value: string; lease: string }];
    if (operation.type === 'put' && !this.leases.has(operation.lease)) {
      throw new SkeinError('lease_not_found', 'no such lease');
    }
    this.value = operation.type === 'put' ? operation.value : undefined;
    this.lease = operation.lease;
    return { succeeded: true, results: [] };
  }
}

const made: StoredAnswer = { status: 201, headers: { etag: '"7"' }, body: { id: 'n1' } };

let store: OneKeyStore;
let now: number;
let runs: number;
let idempotency: Idempotency;

beforeEach(() => {
  store = new OneKeyStore();
  now = 3_600_000 * 5;
  runs = 0;
  // The store throws where a real one refuses: as a rejected promise.
  const request = async (contract: Contract, body: unknown): Promise<never> =>
    store.request(contract, body);
  idempotency = new Idempotency({ request } as never, () => now);
});

function keyed({ fingerprint = 'POST /v1/networks' } = {}) {
  return { key: 'k', caller: 'ci', requestId: 'r', fingerprint };
}

function send(options: { fingerprint?: string; fails?: SkeinError } = {}) {
  return idempotency.once(keyed(options), () => {
    runs += 1;
    return options.fails === undefined ? Promise.resolve(made) : Promise.reject(options.fails);
  });
}

describe('idempotency', () => {
  it('carries a request out once and answers it again from the store', async () => {
    expect(await send()).toEqual({ stored: made, replayed: false });
    expect(await send()).toEqual({ stored: made, replayed: true });
    expect(runs).toBe(1);
  });

  it("keeps the answer under the lease of the request's hour", async () => {
    await send();
    expect(store.lease).toBe(leaseName(now));
    expect(leaseName(now)).not.toBe(leaseName(now + 3_600_000));
  });

  it('refuses the key for another request', async () => {
    await send();
    const other = send({ fingerprint: 'POST /v1/kv/txn' });
    await expect(other).rejects.toMatchObject({ code: 'idempotency_key_reused' });
    expect(runs).toBe(1);
  });

  it('gives the key of a refused request back', async () => {
    const fails = new SkeinError('network_name_taken', 'taken');
    await expect(send({ fails })).rejects.toBe(fails);
    expect(await send()).toMatchObject({ replayed: false });
    expect(runs).toBe(2);
  });

  it.each(['unknown_outcome', 'internal'] as const)(
    'never carries out again what ended as %s',
    async (code) => {
      const fails = new SkeinError(code, 'lost');
      await expect(send({ fails })).rejects.toBe(fails);
      now += 61_000;
      await expect(send()).rejects.toMatchObject({ code: 'unknown_outcome' });
      expect(runs).toBe(1);
    },
  );

  it('leaves the key to whoever commits it, under a lease that is there', async () => {
    const given: RequestKey[] = [];
    const attempt = (once: RequestKey): Promise<string> => {
      given.push(once);
      return Promise.resolve('made');
    };
    expect(await idempotency.committing(keyed(), attempt)).toBe('made');
    await idempotency.committing(keyed({ fingerprint: 'another' }), attempt);
    expect([...store.leases]).toEqual([leaseName(now)]);
    expect(store.value).toBeUndefined();
    expect(given[0]).toMatchObject({ lease: leaseName(now), key: given[1]?.key });
    expect(given[0]?.request).not.toBe(given[1]?.request);
  });

  it('makes the lease again if it is gone, and tries once more', async () => {
    let tries = 0;
    const attempt = (): Promise<string> => {
      tries += 1;
      if (tries > 1) return Promise.resolve('made');
      store.leases.clear();
      return Promise.reject(new SkeinError('lease_not_found', 'no such lease'));
    };
    expect(await idempotency.committing(keyed(), attempt)).toBe('made');
    expect([...store.leases]).toEqual([leaseName(now)]);
  });

  it('knows its own claim again if the answer to it was lost', async () => {
    store.leases.add(leaseName(now));
    store.losesAnswerOf = 'txn';
    expect(await send()).toEqual({ stored: made, replayed: false });
    expect(runs).toBe(1);
  });
});
