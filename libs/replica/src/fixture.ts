// A cluster of cores in one turn of one thread, for tests: messages wait until they are delivered, disks until they are asked to
// write, and time stands until it is moved. Nothing is lost but by order.

import type {
  Configuration,
  Envelope,
  HardState,
  LogEntry,
  LogWrite,
  NodeId,
  RestoredState,
  SnapshotHeader,
  SnapshotTask,
} from '@skein/raft';
import { createStore, Store, type SnapshotSource, type StoreRequest } from '@skein/store';
import type { ReadLevel } from './read-rounds';
import { ReplicaCore } from './replica-core';
import { replicaDefaults, type ReplicaSettings } from './settings';
import type { LogPort, ReplicaFact, ReplicaListener, ReplicaNotice } from './types';

export const tickMs = 25;

interface KeptSnapshot {
  readonly header: SnapshotHeader;
  readonly bytes: Uint8Array;
}

/** What a crash leaves. */
class Disk implements LogPort {
  hardState: HardState = { term: 0, vote: null, commit: 0 };
  entries: LogEntry[] = [];
  snapshot: KeptSnapshot | undefined;
  partial: { header: SnapshotHeader; bytes: number[] } | undefined;
  queue: LogWrite[] = [];
  tasks: (() => void)[] = [];
  isStalled = false;
  /** Installs that find their snapshot damaged. */
  damaged = 0;
  /** The kept snapshot can't be read until another one is kept. */
  isSnapshotDamaged = false;

  constructor(private readonly core: () => ReplicaCore) {}

  write(write: LogWrite): void {
    this.queue.push(write);
  }

  compact(index: number): void {
    this.entries = this.entries.filter((entry) => entry.index > index);
  }

  saveSnapshot(header: SnapshotHeader, source: SnapshotSource): void {
    this.tasks.push(() => {
      this.snapshot = { header, bytes: bytesOf(source) };
      this.isSnapshotDamaged = false;
      this.core().snapshotSaved(header, this.snapshot.bytes.length);
    });
  }

  readSnapshot({ to, resume, maxBytes }: Extract<SnapshotTask, { kind: 'read' }>): void {
    this.tasks.push(() => {
      const { snapshot, isSnapshotDamaged } = this;
      if (isSnapshotDamaged) this.core().snapshotDamaged();
      if (snapshot === undefined || isSnapshotDamaged)
        return this.core().input({ kind: 'snapshotUnavailable', to });
      const { header, bytes } = snapshot;
      const isSame = resume?.index === header.index && resume.term === header.term;
      const offset = isSame ? resume.offset : 0;
      const data = bytes.slice(offset, offset + maxBytes);
      const size = bytes.length;
      this.core().input({ kind: 'snapshotChunk', to, header, offset, size, data, crc: 0 });
    });
  }

  storeChunk({ header, offset, data }: Extract<SnapshotTask, { kind: 'store' }>): void {
    this.tasks.push(() => {
      const { index, term } = header;
      if (offset === 0) this.partial = { header, bytes: [] };
      this.partial?.bytes.push(...data);
      const wanted = this.partial?.bytes.length ?? 0;
      this.core().input({ kind: 'snapshotStored', index, term, offset: wanted });
    });
  }

  install({ header, keepSuffix }: Extract<SnapshotTask, { kind: 'install' }>): void {
    this.tasks.push(() => {
      if (this.damaged > 0) {
        this.damaged -= 1;
        return this.core().installRejected(header);
      }
      const bytes = Uint8Array.from(this.partial?.bytes ?? []);
      this.snapshot = { header, bytes };
      this.entries = keepSuffix ? this.entries.filter(({ index }) => index > header.index) : [];
      this.core().installed(header, storeOf(bytes));
    });
  }

  latencyMs(): number {
    return 1;
  }

  get isEmpty(): boolean {
    const { hardState, entries, snapshot } = this;
    return hardState.vote === null && entries.length === 0 && snapshot === undefined;
  }

  /** An empty one takes its place. */
  replace(): void {
    this.hardState = { term: 0, vote: null, commit: 0 };
    this.entries = [];
    this.snapshot = this.partial = undefined;
  }

