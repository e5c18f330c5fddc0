// The edge of one replica: gives the core its log, peers and clock, opens the log once its key is there, and takes all down in
// order. Decides nothing about Raft. It knows nothing of contracts and of what clients may ask.

import { join } from 'node:path';
import { SkeinError } from '@skein/contracts';
import type { Messenger } from '@skein/messaging';
import type { Configuration, RaftTrace } from '@skein/raft';
import { openRaftLog, RaftLogError, type LogSize, type RaftLog } from '@skein/raft-sqlite';
import { ReplicaCore, type ReplicaListener, type ReplicaSettings } from '@skein/replica';
import type { ServiceLogger } from '@skein/service-boot';
import { createStore, Store } from '@skein/store';
import type { ConsensusConfiguration } from './consensus.config';
import { decodeKey, keyFileName, KeyFile } from './keys';
import { LogEdge } from './log-edge';
import { Peers } from './peers';
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
/** Of an election timeout, what a lease of the leader lasts: clocks drift. */
const leaseShare = 0.9;
export const programVersion = '0.1.0';

export class Replica {
  /** Sizes on disk as of some seconds ago. */
  size: LogSize | undefined;
  /** A later incarnation of the cluster has left this replica behind; 0: none has. */
  fencedBy = 0;
  private opened: { core: ReplicaCore; log: RaftLog; edge: LogEdge } | undefined;
  private opening: Promise<void> | undefined;
  private isStarted = false;
  private hasFailed = false;
  private sizeAt = 0;
  /** Times in a row. */
  private looksStuck = 0;
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
      receive: (message) => this.core.receive(message),
      heard: (notice) => this.core.heard(notice),
      onMalformed: (fault) => logger.warn({ fault }, 'a peer sent something unreadable'),
      onOlderEpoch: (from, epoch) =>
        logger.warn(
          { from, epoch, ownEpoch: this.peers.epoch },
          'a replica of an earlier incarnation of the cluster is not listened to',
        ),
      onNewerEpoch: (from, epoch) => this.newerEpoch(from, epoch),
    });
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

  async rotateKey(newKey: string | null): Promise<void> {
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
    this.ticker.stop();
    this.peers.stop();
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
    this.ticker.start();
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
    const core = new ReplicaCore({
      settings: settingsOf(config),
      restored: { ...log.restored, configuration: initial, configurationIndex: 0 },
      store: await loadStore(log),
      ports: {
        clock: { nowMs: () => performance.now(), wallMs: () => Date.now() },
        log: edge,
        send: (envelope) => this.peers.send(envelope),
        tell: (to, notice) => this.peers.tell(to, notice),
        defer: () => queueMicrotask(() => this.core.flush()),
        trace: (fact) => this.trace(fact),
        failed: (error) => this.fail(error),
      },
    });
    this.peers.epoch = log.meta.epoch;
    this.opened = { core, log, edge };
    core.listener = listener(this);
  }

  private tick(nowMs: number): void {
    const { core, log } = this.parts;
    if (this.fencedBy === 0) core.tick(log.outstandingMs(nowMs));
    if (nowMs < this.sizeAt) return;
    this.sizeAt = nowMs + sizeEveryMs;
    this.askForHelpIfStuck();
    log.size().then(
      (size) => (this.size = size),
      () => undefined,
    );
  }

  /** Recovering, and nobody leads: perhaps too few members are whole, and then only an operator can go on. */
  private askForHelpIfStuck(): void {
    const { isRecovering, leader, configuration } = this.core.status();
    this.looksStuck = isRecovering && leader === null ? this.looksStuck + 1 : 0;
    if (this.looksStuck !== 2) return;
    this.options.logger.error(
      { voters: configuration.incoming },
      'this log was damaged and no leader is heard: start the other members; if most of them are damaged or lost, run `skein cluster recover` on one that is whole',
    );
  }

  /** A replica without a past of its own goes along; one with entries of the old cluster must not bring them in. */
  private newerEpoch(from: string, epoch: number): boolean {
    const { core, log } = this.parts;
    const { logger } = this.options;
    const { lastIndex, configuration } = core.status();
    const isBlank = lastIndex === 0 && configuration.incoming.length === 0;
    if (isBlank) {
      logger.info({ from, epoch }, 'joins a recovered cluster');
      this.peers.epoch = epoch;
      log.setEpoch(epoch).catch((thrown: Error) => this.fail(thrown));
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
    this.ticker.stop();
    this.peers.stop();
    this.options.onFailure(error);
  }

  private trace(fact: RaftTrace): void {
    if (fact.kind === 'commitAdvanced' || fact.kind === 'voteAnswered') return;
    const { logger } = this.options;
    if (fact.kind === 'roleChanged') logger.info(fact, 'role changed');
    else if (fact.kind === 'diskStalled') logger.warn(fact, 'the disk stands still');
    else logger.debug(fact, 'raft');
  }
}

function initialConfiguration({ voters, join: joins }: ConsensusConfiguration): Configuration {
  return { incoming: joins ? [] : [...voters].sort(), outgoing: [], learners: [] };
}

function settingsOf(config: ConsensusConfiguration): ReplicaSettings {
  const { replicaId, tickMs, leaseReads, autoPromote } = config;
  return {
    ...config,
    id: replicaId,
    random: Math.random,
    leaseMs: leaseReads ? config.electionTicks * tickMs * leaseShare : undefined,
    promotesLearners: autoPromote,
    version: programVersion,
  };
}

async function loadStore(log: RaftLog): Promise<Store> {
  const loader = Store.loader();
  const header = await log.loadSnapshot((bytes) => loader.push(bytes));
  return header === null ? createStore() : loader.finish();
}

async function until(holds: () => boolean, limitMs: number): Promise<void> {
  const limit = performance.now() + limitMs;
  while (!holds() && performance.now() < limit) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
