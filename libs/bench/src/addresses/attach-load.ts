// The loads of `bench addresses`: attaches and detaches through REST under closed loops of so many connections, and addresses
// through NATS in batches. A refused request is a failure, never a figure.

import { randomBytes } from 'node:crypto';
import { allocateContract, type ReplyOf } from '@skein/contracts';
import type { Messenger } from '@skein/messaging';
import { closedLoop, type LoopResult } from '../closed-loop';
import { answerOf, type BenchStack } from '../stack/bench-stack';
import type { HttpClient } from '../stack/http-client';

export interface LoadOptions {
  readonly warmUpMs: number;
  readonly durationMs: number;
}

interface CreatedEndpoint {
  readonly id: string;
  readonly behind: readonly string[];
}

/** What a load did: how fast, how many it made, and how often somebody was behind. */
export interface LoadResult extends LoopResult {
  readonly made: number;
  readonly behind: number;
}

const path = (network: string): string => `/v1/networks/${network}/endpoints`;

/** Attaches one endpoint a request, over the hosts in turns. */
export async function attachLoad(
  stack: BenchStack,
  options: LoadOptions & {
    readonly network: string;
    readonly hosts: readonly string[];
    readonly callers: number;
    /** Each request carries an Idempotency-Key. */
    readonly keyed: boolean;
    readonly onMade: (id: string) => void;
  },
): Promise<LoadResult> {
  const { network, hosts, callers, keyed, onMade } = options;
  let made = 0;
  let behind = 0;
  const key = randomBytes(6).toString('hex');
  const loop = await withConnections(stack, callers, (free) =>
    closedLoop({
      ...options,
      operation: (call) =>
        free(async (client) => {
          const host = hosts[call % hosts.length];
          const more = keyed ? `idempotency-key: ${key}-${call}\r\n` : '';
          const answer = await client.request('POST', path(network), { host }, more);
          const endpoint = answerOf(answer) as CreatedEndpoint;
          made += 1;
          if (endpoint.behind.length > 0) behind += 1;
          onMade(endpoint.id);
        }),
    }),
  );
  return { ...loop, made, behind };
}

/** Attaches `size` endpoints a request. Rates are of endpoints, times of requests. */
export async function batchLoad(
  stack: BenchStack,
  options: LoadOptions & {
    readonly network: string;
    readonly hosts: readonly string[];
    readonly callers: number;
    readonly size: number;
    readonly onMade: (id: string) => void;
  },
): Promise<LoadResult> {
  const { network, hosts, callers, size, onMade } = options;
  let made = 0;
  let behind = 0;
  const endpoints = Array.from({ length: size }, (_, at) => ({ host: hosts[at % hosts.length] }));
  const loop = await withConnections(stack, callers, (free) =>
    closedLoop({
      ...options,
      operation: () =>
        free(async (client) => {
          const answer = await client.request('POST', `${path(network)}:batch`, { endpoints });
          const reply = answerOf(answer) as {
            endpoints: readonly { id: string }[];
            behind: readonly string[];
          };
          made += reply.endpoints.length;
          if (reply.behind.length > 0) behind += 1;
          for (const { id } of reply.endpoints) onMade(id);
        }),
    }),
  );
  return { ...loop, ratePerSecond: loop.ratePerSecond * size, made, behind };
}

/** Detaches what is given, until it is used up or the time is. */
export async function detachLoad(
  stack: BenchStack,
  options: LoadOptions & {
    readonly callers: number;
    readonly endpoints: readonly { readonly network: string; readonly id: string }[];
  },
): Promise<LoadResult> {
  const { callers, endpoints } = options;
  let made = 0;
  let behind = 0;
  let next = 0;
  const startedAt = performance.now();
  let endedAt = startedAt;
  const loop = await withConnections(stack, callers, (free) =>
    closedLoop({
      ...options,
      warmUpMs: 0,
      operation: async () => {
        const endpoint = endpoints[next];
        if (endpoint === undefined) return pause();
        next += 1;
        await free(async (client) => {
          const answer = await client.request('DELETE', `${path(endpoint.network)}/${endpoint.id}`);
          const reply = answerOf(answer) as { behind: readonly string[] };
          made += 1;
          endedAt = performance.now();
          if (reply.behind.length > 0) behind += 1;
        });
      },
    }),
  );
  const seconds = Math.max(0.001, (endedAt - startedAt) / 1_000);
  return { ...loop, ratePerSecond: made / seconds, made, behind };
}

/** Addresses in batches over NATS, of the networks in turns: the rate is of addresses, times are of batches. */
export async function addressLoad(
  messenger: Messenger,
  options: LoadOptions & {
    readonly networks: readonly string[];
    readonly host: string;
    readonly callers: number;
    readonly size: number;
  },
): Promise<LoadResult> {
  const { networks, host, size } = options;
  const prefix = randomBytes(6).toString('hex');
  let made = 0;
  const loop = await closedLoop({
    ...options,
    operation: async (call) => {
      const requests = Array.from({ length: size }, (_, at) => ({
        endpointId: `${prefix}-${call}-${at}`,
        host,
      }));
      const network = networks[call % networks.length] ?? '';
      const reply: ReplyOf<typeof allocateContract> = await messenger.request(
        allocateContract,
        { network, requests },
        { retryUnavailable: true, timeoutMs: 10_000 },
      );
      made += reply.allocations.length;
    },
  });
  return { ...loop, ratePerSecond: loop.ratePerSecond * size, made, behind: 0 };
}

type Free = <Result>(use: (client: HttpClient) => Promise<Result>) => Promise<Result>;

/** As many connections as callers; each call takes a free one. */
async function withConnections<Result>(
  stack: BenchStack,
  callers: number,
  run: (free: Free) => Promise<Result>,
): Promise<Result> {
  const clients = await stack.connections(callers);
  const idle = [...clients];
  const free: Free = async (use) => {
    const client = idle.pop();
    if (client === undefined) throw new Error('more calls than connections');
    try {
      return await use(client);
    } finally {
      idle.push(client);
    }
  };
  try {
    return await run(free);
  } finally {
    for (const client of clients) client.close();
  }
}

/** Nothing is left to do: the loop runs out. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