  /** False when there was nothing to do. */
  work(): boolean {
    if (this.isStalled) return false;
    const writes = this.queue.splice(0);
    for (const { hardState, truncateFrom, entries } of writes) {
      if (hardState !== null) this.hardState = hardState;
      if (truncateFrom !== null) {
        this.entries = this.entries.filter(({ index }) => index < truncateFrom);
      }
      this.entries.push(...entries);
    }
    if (writes.length > 0) this.core().durable(writes);
    const tasks = this.tasks.splice(0);
    for (const task of tasks) task();
    return writes.length + tasks.length > 0;
  }
}

export class TestReplica {
  core!: ReplicaCore;
  readonly disk: Disk = new Disk(() => this.core);
  readonly facts: ReplicaFact[] = [];
  readonly offices: string[] = [];
  failure: Error | undefined;
  isUp = true;
  isDeferred = false;
  stalledSince: number | undefined;

  constructor(
    readonly id: NodeId,
    private readonly cluster: TestCluster,
    private readonly initial: Configuration,
    private settings: Partial<ReplicaSettings>,
  ) {
    this.start();
  }

  /** From its disk, perhaps as another release of the program. */
  start(settings: Partial<ReplicaSettings> = {}): void {
    this.settings = { ...this.settings, ...settings };
    const { cluster, disk, id } = this;
    const { snapshot, hardState } = disk;
    disk.queue = [];
    disk.tasks = [];
    this.isUp = true;
    const restored: RestoredState = {
      hardState,
      entries: disk.entries.filter(({ index }) => index > (snapshot?.header.index ?? 0)),
      configuration: this.initial,
      isNew: disk.isEmpty,
      ...(snapshot === undefined ? {} : { snapshot: snapshot.header }),
    };
    this.core = new ReplicaCore({
      settings: { ...replicaDefaults, id, random: () => cluster.chance(), ...this.settings },
      restored,
      store: snapshot === undefined ? createStore() : storeOf(snapshot.bytes),
      ports: {
        clock: { nowMs: () => cluster.nowMs, wallMs: () => cluster.nowMs },
        log: disk,
        send: (envelope) => cluster.mail.push(envelope),
        tell: (to, notice) => cluster.notices.push({ to, notice }),
        defer: () => (this.isDeferred = true),
        trace: () => undefined,
        failed: (error) => (this.failure = error),
      },
    });
    this.core.listener = this.listener();
  }

  crash(): void {
    this.isUp = false;
  }

  flush(): boolean {
    if (!this.isDeferred) return false;
    this.isDeferred = false;
    this.core.flush();
    return true;
  }

  /** The fate of a write: `done`, or the code of its refusal; absent until it is answered. */
  submit(request: StoreRequest): { now?: string } {
    const told: { now?: string } = {};
    this.core.submit(request, (answered) => (told.now = fateOf(answered)));
    return told;
  }

  put(key: string, value = '1'): { now?: string } {
    return this.submit({ type: 'put', key, value });
  }

  /** What a read gets: the value, `none`, or the code of its refusal; absent until it is answered. */
  read(key: string, level: ReadLevel = 'linearizable', maxStalenessMs = 0): { now?: string } {
    const told: { now?: string } = {};
    this.core.read(level, { maxStalenessMs }, (answered) => {
      told.now = answered.ok ? this.valueOf(key) : answered.refusal.code;
    });
    return told;
  }

  valueOf(key: string): string {
    const outcome = this.core.store.range({ key });
    return outcome.ok ? (outcome.reply.kvs[0]?.value ?? 'none') : outcome.refusal.code;
  }

  private listener(): ReplicaListener {
    return {
      tookOffice: () => this.offices.push('took'),
      leftOffice: () => this.offices.push('left'),
      caughtUp: () => undefined,
      tick: () => undefined,
      roleChanged: () => undefined,
      said: (fact) => this.facts.push(fact),
      storeReplaced: () => this.offices.push('replaced'),
    };
  }
}

