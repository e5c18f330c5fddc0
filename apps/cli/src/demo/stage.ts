// The demo's stage: a running local cluster, its gateway, and the few things that every step does with containers.

import type { LocalCluster, RunResult } from '@skein/local-cluster';
import { setTimeout as delay } from 'node:timers/promises';
import { Api, type EndpointAnswer, type NetworkAnswer } from './api';
import type { Figures } from './report';

export interface Container {
  readonly name: string;
  readonly endpoint: EndpointAnswer;
  /** Address without prefix length. */
  readonly address: string;
}

export interface PingCount {
  readonly sent: number;
  readonly received: number;
}

/** A step's claim that did not hold; its message tells what was seen instead. */
export class NotSo extends Error {}

export function must(claim: boolean, seen: string): asserts claim {
  if (!claim) throw new NotSo(seen);
}

export class Stage {
  readonly api: Api;
  readonly figures: Figures = {};
  readonly containers = new Map<string, Container>();
  network: NetworkAnswer | null = null;

  constructor(
    readonly cluster: LocalCluster,
    private readonly ping: string,
  ) {
    this.api = new Api(cluster.url, cluster.token);
  }

  web(): NetworkAnswer {
    must(this.network !== null, 'the network was not created');
    return this.network;
  }

  container(name: string): Container {
    const found = this.containers.get(name);
    must(found !== undefined, `container ${name} was not attached`);
    return found;
  }

  /** A container (a bare network namespace) on `host`, attached to the network under its own name. */
  async attachContainer(name: string, host: string): Promise<Container> {
    const { netns } = await this.cluster.control.call('addContainer', { name });
    const endpoint = await this.api.expect<EndpointAnswer>('POST', '/v1/networks/web/endpoints', {
      host,
      name,
      sandbox: { netns },
    });
    must(
      (endpoint.faults ?? []).length === 0,
      `attach of ${name}: ${endpoint.faults?.[0]?.message}`,
    );
    const container = {
      name,
      endpoint,
      address: (endpoint.addresses[0] as string).split('/')[0] as string,
    };
    this.containers.set(name, container);
    const gateway = this.web().subnets[0]?.gateway as string;
    await this.cluster.control.call('setNameserver', { container: name, address: gateway });
    return container;
  }

  run(container: string, ...argv: string[]): Promise<RunResult> {
    return this.cluster.control.call('run', { container, argv });
  }

  runIn(netns: string, ...argv: string[]): Promise<RunResult> {
    return this.cluster.control.call('run', { netns, argv });
  }

  async pingOnce(from: string, to: string, count = 1): Promise<PingCount> {
    const interval = count > 1 ? ['-i', '0.05'] : [];
    const result = await this.run(from, this.ping, '-c', String(count), '-W', '1', ...interval, to);
    return countOf(result);
  }

  /** Pings until told to stop; `stop` answers how many were sent and how many came back. */
  startPings(from: string, to: string, tag: string): { stop(): Promise<PingCount> } {
    const running = this.cluster.control.call('run', {
      container: from,
      argv: [this.ping, '-i', '0.02', '-W', '1', to],
      tag,
      timeoutMs: 120_000,
    });
    running.catch(() => undefined);
    return {
      stop: async () => {
        // The last reply is on its way for less than this.
        await delay(100);
        await this.cluster.control.call('interrupt', { tag });
        return countOf(await running);
      },
    };
  }

  /** Addresses that a name resolves to in a container; empty if it does not. */
  async resolve(container: string, name: string): Promise<string[]> {
    const result = await this.run(container, 'getent', 'ahostsv4', name);
    const addresses = result.stdout.split('\n').map((line) => line.split(/\s+/)[0] ?? '');
    return [...new Set(addresses.filter((address) => address !== ''))];
  }

  /** Names of the network namespaces that agents made for the network: one a host that takes part. */
  async networkNamespaces(): Promise<string[]> {
    const { names } = await this.cluster.control.call('netnsList', {});
    return names.filter((name) => name.startsWith('sk-'));
  }

  /** Asks until the answer is wanted; fails with what was seen last. */
  async until<T>(what: string, timeoutMs: number, look: () => Promise<T | null>): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const seen = await look();
      if (seen !== null) return seen;
      if (performance.now() > deadline) throw new NotSo(`${what}: not so after ${timeoutMs} ms`);
      await delay(25);
    }
  }
}

function countOf(result: RunResult): PingCount {
  const found = /(\d+) packets transmitted, (\d+)(?: packets)? received/.exec(result.stdout);
  must(found !== null, `ping said: ${(result.stderr || result.stdout).trim()}`);
  // A ping that was interrupted right after sending has one more on the way than it waited for.
  return { sent: Number(found[1]), received: Number(found[2]) };
}
