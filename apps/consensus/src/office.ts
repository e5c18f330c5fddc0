// The leader's doors: takes the store's subjects when the core takes office and leaves them when it steps down, sends watches what
// was applied, and says what an operator should know. Decides nothing.

import { leaderChangedEvent, replicaRepairedEvent, type Contract } from '@skein/contracts';
import type { Messenger, ServiceEndpoints, Serving } from '@skein/messaging';
import type { RaftStatus } from '@skein/raft';
import type { ReplicaFact, ReplicaListener } from '@skein/replica';
import type { ServiceLogger } from '@skein/service-boot';
import type { ConsensusConfiguration } from './consensus.config';
import type { Replica } from './replica.actor';
import { storeEndpoints } from './store-endpoints';
import { Watches, type Delivery } from './watches';

export interface OfficeOptions {
  readonly replica: Replica;
  readonly config: ConsensusConfiguration;
  readonly messenger: Messenger;
  readonly storeService: ServiceEndpoints;
  readonly consensusService: ServiceEndpoints;
  readonly logger: ServiceLogger;
}

/** Requests of one subject that may be in hand at once. */
const maxPending = 4_096;

export class Office implements ReplicaListener {
  private servings: Serving[] = [];
  private readonly watches: Watches;
  private isHeld = false;
  private announced = '';

  constructor(private readonly options: OfficeOptions) {
    this.watches = new Watches(() => options.replica.store);
  }

  tookOffice(term: number): void {
    const { replica, config, logger } = this.options;
    this.isHeld = true;
    this.watches.clear();
    const deliverSoon = (): void => void setImmediate(() => this.tick(performance.now()));
    for (const { contract, handler } of storeEndpoints({
      replica,
      config,
      watches: this.watches,
      deliverSoon,
    })) {
      this.servings.push(
        this.serviceOf(contract).serve(contract, handler, { queue: null, maxPending }),
      );
    }
    logger.info({ term, revision: replica.store.revision }, 'took office');
    this.announce(replica.core.status());
  }

  leftOffice(): void {
    this.isHeld = false;
    this.watches.clear();
    for (const serving of this.servings.splice(0)) void serving.stop();
    this.options.logger.info('left office');
  }

  caughtUp(): void {
    if (!this.isHeld) return;
    for (const delivery of this.watches.deliveries(performance.now())) this.deliver(delivery);
  }

  tick(nowMs: number): void {
    if (!this.isHeld) return;
    this.caughtUp();
    for (const delivery of this.watches.progress(nowMs)) this.deliver(delivery);
  }

  /** A follower that finds a leader says nothing: the leader itself does, once it can serve. */
  roleChanged(status: RaftStatus): void {
    if (this.isHeld && status.role !== 'leader') this.announce(status);
  }

  said(fact: ReplicaFact): void {
    const { logger } = this.options;
    const { kind, ...facts } = fact;
    switch (kind) {
      case 'stateDiffers':
        return logger.error(facts, 'the states of replicas differ');
      case 'removed':
        return logger.warn(facts, 'this replica is no member any more and stays quiet');
      case 'snapshotDamaged':
        return logger.error(facts, 'the disk has lost the newest snapshot: another one is kept');
      case 'snapshotFailed':
        return logger.warn(facts, 'a snapshot could not be kept');
      case 'recovered':
        return this.repaired();
      default:
        return logger.info(facts, factMessages[kind]);
    }
  }

  storeReplaced(): void {
    this.watches.clear();
  }

  private repaired(): void {
    const { replica, config, messenger, logger } = this.options;
    const { clusterId, replicaId } = config;
    const { repair } = replica;
    const { appliedIndex, revision } = replica.store.status;
    logger.info({ ...repair, appliedIndex }, 'the log is whole again: what was lost was fetched');
    messenger.publishEvent(replicaRepairedEvent, {
      revision,
      at: Date.now(),
      clusterId,
      replicaId,
      appliedIndex,
      ...(repair === null ? {} : { reason: repair.reason, lostFrom: repair.lostFrom }),
    });
  }

  private serviceOf(contract: Contract): ServiceEndpoints {
    const { storeService, consensusService } = this.options;
    return contract.service === 'store' ? storeService : consensusService;
  }

  private deliver({ deliver, message }: Delivery): void {
    this.options.messenger.publishBytes(deliver, encoder.encode(JSON.stringify(message)));
  }

  private announce({ leader, term }: RaftStatus): void {
    const { messenger, replica, config } = this.options;
    const { clusterId, replicaId } = config;
    const fact = `${leader} ${term}`;
    if (fact === this.announced) return;
    this.announced = fact;
    messenger.publishEvent(leaderChangedEvent, {
      revision: replica.store.revision,
      at: Date.now(),
      clusterId,
      leaderId: leader,
      term,
      replicaId,
    });
  }
}

const encoder = new TextEncoder();

const factMessages = {
  leaseExpired: 'lease ran out',
  snapshotSaved: 'snapshot kept',
  snapshotInstalled: 'a snapshot of the leader has taken the place of log and state',
  logCompacted: 'log compacted',
  historyCompacted: 'history compacted',
  configurationApplied: 'configuration in force',
  removalEnded: 'a leader speaks to this replica again',
  protocolAgreed: 'protocol agreed on',
} as const;
