// A whole Skein for a bench, as `skein up` starts one: three managers, the services, hosts with real agents, all in a private
// world that ends with the bench and leaves nothing.

import { SkeinError } from '@skein/contracts';
import { LocalCluster } from '@skein/local-cluster';
import { HttpClient } from './http-client';
import { ProcessClock, timesBetween, type ProcessTimes } from './process-times';

export interface BenchStackOptions {
  readonly home: string;
  readonly path: string;
  readonly hosts: number;
  readonly profileDir?: string | undefined;
  /** Each host gets a Docker engine. */
  readonly engines?: boolean | undefined;
  /** Timing of the agents' gossip; default that of a local cluster. */
  readonly gossipPreset?: 'lan' | 'local' | undefined;
  readonly progress: (text: string) => void;
}

export class BenchStack {
  private constructor(
    readonly cluster: LocalCluster,
    readonly clock: ProcessClock,
  ) {}

  static async start(options: BenchStackOptions, signal: AbortSignal): Promise<BenchStack> {
    const { home, path, hosts, progress, profileDir, gossipPreset, engines } = options;
    const cluster = await LocalCluster.startPassing({
      home,
      path,
      hosts,
      progress: (step) => progress(`starting: ${step}`),
      signal,
      ...(profileDir === undefined ? {} : { profileDir }),
      ...(gossipPreset === undefined ? {} : { gossipPreset }),
      ...(engines === undefined ? {} : { engines }),
    });
    const clock = await ProcessClock.of(cluster);
    return new BenchStack(cluster, clock);
  }

  connections(count: number): Promise<HttpClient[]> {
    const { url, token } = this.cluster;
    return Promise.all(Array.from({ length: count }, () => HttpClient.open(url, token)));
  }

  /** One request on a connection of its own; throws what was refused. */
  async ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const [client] = (await this.connections(1)) as [HttpClient];
    try {
      return answerOf(await client.request(method, path, body));
    } finally {
      client.close();
    }
  }

  async timesOf<Result>(
    action: () => Promise<Result>,
  ): Promise<{ result: Result; times: ProcessTimes }> {
    const before = this.clock.read();
    const result = await action();
    return { result, times: timesBetween(before, this.clock.read()) };
  }

  stop(): Promise<void> {
    return this.cluster.stop();
  }
}

export function answerOf({ status, body }: { status: number; body: string }): unknown {
  const parsed: unknown = body === '' ? undefined : JSON.parse(body);
  if (status < 400) return parsed;
  throw SkeinError.fromBody(parsed);
}

/** Runs with a signal that SIGINT, SIGTERM and SIGHUP raise; `run` is to clean up and end when it does. */
export async function interruptible<Result>(
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const stop = (signal: NodeJS.Signals): void =>
    controller.abort(new SkeinError('unavailable', `called off by ${signal}`));
  for (const signal of signals) process.on(signal, stop);
  try {
    return await run(controller.signal);
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
}
