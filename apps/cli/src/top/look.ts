// One look at a cluster: what the gateway says of managers, hosts and networks. A network's addresses are counted anew only when
// something about it has changed.

import { SkeinError } from '@skein/contracts';
import { path, type Api, type Json } from '../client/api';
import { quorumMargin, type Margin } from '../commands/quorum';

export interface MemberView {
  readonly id: string;
  readonly role: string;
  readonly lag: number;
  readonly diskLatencyMs: number | undefined;
  readonly healthy: boolean;
}
export interface ClusterView {
  readonly leaderId: string | null;
  readonly term: number;
  readonly revision: number;
  readonly commitIndex: number;
  /** Log entries a second since the last look; null at the first. */
  readonly commitsPerSecond: number | null;
  readonly quorum: Margin;
  readonly bytes: number;
  readonly members: readonly MemberView[];
  readonly alarms: readonly string[];
}
export interface HostView {
  readonly name: string;
  readonly state: string;
  readonly isDraining: boolean;
  readonly endpoints: number;
  readonly networks: number;
  readonly programmed: number;
  readonly repairs: number;
  readonly since: number;
}
export interface NetworkView {
  readonly name: string;
  readonly endpoints: number;
  readonly hosts: number;
  /** Undefined: not counted yet. A network too large for a number has a text. */
  readonly used: number | string | undefined;
  readonly total: number | string | undefined;
}
export interface TopView {
  readonly at: number;
  /** Why this look is none; what is shown is what was seen last. */
  readonly failure: string | null;
  readonly cluster: ClusterView | null;
  readonly hosts: readonly HostView[];
  readonly networks: readonly NetworkView[];
}

/** Networks whose addresses are counted in one look, at most; the others follow in the next. */
const maxCounted = 16;
/** Who looks each second wants to hear soon that nobody answers. */
const limitMs = 3_000;

export class Looker {
  #last: TopView = { at: 0, failure: null, cluster: null, hosts: [], networks: [] };
  #lastAt = 0;
  readonly #usage = new Map<
    string,
    { readonly stamp: string; readonly used: Json; readonly total: Json }
  >();

  constructor(private readonly api: Pick<Api, 'ask'>) {}

  /** Never rejects: a look that fails says why, beside what was seen before. */
  async look(): Promise<TopView> {
    const at = Date.now();
    try {
      const [cluster, { hosts }, { networks }] = await Promise.all([
        this.api.ask('/v1/cluster', {}, limitMs),
        this.api.ask('/v1/hosts', { limit: 1_000 }, limitMs),
        this.api.ask('/v1/networks', { limit: 1_000 }, limitMs),
      ]);
      await this.#count(networks);
      const seenAt = performance.now();
      this.#last = {
        at,
        failure: null,
        cluster: this.#cluster(cluster, seenAt - this.#lastAt),
        hosts: hosts.map(hostView),
        networks: networks.map((each: Json) => this.#network(each)),
      };
      this.#lastAt = seenAt;
    } catch (thrown) {
      this.#last = { ...this.#last, at, failure: SkeinError.from(thrown).message };
    }
    return this.#last;
  }

  #cluster(seen: Json, elapsedMs: number): ClusterView {
    const before = this.#last.cluster;
    const entries = seen.commitIndex - (before?.commitIndex ?? 0);
    return {
      leaderId: seen.leaderId,
      term: seen.term,
      revision: seen.revision,
      commitIndex: seen.commitIndex,
      commitsPerSecond: before === null ? null : Math.max(0, (entries / elapsedMs) * 1_000),
      quorum: quorumMargin(seen.members, seen.configuration),
      bytes: seen.bytes ?? 0,
      members: seen.members.map(({ id, role, lag, diskLatencyMs, healthy }: Json) => ({
        id,
        role,
        lag,
        diskLatencyMs,
        healthy,
      })),
      alarms: (seen.alarms ?? []).map(({ alarm }: Json) => alarm),
    };
  }

  async #count(networks: readonly Json[]): Promise<void> {
    const changed = networks.filter((each) => this.#usage.get(each.id)?.stamp !== stampOf(each));
    await Promise.all(
      changed.slice(0, maxCounted).map(async (each) => {
        const place = path`/v1/networks/${each.id}/addresses`;
        // One that has just gone is not missed.
        const found = await this.api.ask(place, { limit: 1 }, limitMs).catch(() => undefined);
        if (found === undefined) return;
        const { used, total } = found;
        this.#usage.set(each.id, { stamp: stampOf(each), used, total });
      }),
    );
    const ids = new Set(networks.map(({ id }) => id));
    for (const id of this.#usage.keys()) if (!ids.has(id)) this.#usage.delete(id);
  }

  #network({ id, name, endpoints, hosts }: Json): NetworkView {
    const usage = this.#usage.get(id);
    return { name, endpoints, hosts: hosts.length, used: usage?.used, total: usage?.total };
  }
}

const stampOf = ({ revision, endpoints, subnets }: Json): string =>
  `${revision} ${endpoints} ${subnets.length}`;

const hostView = (host: Json): HostView => ({
  name: host.name,
  state: host.state,
  isDraining: host.isDraining === true,
  endpoints: host.endpoints,
  networks: host.networks,
  programmed: host.programmed,
  repairs: host.repairs,
  since: host.since,
});
