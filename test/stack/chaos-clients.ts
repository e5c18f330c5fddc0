// Clients of a chaos run: each attaches and detaches through REST, repeats what was not answered for certain with the same
// Idempotency-Key, and writes down what it was told.

import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '@skein/simulation';
import type { Answer, Stack } from '../support/stack';
import type { Held, Journal } from './chaos-journal';

export interface ClientOptions {
  readonly stack: Stack;
  readonly journal: Journal;
  readonly random: Random;
  /** Told in names, and different for each client. */
  readonly id: string;
  readonly networks: readonly string[];
  readonly hosts: readonly string[];
  /** Containers of the client's own. */
  readonly containers: readonly { readonly name: string; readonly netns: string }[];
}

const mostLive = 10;
const giveUpMs = 12_000;
const requestMs = 8_000;

export class ChaosClient {
  #count = 0;
  #stopped = false;
  readonly #own: Held[] = [];

  constructor(private readonly options: ClientOptions) {}

  async run(): Promise<void> {
    const { random } = this.options;
    while (!this.#stopped) {
      const live = this.#own.filter(({ detachSentAt }) => detachSentAt === undefined);
      if (live.length >= mostLive || (live.length > 2 && random.next() < 0.45)) {
        await this.#detach(live[random.int(live.length)] as Held);
      } else {
        await this.#attach();
      }
      await delay(20 + random.int(60));
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  async #attach(): Promise<void> {
    const { journal, random, id, networks, hosts, containers } = this.options;
    this.#count += 1;
    const name = `${id}-${this.#count}`;
    const network = networks[random.int(networks.length)] as string;
    const host = hosts[random.int(hosts.length)] as string;
    const isStatic = random.next() < 0.2;
    const free = containers.find(
      (one) => !this.#own.some((o) => o.container === one.name && !o.isGone),
    );
    const container = random.next() < 0.4 ? free : undefined;
    const body = {
      host,
      name,
      ...(random.next() < 0.2 ? { aliases: [`also-${name}`] } : {}),
      ...(isStatic ? { addresses: [staticAddress(network, random)] } : {}),
      ...(container === undefined ? {} : { sandbox: { netns: container.netns } }),
    };
    const path = `/v1/networks/${network}/endpoints?wait=2000`;
    const { answer, tries } = await this.#certain('POST', path, body, { 'idempotency-key': name });
    const code = String(answer.body?.code ?? answer.status);
    if (answer.status === 201) {
      const { id: endpointId, networkId, addresses } = answer.body;
      const told = { id: endpointId, networkId, addresses, name, host, container: container?.name };
      const held: Held = { ...told, acknowledgedAt: performance.now(), isGone: false };
      this.#own.push(held);
      journal.acknowledged(held);
      if (answer.body.behind.length > 0) journal.count('behind');
      return;
    }
    journal.count(`attach ${code}`);
    if (code === 'endpoint_name_taken') {
      journal.violations.push(`the attach of ${name} took effect behind its key (try ${tries})`);
    }
    if (!isFinal(answer)) journal.undecided.add(`${network}/${name}`);
  }

  async #detach(held: Held): Promise<void> {
    const { journal } = this.options;
    held.detachSentAt = performance.now();
    const path = `/v1/networks/${held.networkId}/endpoints/${held.id}?wait=2000`;
    const { answer, tries } = await this.#certain('DELETE', path, undefined, {});
    const code = String(answer.body?.code ?? answer.status);
    if (answer.status === 200 || code === 'endpoint_not_found') {
      held.isGone = true;
      journal.count('detached');
      if (answer.status !== 200 && tries === 1) {
        journal.violations.push(`${held.name} was acknowledged and is not there`);
      }
      return;
    }
    journal.count(`detach ${code}`);
    journal.undecided.add(`${held.networkId}/${held.name}`);
  }

  /** Asks until the answer is final or patience ends. */
  async #certain(
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
  ): Promise<{ answer: Answer; tries: number }> {
    const until = performance.now() + giveUpMs;
    let answer: Answer = { status: 0, body: { code: 'timeout' }, headers: new Headers() };
    for (let tries = 1; ; tries += 1) {
      answer = await this.#once(method, path, body, headers);
      if (isFinal(answer) || performance.now() > until) return { answer, tries };
      this.options.journal.count(`again after ${answer.body?.code ?? answer.status}`);
      await delay(150 + this.options.random.int(150));
    }
  }

  async #once(
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
  ): Promise<Answer> {
    const { stack } = this.options;
    try {
      return await stack.raw(method, path, {
        headers: {
          authorization: `Bearer ${stack.cluster.token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(requestMs),
      });
    } catch {
      return { status: 0, body: { code: 'timeout' }, headers: new Headers() };
    }
  }
}

function isFinal({ status }: Answer): boolean {
  return status > 0 && status < 500 && status !== 429;
}

/** From the upper half of the subnet, where few dynamic addresses are given out. */
function staticAddress(network: string, random: Random): string {
  const third = Number(network.slice(-1));
  return `10.77.${third}.${128 + random.int(100)}`;
}
