// The edge of one replica: gives the core its log, peers and clock, opens the log once its key is there, and takes all down in
// order. Decides nothing about Raft. It knows nothing of contracts and of what clients may ask.

import { join } from 'node:path';
import { SkeinError } from '@skein/contracts';
import type { Messenger } from '@skein/messaging';
import type { HardState, RaftMessage, RestoredState } from '@skein/raft';
import {
  openRaftLog,
  RaftLogError,
  type LogSize,
  type RaftLog,
  type RepairReport,
} from '@skein/raft-sqlite';
import { originOf, ReplicaCore, type ReplicaListener, type ReplicaNotice } from '@skein/replica';
import type { ServiceLogger } from '@skein/service-boot';
import type { Store } from '@skein/store';
import { Bootstrap } from './bootstrap';
import { CallForHelp } from './call-for-help';
import type { ConsensusConfiguration } from './consensus.config';
import { decodeKey, keyFileName, KeyFile } from './keys';
import { LogEdge } from './log-edge';
import { Peers } from './peers';
import { logTrace } from './raft-traces';
import {
  directoryLost,
  hardStateLost,
  initialConfiguration,
  isEmpty,
  loadStore,
  settingsOf,
} from './replica-start';
import { Ticker } from './ticker';

export interface ReplicaOptions {
  readonly config: ConsensusConfiguration;
  readonly messenger: Messenger;
  readonly logger: ServiceLogger;
  /** Log or core can't be trusted any more: the process must end. Called once; nothing is done after it. */
  readonly onFailure: (error: Error) => void;
  /** Called when the log is open: who serves clients from then on. */
  readonly listener: (replica: Replica) => ReplicaListener;
  /** As the log's option of this name. */
  readonly logWorker?: URL | null;
}

/** How long an orderly end waits for a successor, and then for what became of the last writes. */
const handOverMs = 1_000;
const lastWritesMs = 1_500;
const sizeEveryMs = 5_000;

export class Replica {
  /** Sizes on disk as of some seconds ago. */
  size: LogSize | undefined;
  /** A later incarnation of the cluster has left this replica behind; 0: none has. */
  fencedBy = 0;
  private opened: { core: ReplicaCore; log: RaftLog; edge: LogEdge } | undefined;
  private opening: Promise<void> | undefined;
  /** Set while it is not clear whether an empty directory is a new one: the core neither hears nor says anything then. */
  private bootstrap: Bootstrap | undefined;
  private lost: RepairReport | null = null;
  private rotating: Promise<void> = Promise.resolve();
  private isStarted = false;
  private hasFailed = false;
  private sizeAt = 0;
  private readonly callForHelp: CallForHelp;
  private readonly keyFile: KeyFile | undefined;
  private readonly peers: Peers;
  private readonly ticker: Ticker;

  private constructor(private readonly options: ReplicaOptions) {
    const { messenger, config, logger } = options;
    const { clusterId, replicaId, protocolMax, tickMs, encryption, keyFile, dataDir } = config;
    this.peers = new Peers({
      messenger,
      clusterId,
      replicaId,
      protocolMax,
      receive: (message) => this.receive(message),
      heard: (notice) => this.heard(notice),
      onMalformed: (fault) => logger.warn({ fault }, 'a peer sent something unreadable'),
      onOlderEpoch: (from, epoch) =>
        logger.warn(
          { from, epoch, ownEpoch: this.peers.epoch },
          'a replica of an earlier incarnation of the cluster is not listened to',
        ),
      onNewerEpoch: (from, epoch) => this.newerEpoch(from, epoch),
    });
    this.callForHelp = new CallForHelp(logger);
    this.ticker = new Ticker(tickMs, (nowMs) => this.tick(nowMs));
    if (encryption === 'keyfile') {
      this.keyFile = new KeyFile(keyFile ?? join(dataDir, keyFileName));
    }
  }

  /** Opens the log and restores what it holds, unless it waits for its key; nothing is heard before `start`. */
  static async open(options: ReplicaOptions): Promise<Replica> {
    const replica = new Replica(options);
    if (options.config.encryption === 'locked') {
      options.logger.warn('the replica is locked: it waits for its key');
      return replica;
    }
    await replica.openLog();
    return replica;
  }

  get isLocked(): boolean {
    return this.opened === undefined;
  }

  /** Throws `locked` until the key is there. */
  get core(): ReplicaCore {
    return this.parts.core;
  }

  get log(): RaftLog {
    return this.parts.log;
  }

  get store(): Store {
    return this.core.store;
  }

  get epoch(): number {
    return this.peers.epoch;
  }

