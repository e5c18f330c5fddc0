// The page's one source: a snapshot, the events after it, and what is asked in a rhythm because no event tells it. Holds the
// state that the views show; what follows from what is decided in model/.

import type { ClusterStatus, HistoryEvent, ReplyOf, reachabilityContract } from '@skein/contracts';
import { afterSight, emptyRaft, type Raft, type RaftSight } from '../model/raft';
import {
  afterEvents,
  asksForLists,
  emptyWorld,
  withParts,
  worldOf,
  type World,
} from '../model/world';
import { Problem, type GatewayClient } from './client';
import { EventStream, type LiveEvent } from './event-stream';
import { readHosts, readNetworks, readSnapshot } from './lists';
import { Repeat } from './repeat';

export type Reachability = ReplyOf<typeof reachabilityContract>;

export type Connection =
  | { readonly kind: 'opening' }
  | { readonly kind: 'open' }
  | {
      readonly kind: 'away';
      readonly since: number;
      readonly retryAt: number;
      readonly why: string;
    }
  | { readonly kind: 'refused'; readonly why: string };

/** An event with the time at which it is shown; one that passed without a revision has none. */
export interface Heard extends LiveEvent {
  readonly key: string;
  readonly at: number;
}

export interface LiveState {
  readonly connection: Connection;
  readonly world: World;
  readonly raft: Raft;
  readonly reachability: Reachability | undefined;
  /** Since the page was opened, latest first. */
  readonly heard: readonly Heard[];
}

/** What a view wants to be asked for while it is open. */
export type Interest = 'raft' | 'hosts';

const maxHeard = 500;
const listsAfterMs = 250;
const restMs = { cluster: 2_000, raft: 700, hosts: 2_500 };

