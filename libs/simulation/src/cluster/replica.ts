// One simulated replica: drives the same replica core as production does, over a simulated disk, network
// and clock. It crashes, restarts, pauses and loses its disk on order. It must not know why, nor what is
// checked.
import {
  type Configuration,
  type Envelope,
  type LogWrite,
  type NodeId,
  type RaftInput,
  type RaftMessage,
  type RaftStatus,
  type RaftTrace,
} from '@skein/raft';
import {
  replicaDefaults,
  ReplicaCore,
  type ReplicaNotice,
  type ReplicaSettings,
} from '@skein/replica';
import { createStore, type Store } from '@skein/store';
import { SimulatedDisk } from '../disk';
import type { EventQueue } from '../event-queue';
import type { Random } from '../random';
import { ReplicaClock } from './clock';
import { LogView } from './log-view';
import type { ClusterConditions } from './options';
import type { PlantedClusterFault } from './plants';
import { loadStore, SnapshotDisk, type DiskJob } from './snapshot-disk';
import { StoredReplica, type Damage, type RestoredReplica } from './stored-replica';
import { WatchServer } from './watch-server';

/** What the network carries between replicas. */
export type Payload = { readonly message: RaftMessage } | { readonly notice: ReplicaNotice };

export interface ReplicaWorld {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly conditions: ClusterConditions;
  readonly planted: PlantedClusterFault | null;
  readonly send: (from: ClusterReplica, envelope: Envelope) => void;
  readonly notify: (from: ClusterReplica, to: NodeId, notice: ReplicaNotice) => void;
  readonly observer: ReplicaObserver;
}

/** Who checks. Told in the order of events. */
export interface ReplicaObserver {
  started(replica: ClusterReplica, restored: RestoredReplica): void;
  /** The replica has done something; look at it. */
  stepped(replica: ClusterReplica, what: string): void;
  appending(replica: ClusterReplica, write: LogWrite): void;
  persisted(replica: ClusterReplica, write: LogWrite): void;
  told(replica: ClusterReplica, fact: RaftTrace): void;
  failed(replica: ClusterReplica, error: Error): void;
}

export interface ReplicaPlace {
  readonly id: NodeId;
  /** In force until the log says otherwise; without members for one that joins. */
  readonly configuration: Configuration;
  /** How fast its clock runs. */
  readonly rate: number;
}

export class ClusterReplica {
  readonly id: NodeId;
  readonly clock: ReplicaClock;
  readonly disk: SimulatedDisk<DiskJob>;
  /** Counts restarts. */
  life = 0;
  isUp = false;
  isPaused = false;
  /** Its disk is gone, or it was removed and switched off: it never comes back under this name. */
  isGone = false;
  /** Part of its disk was damaged, and no leader has made it whole since. */
  isDamaged = false;
  hasBeenMember = false;
  /** Its program is upgraded later than the others'. */
  private isLate: boolean;
  /** What it holds in memory, as far as the log goes. */
  memory = new LogView();
  stored: StoredReplica;
  core: ReplicaCore | null = null;
  readonly watches: WatchServer;
  private deferred: (() => void)[] = [];
  private readonly snapshots: SnapshotDisk;

  constructor(
    private readonly place: ReplicaPlace,
    private readonly world: ReplicaWorld,
  ) {
    this.id = place.id;
    const { queue, random, conditions, planted } = world;
    this.clock = new ReplicaClock(queue, place.rate, 1_000 * random.between(1, 1_000_000));
    this.stored = this.emptyDisk();
    this.watches = new WatchServer(this);
    this.disk = new SimulatedDisk(
      queue,
      random.fork(),
      conditions.disk,
      {
        persist: (job) => job.persist(),
        completed: (jobs) => this.whenAwake(() => this.completed(jobs)),
        tear: (job) => {
          if (job.tear?.() === true) this.isDamaged = true;
        },
        failed: () => this.crash(),
      },
      planted === 'disk-lies',
    );
    this.snapshots = new SnapshotDisk(this, world);
    this.isLate = conditions.isMixedVersions && random.chance(0.4);
    this.tickForever();
  }

  private emptyDisk(): StoredReplica {
    return new StoredReplica({ ignoresSnapshotCrc: this.world.planted === 'snapshot-crc-ignored' });
  }

  get status(): RaftStatus | null {
    return this.core?.status() ?? null;
  }

  get store(): Store | null {
    return this.core?.store ?? null;
  }

  start(): void {
    const { planted, observer } = this.world;
    this.isUp = true;
    this.life += 1;
    const restored = this.stored.restore();
    observer.started(this, restored);
    this.memory = new LogView();
    const { snapshot, entries } = restored;
    const header = snapshot?.header;
    this.memory.install(header?.index ?? 0, header?.term ?? 0, false);
    for (const entry of entries) this.memory.push(entry);
    let { hardState } = restored;
    if (planted === 'forgets-votes') hardState = { ...hardState, vote: null };
    if (planted === 'recovering-ignored') hardState = { ...hardState, isRecovering: false };
    this.core = new ReplicaCore({
      settings: this.settings(),
      restored: {
        hardState,
        entries,
        ...(header === undefined ? {} : { snapshot: header }),
        configuration: this.place.configuration,
      },
      store: snapshot === null ? createStore() : loadStore(snapshot),
      ports: {
        clock: {
          nowMs: () => this.nowMs,
          wallMs: () => this.clock.wallMs,
        },
        log: {
          write: (write) => this.write(write),
          compact: (index) => this.snapshots.compact(index),
          saveSnapshot: (saved, source) => this.snapshots.save(saved, source),
          readSnapshot: (task) => this.snapshots.read(task),
          storeChunk: (task) => this.snapshots.storeChunk(task),
          install: (task) => this.snapshots.install(task),
          latencyMs: () => 0,
        },
        send: (envelope) => this.world.send(this, envelope),
        tell: (to, notice) => this.world.notify(this, to, notice),
        defer: () => this.later(0, () => this.call('flush', (core) => core.flush())),
        trace: (fact) => observer.told(this, fact),
        failed: (error) => observer.failed(this, error),
      },
    });
    this.core.listener = this.watches.listener();
    observer.stepped(this, 'start');
  }

