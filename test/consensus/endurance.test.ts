// Minutes of what a bad day brings: replicas killed every two seconds and started again from their disks, one frozen now and then,
// the NATS server killed once. At the end every acknowledged write is there, and one order explains every answer.
// SKEIN_ENDURANCE_S sets how long; by default it is short.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { checkLinearizable, type Operation, type SequentialModel } from '@skein/simulation';
import type { StoreClient } from '@skein/store-client';
import { ConsensusCluster, replicaIds } from './consensus-cluster';

const seconds = Number(process.env['SKEIN_ENDURANCE_S'] ?? 20);
const killEveryMs = 2_000;
const registerClients = 6;
const appendClients = 4;
const timeoutMs = 3_000;

interface Input {
  readonly kind: 'put' | 'get' | 'swap';
  readonly key: string;
  readonly value: string;
  readonly expected: string;
}

const model: SequentialModel<string, Input, string> = {
  initial: '',
  apply: (state, { kind, value, expected }, output) => {
    if (kind === 'get') return output === undefined || output === state ? state : null;
    if (kind === 'put') return value;
    const swaps = state === expected;
    if (output !== undefined && (output === 'swapped') !== swaps) return null;
    return swaps ? value : state;
  },
  keyOf: (state) => state,
};

let cluster: ConsensusCluster;
beforeAll(async () => {
  cluster = await ConsensusCluster.start();
}, 30_000);
afterAll(() => cluster?.stop(), 10_000);

let isRunning = true;
let clock = 0;
const history: Operation<Input, string>[] = [];
const acknowledged = new Map<string, string>();
const revisions: number[] = [];
const counts = { kills: 0, pauses: 0, natsKills: 0, unanswered: 0 };
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)] as T;

/** Reads, writes and swaps a few keys that all clients share. A key is left for a new one before its history grows long. */
async function useRegisters(client: number, store: StoreClient): Promise<void> {
  let last = '';
  for (let n = 0; isRunning; n += 1) {
    const key = `register/${Math.floor(history.length / 400)}/${n % 3}`;
    const kind = pick(['put', 'get', 'swap', 'get'] as const);
    const input = { kind, key, value: `${client}.${n}`, expected: last };
    const call = (clock += 1);
    const output = await answerTo(store, input).catch(() => undefined);
    if (output === undefined) counts.unanswered += 1;
    if (kind === 'get' && output !== undefined) last = output;
    const returned = output === undefined ? Infinity : (clock += 1);
    history.push({ call, return: returned, input, output });
    await wait(10);
  }
}

async function answerTo(store: StoreClient, { kind, key, value, expected }: Input) {
  if (kind === 'get') return (await store.get(key, { timeoutMs }))?.value ?? '';
  if (kind === 'put') {
    await store.put({ key, value }, { timeoutMs });
    return 'put';
  }
  const holds =
    expected === ''
      ? ({ key, target: 'version', operator: '=', value: 0 } as const)
      : ({ key, target: 'value', operator: '=', value: expected } as const);
  const success = [{ type: 'put', key, value } as const];
  return (await store.txn({ compare: [holds], success }, { timeoutMs })).succeeded
    ? 'swapped'
    : 'kept';
}

/** Writes keys of its own, each once: what is acknowledged must be found at the end. */
async function append(client: number, store: StoreClient): Promise<void> {
  for (let n = 0; isRunning; n += 1) {
    const key = `appended/${client}/${n}`;
    const value = `${key}:${'x'.repeat(n % 200)}`;
    const done = await store.put({ key, value }, { timeoutMs }).catch(() => undefined);
    if (done === undefined) counts.unanswered += 1;
    else {
      acknowledged.set(key, value);
      revisions.push(done.revision);
    }
    await wait(5);
  }
}

async function disturb(): Promise<void> {
  const endsAt = performance.now() + seconds * 1_000;
  const natsDiesAt = performance.now() + seconds * 500;
  while (performance.now() < endsAt) {
    const begun = performance.now();
    const leader = (await cluster.leader()).replicaId;
    const victim = Math.random() < 0.6 ? leader : pick(replicaIds);
    const frozen = Math.random() < 0.35 ? pick(replicaIds.filter((id) => id !== victim)) : null;
    if (frozen !== null) {
      counts.pauses += 1;
      cluster.signal(frozen, 'SIGSTOP');
    }
    await cluster.kill(victim);
    counts.kills += 1;
    if (counts.natsKills === 0 && performance.now() > natsDiesAt) {
      counts.natsKills += 1;
      await cluster.restartNats();
    }
    await wait(frozen === null ? 100 : 500 + Math.random() * 2_500);
    if (frozen !== null) cluster.signal(frozen, 'SIGCONT');
    await cluster.startReplica(victim);
    await wait(Math.max(0, killEveryMs - (performance.now() - begun)));
  }
}

describe('replicas killed, frozen and cut off, again and again', () => {
  it(
    'lose nothing that they acknowledged, and answer as one',
    async () => {
      const work: Promise<void>[] = [];
      for (let n = 0; n < registerClients; n += 1)
        work.push(useRegisters(n, await cluster.client()));
      for (let n = 0; n < appendClients; n += 1) work.push(append(n, await cluster.client()));
      await disturb();
      isRunning = false;
      await Promise.all(work);
      await Promise.all(replicaIds.map((id) => cluster.kill(id)));
      await Promise.all(replicaIds.map((id) => cluster.startReplica(id)));
      const store = await cluster.client();
      const found = new Map<string, string>();
      for (let client = 0; client < appendClients; client += 1) {
        for (let from = `appended/${client}/`, more = true; more;) {
          const end = `appended/${client}0`;
          const page = await store.range({ key: from, rangeEnd: end, limit: 2_000 });
          for (const { key, value } of page.kvs) found.set(key, value);
          more = page.more;
          from = `${page.kvs.at(-1)?.key ?? ''}\0`;
        }
      }
      const missing = [...acknowledged].filter(([key, value]) => found.get(key) !== value);
      process.stderr.write(
        `${JSON.stringify({ ...counts, operations: history.length, acknowledged: acknowledged.size })}\n`,
      );
      expect(missing).toEqual([]);
      expect(new Set(revisions).size).toBe(revisions.length);
      expect(acknowledged.size).toBeGreaterThan(seconds * 10);
      const { result, part } = checkLinearizable(model, history, ({ key }) => key, 20_000_000);
      expect({ result, part }).toEqual({ result: 'linearizable', part: null });
    },
    (seconds + 60) * 1_000,
  );
});