  /** What was found to be lost at this start; null: nothing. */
  get repair(): RepairReport | null {
    return this.lost ?? this.log.repair;
  }

  get diskLatencyMs(): number {
    return this.parts.edge.latencyMs();
  }

  start(): void {
    this.isStarted = true;
    if (!this.isLocked) this.run();
  }

  /** Opens a locked log. False if it was open. Throws `wrong_key`. */
  async unlock(key: string): Promise<boolean> {
    if (!this.isLocked) return false;
    if (this.opening !== undefined) throw new SkeinError('unavailable', 'It is being unlocked');
    this.opening = this.openLog(decodeKey(key));
    try {
      await this.opening;
    } catch (thrown) {
      if (thrown instanceof RaftLogError && thrown.code === 'locked') {
        throw new SkeinError('wrong_key', 'The key does not open the log');
      }
      throw thrown;
    } finally {
      this.opening = undefined;
    }
    this.options.logger.info('the replica was unlocked');
    if (this.isStarted) this.run();
    return true;
  }

  /** One after the other: the key that lies in the file must be the one that the log was told. */
  rotateKey(newKey: string | null): Promise<void> {
    const rotated = this.rotating.then(() => this.rotateKeyAlone(newKey));
    this.rotating = rotated.catch(() => undefined);
    return rotated;
  }

  private async rotateKeyAlone(newKey: string | null): Promise<void> {
    const { encryption } = this.options.config;
    const { log } = this.parts;
    if (encryption === 'off') throw new SkeinError('not_encrypted', 'The log is not encrypted');
    if (newKey === null) {
      await log.rotateDataKey();
      return;
    }
    const key = decodeKey(newKey);
    // The file first: a crash in between leaves both keys, of which one opens the log.
    this.keyFile?.prepare(key);
    await log.changeKey(key);
    this.keyFile?.commit();
  }

  /** Nobody of the present epoch is listened to from now on. Durable before the core acts on it. */
  async raiseEpoch(epoch: number): Promise<void> {
    if (this.bootstrap !== undefined) {
      throw new SkeinError('unavailable', 'The replica is empty and waits for the other voters');
    }
    await this.parts.log.setEpoch(epoch);
    this.peers.epoch = epoch;
    this.fencedBy = 0;
  }

  /** Hands leadership over if it can, so that nobody has to wait for an election, and tells what became of the last writes. */
  async stop(): Promise<void> {
    if (this.opened !== undefined) {
      const { core } = this.opened;
      if (core.status().role === 'leader') {
        core.transfer(null, () => undefined);
        await until(() => core.status().role !== 'leader', handOverMs);
        await until(() => core.writesInFlight === 0, lastWritesMs);
      }
    }
    this.halt();
    await this.opened?.log.close();
  }

  private get parts(): NonNullable<Replica['opened']> {
    if (this.opened === undefined) {
      throw new SkeinError('locked', 'The replica waits for its key', {
        facts: { replicaId: this.options.config.replicaId },
      });
    }
    return this.opened;
  }

  private run(): void {
    this.peers.listen();
    if (this.bootstrap === undefined) this.ticker.start();
    else this.bootstrap.start();
  }

  private halt(): void {
    this.bootstrap?.stop();
    this.bootstrap = undefined;
    this.ticker.stop();
    this.peers.stop();
  }

  private receive(message: RaftMessage): void {
    if (this.bootstrap === undefined) this.core.receive(message);
    else this.bootstrap.received(message);
  }

  private heard(notice: ReplicaNotice): void {
    if (notice.kind === 'origin') {
      if (notice.asks) this.tellOrigin(notice.from, false);
      this.bootstrap?.heard(notice.from, notice.origin);
    } else if (this.bootstrap === undefined) this.core.heard(notice);
  }

  /** One that was started to join knows that there is a cluster. */
  private tellOrigin(to: string, asks: boolean): void {
    const { replicaId: from, join: joins } = this.options.config;
    const origin = joins ? 'begun' : originOf(this.core.status());
    this.peers.tell(to, { kind: 'origin', from, origin, asks });
  }

  private async openLog(given?: Uint8Array): Promise<void> {
    const keys = given === undefined ? (this.keyFile?.candidates() ?? [null]) : [given];
    for (const [at, key] of keys.entries()) {
      try {
        await this.openWith(key);
        if (given === undefined) this.keyFile?.settle(at);
        return;
      } catch (thrown) {
        const isOther = thrown instanceof RaftLogError && thrown.code === 'locked';
        if (!isOther || at === keys.length - 1) throw thrown;
      }
    }
  }