  private get nowMs(): number {
    const { clock, world } = this;
    return world.planted === 'lease-clock-jumps' ? clock.wallMs : clock.monotonicMs;
  }

  private settings(): ReplicaSettings {
    const { conditions, random, queue } = this.world;
    const chance = random.fork();
    const { limits, electionTicks, tickMs, leaseMs } = conditions;
    const isUpgraded = !this.isLate || queue.nowMs > conditions.faultMs / 2;
    return {
      ...replicaDefaults,
      id: this.id,
      random: () => chance.next(),
      electionTicks,
      heartbeatTicks: 1,
      leaseMs,
      diskStallMs: electionTicks * tickMs,
      historyRevisions: conditions.historyRevisions,
      snapshotEntries: conditions.snapshotEntries,
      trailingEntries: conditions.trailingEntries,
      protocolMax: isUpgraded ? replicaDefaults.protocolMax : 1,
      limits,
    };
  }

  /** `isTorn`: the write under way leaves half of itself on the disk. */
  crash(isTorn = false): void {
    if (!this.isUp) return;
    this.isUp = false;
    this.isPaused = false;
    this.core = null;
    this.disk.crash(isTorn);
    this.deferred = [];
    this.watches.clear();
  }

  /** While it is down. Found at its next start. */
  damage(kind: Damage): void {
    if (this.stored.damage(kind, this.world.random)) this.isDamaged = true;
  }

  loseDisk(): void {
    this.crash();
    this.stored = this.emptyDisk();
    this.memory = new LogView();
    this.isDamaged = true;
  }

  /** Its program is exchanged for one that understands all protocol versions. */
  upgrade(): void {
    this.isLate = false;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    const { deferred } = this;
    this.deferred = [];
    for (const run of deferred) this.whenAwake(run);
  }

  receive(payload: Payload): void {
    this.whenAwake(() => {
      if ('notice' in payload) this.call('notice', (core) => core.heard(payload.notice));
      else this.call(payload.message.kind, (core) => core.receive(payload.message));
    });
  }

  /** Runs now, after the pause, or never if a crash comes first. */
  whenAwake(run: () => void): void {
    if (!this.isUp) return;
    if (this.isPaused) this.deferred.push(run);
    else run();
  }

  /** After a while, in this life only. */
  later(delayMs: number, run: () => void): void {
    const { life } = this;
    this.world.queue.after(delayMs, () => {
      if (life === this.life) this.whenAwake(run);
    });
  }

  input(input: RaftInput): void {
    this.call(input.kind, (core) => core.input(input));
  }

  /** Whatever is done with the core goes through here, so that it is looked at afterwards. */
  call(what: string, act: (core: ReplicaCore) => void): void {
    const { core } = this;
    if (core === null) return;
    act(core);
    const firstIndex = core.status().firstIndex - 1;
    if (firstIndex > this.memory.baseIndex) this.memory.compact(firstIndex);
    if (core.status().configurationIndex > 0) this.hasBeenMember = true;
    this.world.observer.stepped(this, what);
  }

  private tickForever(): void {
    const { queue, conditions } = this.world;
    queue.after(conditions.tickMs / this.clock.rate, () => {
      if (!this.isGone) this.tickForever();
      if (!this.isUp || this.isPaused) return;
      this.call('tick', (core) => core.tick(this.disk.waitedMs));
    });
  }

  private write(write: LogWrite): void {
    const { observer, planted, random } = this.world;
    observer.appending(this, write);
    if (write.truncateFrom !== null) this.memory.truncateFrom(write.truncateFrom);
    for (const entry of write.entries) this.memory.push(entry);
    if (planted === 'acks-before-sync') {
      for (const envelope of write.then) this.world.send(this, envelope);
    }
    this.disk.write({
      write,
      persist: () => {
        this.stored.write(write);
        const isWhole = write.hardState !== null && write.hardState.isRecovering !== true;
        if (isWhole && this.isUp) this.isDamaged = false;
        observer.persisted(this, write);
      },
      tear: () => this.stored.tear(write, random),
    });
  }

  private completed(jobs: readonly DiskJob[]): void {
    let writes: LogWrite[] = [];
    const flush = (): void => {
      const done = writes;
      writes = [];
      if (done.length > 0) this.call('durable', (core) => core.durable(done));
    };
    for (const job of jobs) {
      if (job.write !== undefined) {
        writes.push(job.write);
        continue;
      }
      flush();
      job.done?.();
    }
    flush();
  }
}
