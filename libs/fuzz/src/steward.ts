// Looks after the cluster when the fuzz is over: asks how it is and clears away what was made. Each question answers with what is not as
// it should be, in words; nothing is well.

import type { LocalCluster } from '@skein/local-cluster';
import { hosts } from './vocabulary';

interface Named {
  readonly id: string;
  readonly name: string;
}

const pageLimit = 1_000;
/** Sandboxes are asked for that no host has. */
const neverPlugged = 'endpoint_not_plugged';

export class Steward {
  constructor(private readonly cluster: LocalCluster) {}

  async memoryKib(process: string): Promise<number> {
    const { processes } = await this.cluster.control.call('status', {});
    return processes.find(({ name }) => name === process)?.proportionalKib ?? 0;
  }

  async ended(): Promise<string[]> {
    const { processes } = await this.cluster.control.call('status', {});
    return processes.filter(({ running }) => !running).map(({ name }) => `${name} has ended`);
  }

  async unready(): Promise<string[]> {
    const { status, body } = await this.#ask('GET', '/readyz');
    return status === 200 ? [] : [`/readyz: ${status} ${body.code}`];
  }

  async auditFindings(): Promise<string[]> {
    const { status, body } = await this.#ask('POST', '/v1/addresses:audit', {});
    if (status !== 200) return [`audit: ${status} ${body.code}`];
    const findings = body.findings as readonly { kind: string; message: string }[];
    return findings
      .filter(({ kind }) => kind !== neverPlugged)
      .map(({ kind, message }) => `${kind}: ${message}`);
  }

  /** All networks with their endpoints, and what keeps prefixes from new ones; hosts take endpoints again. */
  async clear(): Promise<string[]> {
    for (const host of hosts) await this.#ask('POST', `/v1/hosts/${host}:undrain`);
    const { body } = await this.#ask('GET', `/v1/networks?limit=${pageLimit}`);
    for (const { id } of body.networks as readonly Named[]) {
      const path = `/v1/networks/${id}`;
      const listed = await this.#ask('GET', `${path}/endpoints?limit=${pageLimit}`);
      for (const endpoint of listed.body.endpoints as readonly Named[])
        await this.#ask('DELETE', `${path}/endpoints/${endpoint.id}?wait=0`);
      await this.#ask('DELETE', path);
    }
    const excluded = await this.#ask('GET', `/v1/exclusions?limit=${pageLimit}`);
    const exclusions = excluded.body.exclusions as readonly { cidr: string; excludedBy: string }[];
    for (const { cidr } of exclusions.filter(({ excludedBy }) => excludedBy === 'store'))
      await this.#ask('DELETE', `/v1/exclusions?cidr=${encodeURIComponent(cidr)}`);
    const left = await this.#ask('GET', `/v1/networks?limit=${pageLimit}`);
    return (left.body.networks as readonly Named[]).map(({ name }) => `network ${name} is left`);
  }

  async attachFaults(): Promise<string[]> {
    const path = '/v1/networks/after';
    await this.#ask('POST', '/v1/networks', { name: 'after' });
    const made = await this.#ask('POST', `${path}/endpoints`, { host: 'h1', name: 'last' });
    const gone = await this.#ask('DELETE', `${path}/endpoints/last`);
    await this.#ask('DELETE', path);
    const behind = (made.body.behind ?? []) as readonly string[];
    return [
      ...(made.status === 201 ? [] : [`attach: ${made.status} ${made.body.code}`]),
      ...behind.map((host) => `${host} is behind`),
      ...(gone.status === 200 ? [] : [`detach: ${gone.status} ${gone.body.code}`]),
    ];
  }

  async #ask(method: string, path: string, body?: object) {
    const response = await fetch(`${this.cluster.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.cluster.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    });
    // Bodies of many kinds; each question says what it expects.
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    return { status: response.status, body: (await response.json()) as any };
  }
}