  private async openWith(key: Uint8Array | null): Promise<void> {
    const { config, logger, logWorker, listener } = this.options;
    const { clusterId, replicaId, dataDir } = config;
    const initial = initialConfiguration(config);
    const log = await openRaftLog({
      directory: dataDir,
      clusterId,
      replicaId,
      configuration: initial,
      encryption: key === null ? null : { key },
      ...(logWorker === undefined ? {} : { worker: logWorker }),
      onDurable: (writes) => edge.durable(writes),
      onFailure: (error) => this.fail(error),
    });
    const edge = new LogEdge(
      log,
      () => this.core,
      (error) => this.fail(error),
    );
    if (log.repair !== null) {
      logger.error(log.repair, 'the log was damaged: what is lost is fetched from the leader');
    }
    const store = await loadStore(log);
    const restored = {
      ...log.restored,
      configuration: initial,
      configurationIndex: 0,
      isNew: isEmpty(log.restored),
    };
    const core = this.coreWith(edge, store, restored);
    this.peers.epoch = log.meta.epoch;
    this.opened = { core, log, edge };
    core.listener = listener(this);
    if (restored.isNew && config.voters.length > 1 && !config.join) {
      this.bootstrap = this.bootstrapOf((hardState) => ({ ...restored, hardState }));
    }
  }

  private coreWith(edge: LogEdge, store: Store, restored: RestoredState): ReplicaCore {
    return new ReplicaCore({
      settings: settingsOf(this.options.config),
      restored,
      store,
      ports: {
        clock: { nowMs: () => performance.now(), wallMs: () => Date.now() },
        log: edge,
        send: (envelope) => this.peers.send(envelope),
        tell: (to, notice) => this.peers.tell(to, notice),
        defer: () => queueMicrotask(() => this.core.flush()),
        trace: (fact) => logTrace(this.options.logger, fact),
        failed: (error) => this.fail(error),
      },
    });
  }

  private bootstrapOf(restoredWith: (hardState: HardState) => RestoredState): Bootstrap {
    const { config, logger } = this.options;
    return new Bootstrap({
      config,
      logger,
      ask: (voter) => this.tellOrigin(voter, true),
      decided: (start) => {
        if (start === 'recover') {
          this.startLost(restoredWith(hardStateLost)).catch((thrown: Error) => this.fail(thrown));
          return;
        }
        this.bootstrap = undefined;
        this.ticker.start();
      },
    });
  }

  /** What this replica once promised is forgotten. That is durable before it says a word to anybody. */
  private async startLost(restored: RestoredState): Promise<void> {
    const { core: empty, log, edge } = this.parts;
    this.lost = directoryLost;
    this.options.logger.error(this.lost, directoryLost.reason);
    await edge.keep(restored.hardState);
    if (this.bootstrap === undefined) return;
    const core = this.coreWith(edge, empty.store, restored);
    // Who asked the other one gets a refusal.
    empty.retire();
    core.listener = empty.listener;
    this.opened = { core, log, edge };
    this.bootstrap = undefined;
    this.ticker.start();
  }

  private tick(nowMs: number): void {
    const { core, log } = this.parts;
    if (this.fencedBy === 0) core.tick(log.outstandingMs(nowMs));
    if (nowMs < this.sizeAt) return;
    this.sizeAt = nowMs + sizeEveryMs;
    this.callForHelp.look(core.status());
    log.size().then(
      (size) => (this.size = size),
      () => undefined,
    );
  }

  /** A replica without a past of its own goes along; one with entries of the old cluster must not bring them in. */
  private newerEpoch(from: string, epoch: number): boolean {
    const { core, log } = this.parts;
    const { logger } = this.options;
    const { lastIndex, configuration } = core.status();
    const hasNoPast = lastIndex === 0 && configuration.incoming.length === 0;
    if (hasNoPast || this.bootstrap !== undefined) {
      logger.info({ from, epoch }, 'joins a recovered cluster');
      this.peers.epoch = epoch;
      log.setEpoch(epoch).catch((thrown: Error) => this.fail(thrown));
      this.bootstrap?.heard(from, 'begun');
      return true;
    }
    if (this.fencedBy !== epoch) {
      this.fencedBy = epoch;
      core.retire();
      logger.error(
        { from, epoch, ownEpoch: this.peers.epoch },
        'this replica belongs to a cluster that was recovered without it: it stays quiet; start it with an empty directory to join',
      );
    }
    return false;
  }

  private fail(error: Error): void {
    if (this.hasFailed) return;
    this.hasFailed = true;
    this.halt();
    this.options.onFailure(error);
  }
}

async function until(holds: () => boolean, limitMs: number): Promise<void> {
  const limit = performance.now() + limitMs;
  while (!holds() && performance.now() < limit) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
