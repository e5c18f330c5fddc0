// Puts, gets and transactions under closed loops: the same values, keys and callers for both, in turns, so that whatever else
// the machine does meets both alike.

import { closedLoop } from './closed-loop';
import type { Measure, Sample } from './figure';
import type { Peer, PeerClient } from './peer';

const valueBytes = 200;
const keySpace = 10_000;
const transactionKeys = 10;

export const benchValue = 'v'.repeat(valueBytes);
export const benchKey = (at: number): string => `bench/${at % keySpace}`;

export interface CallFigure {
  readonly figure: string;
  readonly title: string;
  /** Names its group in `--only`. */
  readonly group: 'puts' | 'gets' | 'transactions';
  readonly callers: number;
  /** Of Skein's client; false: each request is a message of its own. */
  readonly batching: boolean;
  readonly operation: (client: PeerClient, call: number) => Promise<void>;
  readonly measures: readonly Measure[];
}

const put = (client: PeerClient, call: number): Promise<void> =>
  client.put(benchKey(call), benchValue);

const get = async (client: PeerClient, call: number): Promise<void> => {
  // Keys that nobody wrote would be read faster.
  const value = await client.get(benchKey(call % 1_000));
  if (value === undefined) throw new Error('a key that was written is not there');
};

const transaction = (client: PeerClient, call: number): Promise<void> => {
  const first = call * transactionKeys;
  const keys = Array.from({ length: transactionKeys }, (_, at) => benchKey(first + at));
  return client.putAll(keys, benchValue);
};

type Goals = Partial<Record<'rate' | 'p50' | 'p99', Measure['goal']>>;

function measures(goals: Goals): Measure[] {
  const measure = (name: 'rate' | 'p50' | 'p99', unit: Measure['unit']): Measure => {
    const goal = goals[name];
    return goal === undefined ? { name, unit } : { name, unit, goal };
  };
  return [measure('rate', 'per second'), measure('p50', 'ms'), measure('p99', 'ms')];
}

function figure(
  group: CallFigure['group'],
  callers: number,
  operation: CallFigure['operation'],
  { goals = {}, batching = true }: { goals?: Goals; batching?: boolean } = {},
): CallFigure {
  const what = group === 'transactions' ? `transactions of ${transactionKeys}` : group;
  const suffix = batching ? '' : ', a message each';
  return {
    figure: `${group}-${callers}${batching ? '' : '-unbatched'}`,
    title: `${what}, ${callers} ${callers === 1 ? 'client' : 'clients'}${suffix}`,
    group,
    callers,
    batching,
    operation,
    measures: measures(goals),
  };
}

const fourTimes = { of: 'ratio', atLeast: 4 } as const;
const aQuarter = { of: 'ratio', atMost: 0.25 } as const;
const half = { of: 'ratio', atMost: 0.5 } as const;

export const callFigures: readonly CallFigure[] = [
  figure('puts', 1, put, { goals: { p50: half } }),
  figure('puts', 16, put),
  figure('puts', 64, put),
  figure('puts', 256, put, { goals: { rate: fourTimes, p99: aQuarter } }),
  figure('puts', 256, put, { batching: false }),
  figure('gets', 1, get),
  figure('gets', 64, get, { goals: { rate: fourTimes } }),
  figure('gets', 64, get, { batching: false }),
  figure('gets', 256, get),
  figure('transactions', 64, transaction),
];

export interface CallTimes {
  readonly warmUpMs: number;
  readonly durationMs: number;
}

export async function measureCalls(
  peer: Peer,
  { callers, operation, batching }: CallFigure,
  times: CallTimes,
): Promise<Sample> {
  const client = await peer.client({ batching });
  try {
    const cpuBefore = { client: process.cpuUsage(), members: peer.cpuMs() };
    const result = await closedLoop({
      callers,
      ...times,
      operation: (call) => operation(client, call),
    });
    const own = process.cpuUsage(cpuBefore.client);
    const elapsedMs = times.warmUpMs + times.durationMs;
    return {
      rate: Math.round(result.ratePerSecond),
      p50: result.p50Us / 1_000,
      p99: result.p99Us / 1_000,
      max: result.maxUs / 1_000,
      failures: result.failures,
      clientCpu: (own.user + own.system) / 10 / elapsedMs,
      membersCpu: ((peer.cpuMs() - cpuBefore.members) * 100) / elapsedMs,
    };
  } finally {
    await client.close();
  }
}

/** What the gets read. */
export async function fillKeys(peer: Peer): Promise<void> {
  const client = await peer.client();
  for (let from = 0; from < keySpace; from += 100) {
    const keys = Array.from({ length: 100 }, (_, at) => benchKey(from + at));
    await client.putAll(keys, benchValue);
  }
  await client.close();
}

/** A service that has run for a while is what people have: nothing of the first seconds is measured. */
export async function warmUp(peer: Peer, durationMs: number): Promise<void> {
  const client = await peer.client();
  const each = { callers: 64, warmUpMs: 0, durationMs: durationMs * 2 };
  await closedLoop({ ...each, operation: (call) => put(client, call) });
  await closedLoop({ ...each, operation: (call) => get(client, call) });
  await client.close();
}