export class TestCluster {
  readonly replicas = new Map<NodeId, TestReplica>();
  mail: Envelope[] = [];
  notices: { to: NodeId; notice: ReplicaNotice }[] = [];
  nowMs = 1_000;
  /** Whose messages get through, either way; absent: everybody's. */
  reachable: ReadonlySet<NodeId> | undefined;
  private draws = 0;

  constructor(
    voters: readonly NodeId[],
    private readonly settings: Partial<ReplicaSettings> = {},
  ) {
    for (const id of voters) this.add(id, voters);
  }

  /** Without voters: one that waits to be joined. */
  add(id: NodeId, voters: readonly NodeId[] = [], settings = this.settings): TestReplica {
    const initial = { incoming: [...voters].sort(), outgoing: [], learners: [] };
    const replica = new TestReplica(id, this, initial, settings);
    this.replicas.set(id, replica);
    return replica;
  }

  of(id: NodeId): TestReplica {
    const found = this.replicas.get(id);
    if (found === undefined) throw new Error(`there is no ${id}`);
    return found;
  }

  chance(): number {
    this.draws += 1;
    return ((this.draws * 7) % 10) / 10;
  }

  /** Until nothing is left to deliver, write or flush. */
  settle(): void {
    for (let rounds = 0; this.once(); rounds += 1) {
      if (rounds > 10_000) throw new Error('the cluster does not come to rest');
    }
  }

  /** Moves time for all, and settles after each tick. */
  pass(ms: number, ids: readonly NodeId[] = [...this.replicas.keys()]): void {
    for (const end = this.nowMs + ms; this.nowMs < end;) {
      this.nowMs += tickMs;
      for (const id of ids) this.tick(this.of(id));
      this.settle();
    }
  }

  /** Passes time until somebody is in office. */
  leader(): TestReplica {
    for (let waited = 0; waited < 10_000; waited += tickMs) {
      const held = [...this.replicas.values()].filter(({ core, isUp }) => isUp && core.isInOffice);
      const newest = held.sort((a, b) => b.core.status().term - a.core.status().term)[0];
      if (newest !== undefined && this.canReach(newest.id)) return newest;
      this.pass(tickMs);
    }
    throw new Error('nobody took office');
  }

  followers(): TestReplica[] {
    const leader = this.leader();
    return [...this.replicas.values()].filter((replica) => replica !== leader && replica.isUp);
  }

  private tick(replica: TestReplica): void {
    if (!replica.isUp) return;
    const { disk } = replica;
    const isWaiting = disk.isStalled && disk.queue.length > 0;
    replica.stalledSince = isWaiting ? (replica.stalledSince ?? this.nowMs) : undefined;
    replica.core.tick(isWaiting ? this.nowMs - (replica.stalledSince ?? 0) : 0);
  }

  private once(): boolean {
    let worked = false;
    for (const replica of this.replicas.values()) {
      if (!replica.isUp) continue;
      worked = replica.flush() || worked;
      worked = replica.disk.work() || worked;
    }
    const { mail, notices } = this;
    this.mail = [];
    this.notices = [];
    for (const { to, message } of mail) {
      if (this.gets(message.from, to)) this.of(to).core.receive(message);
    }
    for (const { to, notice } of notices) {
      if (this.gets(notice.from, to)) this.of(to).core.heard(notice);
    }
    return worked || mail.length + notices.length > 0;
  }

  private gets(from: NodeId, to: NodeId): boolean {
    const isUp = this.replicas.get(from)?.isUp === true && this.replicas.get(to)?.isUp === true;
    return isUp && this.canReach(from) && this.canReach(to);
  }

  private canReach(id: NodeId): boolean {
    return this.reachable === undefined || this.reachable.has(id);
  }
}

function fateOf(answered: { ok: true } | { ok: false; refusal: { code: string } }): string {
  return answered.ok ? 'done' : answered.refusal.code;
}

function bytesOf(source: SnapshotSource): Uint8Array {
  const bytes: number[] = [];
  for (let piece = source.next(65_536); piece !== null; piece = source.next(65_536)) {
    bytes.push(...piece);
  }
  return Uint8Array.from(bytes);
}

function storeOf(bytes: Uint8Array): Store {
  const loader = Store.loader();
  loader.push(bytes);
  return loader.finish();
}
