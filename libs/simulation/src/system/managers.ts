// The three managers: the replicas of the cluster simulation, with the store's subjects served by the one in office, as the
// consensus service does. It must not know who asks, nor what for.

import {
  closeWatchContract,
  deleteContract,
  grantLeaseContract,
  keepAliveContract,
  leaderChangedEvent,
  leasesContract,
  putContract,
  rangeContract,
  revokeLeaseContract,
  SkeinError,
  transactionContract,
  watchContract,
  type Contract,
  type ParsedRequestOf,
} from '@skein/contracts';
import type { Answer, ReplicaCore } from '@skein/replica';
import type { RevisionEvents, Store, StoreRequest } from '@skein/store';
import type { Time } from '@skein/time';
import { ClusterReplica, type ReplicaWorld } from '../cluster/replica';
import type { ClusterConditions } from '../cluster/options';
import type { EventQueue } from '../event-queue';
import type { Random } from '../random';
import { HubMessenger, type Handler, type Hub } from './hub';
import type { Receiver } from './place';

export interface ManagersWorld {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly hub: Hub;
  readonly conditions: ClusterConditions;
  /** Each revision once, in order, as the first replica applies it. */
  readonly onCommit: (revision: RevisionEvents) => void;
  readonly onStep: (replica: string, what: string) => void;
  readonly onFailure: (message: string) => void;
  readonly onRun: () => void;
  readonly tell: (line: string) => void;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type AnyAnswer = Answer<any>;

const renewWithinMs = 3_000;

export class Managers {
  readonly replicas: ClusterReplica[];
  private readonly doors = new Map<string, Door>();
  private seenRevision = 0;

  constructor(private readonly world: ManagersWorld) {
    const ids = ['m1', 'm2', 'm3'];
    const configuration = { incoming: ids, outgoing: [], learners: [] };
    const replicaWorld = this.replicaWorld();
    this.replicas = ids.map(
      (id) => new ClusterReplica({ id, configuration, rate: 1 }, replicaWorld),
    );
    for (const replica of this.replicas) this.doors.set(replica.id, new Door(replica, world));
  }

  start(): void {
    for (const replica of this.replicas) replica.start();
  }

  get leader(): ClusterReplica | undefined {
    const leading = this.replicas.filter((each) => each.isUp && each.core?.isInOffice === true);
    return leading.sort((a, b) => (b.status?.term ?? 0) - (a.status?.term ?? 0))[0];
  }

  /** The state as far as anybody has applied it. */
  get newestStore(): Store | null {
    const stores = this.replicas.flatMap(({ store }) => store ?? []);
    return stores.sort((a, b) => b.status.revision - a.status.revision)[0] ?? null;
  }

  /** Empty if replicas that have applied the same entries hold the same state. */
  differences(): string[] {
    const hashes = new Map<number, string>();
    return this.replicas.flatMap(({ id, store }) => {
      if (store === null) return [];
      const { appliedIndex, stateHash } = store.status;
      const other = hashes.get(appliedIndex);
      hashes.set(appliedIndex, stateHash);
      return other === undefined || other === stateHash ? [] : [`${id} at ${appliedIndex}`];
    });
  }

  private replicaWorld(): ReplicaWorld {
    const { queue, random, conditions, hub } = this.world;
    const carry = (from: string, to: string, run: (replica: ClusterReplica) => void): void =>
      hub.send(from, {
        kind: 'direct',
        to,
        run: () => {
          const replica = this.replicas.find((each) => each.id === to);
          if (replica !== undefined) run(replica);
        },
      });
    return {
      queue,
      random: random.fork(),
      conditions,
      planted: null,
      send: (from, { to, message }) =>
        carry(from.id, to, (replica) => replica.receive({ message })),
      notify: (from, to, notice) => carry(from.id, to, (replica) => replica.receive({ notice })),
      observer: {
        started: ({ id }) => this.world.tell(`${id} starts`),
        stepped: (replica, what) => this.stepped(replica, what),
        appending: () => undefined,
        persisted: () => undefined,
        told: ({ id }, fact) => this.world.tell(`${id} ! ${JSON.stringify(fact)}`),
        failed: ({ id }, error) => this.world.onFailure(`${id}: ${error.stack ?? error.message}`),
      },
    };
  }

  private stepped(replica: ClusterReplica, what: string): void {
    this.world.onStep(replica.id, what);
    const { store } = replica;
    if (store !== null && store.status.revision > this.seenRevision) this.learn(store);
    this.doors.get(replica.id)?.look();
  }

  private learn(store: Store): void {
    const span = { single: false as const, from: '', end: undefined };
    while (this.seenRevision < store.status.revision) {
      const from = this.seenRevision + 1;
      const outcome = store.eventsSince({ from, span, previous: true });
      if (!outcome.ok) throw new Error('history was compacted before it was looked at');
      this.seenRevision = outcome.reply.through;
      for (const revision of outcome.reply.revisions) this.world.onCommit(revision);
    }
  }
}

/** What one replica serves while it is in office. */
class Door {
  private readonly receiver: Receiver;
  private readonly time: Time;
  private closes: (() => void)[] = [];
  private watches = new Map<string, () => void>();
  private servedLife = -1;

