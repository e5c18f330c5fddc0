// Concurrent clients write and read while leaders are killed; afterwards a checker looks for one order that explains every
// answer. An operation without an answer may have happened at any time after its call, or never.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { checkLinearizable, type Operation, type SequentialModel } from '@skein/simulation';
import type { StoreClient } from '@skein/store-client';
import { ConsensusCluster } from './consensus-cluster';

interface Input {
  readonly key: string;
  readonly kind: 'put' | 'get' | 'swap';
  readonly value: string;
  readonly expected: string;
}

/** What a key holds; `swap` writes only over `expected` and answers whether it did. */
const model: SequentialModel<string, Input, string> = {
  initial: '',
  apply: (state, input, output) => {
    switch (input.kind) {
      case 'get':
        return output === undefined || output === state ? state : null;
      case 'put':
        return input.value;
      case 'swap': {
        const swaps = state === input.expected;
        if (output !== undefined && (output === 'swapped') !== swaps) return null;
        return swaps ? input.value : state;
      }
    }
  },
  keyOf: (state) => state,
};

let cluster: ConsensusCluster;
beforeAll(async () => {
  cluster = await ConsensusCluster.start();
}, 30_000);
afterAll(() => cluster?.stop(), 10_000);

let clock = 0;
const history: Operation<Input, string>[] = [];
/** What anyone read last: a swap that expects it has a chance. */
const read = new Map<string, string>();

async function perform(store: StoreClient, input: Input): Promise<void> {
  const call = (clock += 1);
  let output: string | undefined;
  try {
    output = await answer(store, input);
  } catch {
    output = undefined;
  }
  const returned = output === undefined ? Infinity : (clock += 1);
  history.push({ call, return: returned, input, output });
}

async function answer(store: StoreClient, { key, kind, value, expected }: Input): Promise<string> {
  const options = { timeoutMs: 3_000 };
  if (kind === 'get') {
    const found = (await store.get(key, options))?.value ?? '';
    read.set(key, found);
    return found;
  }
  if (kind === 'put') {
    await store.put({ key, value }, options);
    return 'put';
  }
  const holds =
    expected === ''
      ? ({ key, target: 'version', operator: '=', value: 0 } as const)
      : ({ key, target: 'value', operator: '=', value: expected } as const);
  const swap = { compare: [holds], success: [{ type: 'put', key, value } as const] };
  return (await store.txn(swap, options)).succeeded ? 'swapped' : 'kept';
}

describe('history of concurrent clients under kill -9', () => {
  it('is linearizable', async () => {
    let isRunning = true;
    const clients = Array.from({ length: 6 }, async (_, client) => {
      const store = await cluster.client();
      for (let n = 0; isRunning; n += 1) {
        const key = `k${(client + n) % 3}`;
        const kind = (['put', 'get', 'swap', 'get'] as const)[n % 4] ?? 'get';
        await perform(store, { key, kind, value: `${client}.${n}`, expected: read.get(key) ?? '' });
        await new Promise((resolve) => setTimeout(resolve, 4));
      }
    });
    for (let round = 0; round < 3; round += 1) {
      const { replicaId } = await cluster.leader();
      await new Promise((resolve) => setTimeout(resolve, 400));
      await cluster.kill(replicaId);
      await cluster.leader();
      await cluster.startReplica(replicaId);
    }
    isRunning = false;
    await Promise.all(clients);
    expect(history.length).toBeGreaterThan(100);
    expect(history.some(({ output }) => output === 'swapped')).toBe(true);
    const { result, part } = checkLinearizable(model, history, ({ key }) => key, 2_000_000);
    expect({ result, part }).toEqual({ result: 'linearizable', part: null });
  }, 50_000);
});