export class Live {
  readonly #client: GatewayClient;
  readonly #listeners = new Set<() => void>();
  readonly #interests: Interest[] = [];
  readonly #repeats: Readonly<Record<'cluster' | 'hosts', Repeat>>;
  #state: LiveState = {
    connection: { kind: 'opening' },
    world: emptyWorld,
    raft: emptyRaft,
    reachability: undefined,
    heard: [],
  };
  #stream: EventStream | undefined;
  #listsTimer: number | undefined;
  #looseCount = 0;
  #closed = false;

  constructor(client: GatewayClient) {
    this.#client = client;
    this.#repeats = {
      cluster: new Repeat(
        () => this.#askCluster(),
        () => (this.#wants('raft') ? restMs.raft : restMs.cluster),
      ),
      hosts: new Repeat(
        () => this.#askHosts(),
        () => restMs.hosts,
      ),
    };
  }

  readonly state = (): LiveState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  start(): void {
    this.#repeats.cluster.now();
    void this.#begin(0);
  }

  close(): void {
    this.#closed = true;
    this.#stream?.close();
    window.clearTimeout(this.#listsTimer);
    for (const repeat of Object.values(this.#repeats)) repeat.close();
  }

  retryNow(): void {
    this.#stream?.retryNow();
  }

  /** Until the returned function is called. */
  want(interest: Interest): () => void {
    this.#interests.push(interest);
    this.#repeats[interest === 'raft' ? 'cluster' : 'hosts'].now();
    return () => void this.#interests.splice(this.#interests.indexOf(interest), 1);
  }

  #wants(interest: Interest): boolean {
    return this.#interests.includes(interest);
  }

  async #begin(attempt: number): Promise<void> {
    try {
      const world = worldOf(await readSnapshot(this.#client));
      if (this.#closed) return;
      this.#set({ world });
      this.#stream = new EventStream(this.#client, world.revision, {
        opened: () => this.#opened(),
        heard: (events) => this.#heard(events),
        lost: (problem, retryAt) => this.#lost(problem, retryAt),
      });
      void this.#stream.run();
    } catch (thrown) {
      const problem =
        thrown instanceof Problem ? thrown : new Problem('internal', String(thrown), 0);
      const waitMs = Math.min(500 * 2 ** attempt, 8_000);
      this.#lost(problem, Date.now() + waitMs);
      if (this.#closed || this.#state.connection.kind === 'refused') return;
      window.setTimeout(() => void this.#begin(attempt + 1), waitMs);
    }
  }

  #opened(): void {
    const wasAway = this.#state.connection.kind === 'away';
    this.#set({ connection: { kind: 'open' } });
    if (wasAway) void this.#askLists();
    this.#repeats.cluster.now();
  }

  #lost({ message, status }: Problem, retryAt: number): void {
    if (status === 401 || status === 403) {
      this.#set({ connection: { kind: 'refused', why: message } });
      this.close();
      return;
    }
    const { connection } = this.#state;
    const since = connection.kind === 'away' ? connection.since : Date.now();
    this.#set({ connection: { kind: 'away', since, retryAt, why: message } });
  }

  #heard(events: readonly LiveEvent[]): void {
    const now = Date.now();
    const kept = events.filter((event): event is HistoryEvent => event.revision !== undefined);
    const shown = events.map((event): Heard => {
      const at = event.at ?? Number(event.body['at'] ?? now);
      const key = event.revision === undefined ? `~${(this.#looseCount += 1)}` : keyOf(event);
      return { ...event, key, at };
    });
    const known = new Set(this.#state.heard.map(({ key }) => key));
    const fresh = shown.filter(({ key }) => !known.has(key)).reverse();
    this.#set({
      world: afterEvents(this.#state.world, kept),
      heard: [...fresh, ...this.#state.heard].slice(0, maxHeard),
    });
    for (const event of events) if (event.type === 'cluster.leader-changed') this.#told(event);
    if (asksForLists(events)) this.#askListsSoon();
  }

  #told({ body }: LiveEvent): void {
    const leaderId = typeof body['leaderId'] === 'string' ? body['leaderId'] : null;
    this.#see({ kind: 'leaderChanged', at: Date.now(), term: Number(body['term']), leaderId });
    this.#repeats.cluster.now();
  }

  #askListsSoon(): void {
    window.clearTimeout(this.#listsTimer);
    this.#listsTimer = window.setTimeout(() => void this.#askLists(), listsAfterMs);
  }

  async #askLists(): Promise<void> {
    try {
      const [hosts, networks] = await Promise.all([
        readHosts(this.#client),
        readNetworks(this.#client),
      ]);
      const { world } = this.#state;
      // Another store, or one that was restored: what was known is of no use.
      if (Math.max(hosts.revision, networks.revision) < world.revision) {
        this.#stream?.close();
        await this.#begin(0);
        return;
      }
      this.#set({ world: withParts(world, { hosts: hosts.items, networks: networks.items }) });
    } catch {
      // The stream tells whether the gateway is away; the lists are asked for again with the next event.
    }
  }

  async #askHosts(): Promise<void> {
    if (!this.#wants('hosts')) return;
    const [hosts, reachability] = await Promise.all([
      readHosts(this.#client),
      this.#client.get<Reachability>('/v1/reachability'),
    ]);
    const world = withParts(this.#state.world, { hosts: hosts.items });
    this.#set({ world, reachability });
  }

  async #askCluster(): Promise<void> {
    const status = await this.#client.get<ClusterStatus>('/v1/cluster').catch((thrown: unknown) => {
      if (!(thrown instanceof Problem) || thrown.code === 'gateway_away') throw thrown;
      return null;
    });
    const at = Date.now();
    this.#see(status === null ? { kind: 'noLeader', at } : { kind: 'cluster', at, status });
    if (this.#wants('raft') || status === null) await this.#askReplicas();
  }

  async #askReplicas(): Promise<void> {
    await Promise.all(
      this.#state.raft.managers.map(async ({ id }) => {
        const status = await this.#client
          .get<ClusterStatus>(`/v1/cluster/replicas/${id}`)
          .catch((thrown: unknown) => {
            if (thrown instanceof Problem && thrown.code === 'gateway_away') throw thrown;
            return null;
          });
        this.#see({ kind: 'replica', at: Date.now(), id, status });
      }),
    );
  }

  #see(sight: RaftSight): void {
    this.#set({ raft: afterSight(this.#state.raft, sight) });
  }

  #set(change: Partial<LiveState>): void {
    if (this.#closed && change.connection === undefined) return;
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

function keyOf({ revision, position }: Partial<HistoryEvent>): string {
  return `${revision}.${position ?? 0}`;
}