  constructor(
    private readonly replica: ClusterReplica,
    private readonly world: ManagersWorld,
  ) {
    this.receiver = {
      name: replica.id,
      get life() {
        return replica.isUp ? replica.life : -1;
      },
      whenAwake: (run) =>
        replica.whenAwake(() => {
          world.onRun();
          run();
        }),
    };
    this.time = {
      wallMs: () => replica.clock.wallMs,
      monotonicMs: () => replica.clock.monotonicMs,
      after: (ms, action) => {
        let isCancelled = false;
        replica.later(ms, () => {
          if (!isCancelled) action();
        });
        return () => {
          isCancelled = true;
        };
      },
      soon: (action) => replica.later(0, action),
    };
  }

  look(): void {
    const { replica } = this;
    const isInOffice = replica.core?.isInOffice === true;
    if (isInOffice && this.servedLife !== replica.life) this.open();
    else if (!isInOffice && this.servedLife === replica.life) this.close();
  }

  private close(): void {
    this.servedLife = -1;
    for (const close of this.closes.splice(0)) close();
    for (const end of this.watches.values()) end();
    this.watches.clear();
  }

  private open(): void {
    const { replica, world } = this;
    this.close();
    this.servedLife = replica.life;
    const messenger = new HubMessenger(world.hub, this.receiver, this.time);
    const serve = <C extends Contract>(
      contract: C,
      ask: (core: ReplicaCore, request: ParsedRequestOf<C>, answer: AnyAnswer) => void,
    ): void => {
      const handler: Handler = (request) =>
        this.asked((core, answer) => ask(core, request, answer as AnyAnswer));
      this.closes.push(messenger.serve(contract, handler, { isQueued: false }));
    };
    const submit = (type: StoreRequest['type'], contract: Contract, defaults = {}): void =>
      serve(contract, (core, request, answer) =>
        core.submit({ type, ...defaults, ...(request as object) } as StoreRequest, answer),
      );
    submit('put', putContract);
    submit('delete', deleteContract);
    submit('txn', transactionContract, { compare: [], success: [], failure: [] });
    submit('grantLease', grantLeaseContract);
    submit('revokeLease', revokeLeaseContract);
    serve(
      rangeContract,
      (core, { consistency = 'linearizable', maxStalenessMs, ...range }, answer) =>
        core.read(consistency, { maxStalenessMs }, (allowed) =>
          answer(allowed.ok ? core.store.range(range) : allowed),
        ),
    );
    serve(keepAliveContract, (core, { lease }, answer) => core.keepAlive(lease, answer));
    serve(leasesContract, (core, _request, answer) =>
      core.leases((listed) =>
        answer(listed.ok ? { ok: true, reply: { leases: listed.reply } } : listed),
      ),
    );
    this.serveWatches(messenger);
    const { revision } = (replica.core as ReplicaCore).store.status;
    const { term } = replica.status as { term: number };
    messenger.publish(leaderChangedEvent.subject, {
      revision,
      at: this.time.wallMs(),
      clusterId: 'simulated',
      leaderId: replica.id,
      term,
      replicaId: replica.id,
    });
  }

  private serveWatches(messenger: HubMessenger): void {
    const opened: Handler = async (request: ParsedRequestOf<typeof watchContract>) => {
      await this.asked((core, answer) => core.confirmOffice(answer));
      const { store } = this.replica.core as ReplicaCore;
      const { watch, deliver, key, prefix, fromRevision } = request;
      if (!this.watches.has(watch)) {
        const span = { key, ...(prefix === undefined ? {} : { prefix }) };
        const from = fromRevision ?? store.status.revision + 1;
        // What is there already goes out after the answer.
        this.watches.set(watch, () => undefined);
        this.time.soon(() => {
          if (!this.watches.has(watch)) return;
          const end = this.replica.watches.open(span, from, (message) => {
            const told =
              message.kind === 'events'
                ? message
                : { ...message, kind: 'canceled', code: 'revision_compacted' };
            messenger.publish(deliver, { watch, ...told });
          });
          this.watches.set(watch, end);
        });
      }
      return { revision: store.status.revision, renewWithinMs };
    };
    const closed: Handler = ({ watch }: ParsedRequestOf<typeof closeWatchContract>) => {
      this.watches.get(watch)?.();
      this.watches.delete(watch);
      return {};
    };
    this.closes.push(messenger.serve(watchContract, opened, { isQueued: false }));
    this.closes.push(messenger.serve(closeWatchContract, closed, { isQueued: false }));
  }

  private asked<Reply>(ask: (core: ReplicaCore, answer: Answer<Reply>) => void): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const { replica } = this;
      if (replica.core === null) return;
      replica.call('request', (core) =>
        ask(core, (answered) => {
          this.world.onRun();
          if (answered.ok) return resolve(answered.reply);
          const { code, message, ...rest } = answered.refusal;
          reject(new SkeinError(code, message, rest as object));
        }),
      );
    });
  }
}
