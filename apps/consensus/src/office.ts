// What a leader does for clients while it is in office: serves the store's subjects, runs leases out, feeds watches, keeps the
// history short. Takes the subjects when it takes office and leaves them when it steps down; decides nothing about Raft.

import {
  clusterStatusContract,
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
  transferLeadershipContract,
  watchContract,
  type Contract,
} from '@skein/contracts';
import type { Handler, Messenger, ServiceEndpoints, Serving } from '@skein/messaging';
import type { RaftStatus } from '@skein/raft';
import type { ServiceLogger } from '@skein/service-boot';
import {
  LeaseDeadlines,
  requestFault,
  type Outcome,
  type Refusal,
  type ReplyByType,
  type StoreCommand,
  type StoreReply,
  type StoreRequest,
} from '@skein/store';
import type { Replica, ReplicaListener } from './replica.actor';
import { renewWithinMs, Watches, type Delivery } from './watches';

export interface OfficeOptions {
  readonly replica: Replica;
  readonly messenger: Messenger;
  readonly storeService: ServiceEndpoints;
  readonly consensusService: ServiceEndpoints;
  readonly logger: ServiceLogger;
  readonly clusterId: string;
  readonly replicaId: string;
  readonly historyRevisions: number;
}

/** Requests of one subject that may be in hand at once. */
const maxPending = 4_096;
const transferPatienceMs = 2_000;

export class Office implements ReplicaListener {
  private servings: Serving[] = [];
  private readonly deadlines = new LeaseDeadlines();
  private readonly watches: Watches;
  private isHeld = false;
  private isCompacting = false;
  private announced = '';

  constructor(private readonly options: OfficeOptions) {
    this.watches = new Watches(options.replica.store);
  }

  tookOffice(term: number): void {
    const { replica, logger } = this.options;
    this.isHeld = true;
    this.deadlines.restart(replica.store.leases(), performance.now());
    this.watches.clear();
    this.serveAll();
    logger.info({ term, revision: replica.store.status.revision }, 'took office');
    this.announce(replica.raftStatus());
  }

  leftOffice(): void {
    this.isHeld = false;
    this.isCompacting = false;
    this.watches.clear();
    for (const serving of this.servings.splice(0)) void serving.stop();
    this.options.logger.info('left office');
  }

  applied(command: StoreCommand, outcomes: readonly Outcome<StoreReply>[]): void {
    if (!this.isHeld) return;
    const now = performance.now();
    for (const [at, request] of command.requests.entries()) {
      const outcome = outcomes[at];
      if (outcome?.ok !== true) continue;
      if (request.type === 'grantLease') {
        const { lease, ttlMs } = outcome.reply as ReplyByType['grantLease'];
        // A repeated request is answered again; its lease may have ended since.
        if (this.options.replica.store.lease(lease)) this.deadlines.granted(lease, ttlMs, now);
      } else if (request.type === 'revokeLease' || request.type === 'expireLease') {
        this.deadlines.ended(request.lease);
      }
    }
  }

  caughtUp(): void {
    if (!this.isHeld) return;
    for (const delivery of this.watches.deliveries(performance.now())) this.deliver(delivery);
  }

  tick(nowMs: number): void {
    if (!this.isHeld) return;
    for (const lease of this.deadlines.takeExpired(nowMs)) this.expire(lease);
    for (const delivery of this.watches.progress(nowMs)) this.deliver(delivery);
    this.compactIfDue();
  }

  /** A follower that finds a leader says nothing: the leader itself does, once it can serve. */
  roleChanged(status: RaftStatus): void {
    if (this.isHeld && status.role !== 'leader') this.announce(status);
  }

  private serveAll(): void {
    const { replica } = this.options;
    this.serve(rangeContract, async ({ consistency, ...request }) => {
      if (consistency !== 'stale') await replica.reads.confirm();
      return replyOf(replica.store.range(request));
    });
    this.serve(putContract, (request) => this.write({ type: 'put', ...request }));
    this.serve(deleteContract, (request) => this.write({ type: 'delete', ...request }));
    this.serve(transactionContract, (request) => this.write({ type: 'txn', ...request }));
    this.serve(grantLeaseContract, (request) => this.write({ type: 'grantLease', ...request }));
    this.serve(revokeLeaseContract, (request) => this.write({ type: 'revokeLease', ...request }));
    this.serve(keepAliveContract, ({ lease }) => this.keepAlive(lease));
    this.serve(leasesContract, () => this.leases());
    this.serve(watchContract, async (request) => {
      await replica.reads.confirm();
      this.demandOffice();
      this.watches.open(request, performance.now());
      // What is there already goes out after the answer, so that the client knows the watch by then.
      setImmediate(() => this.caughtUp());
      return { revision: replica.store.status.revision, renewWithinMs };
    });
    this.serve(closeWatchContract, ({ watch }) => {
      this.watches.close(watch);
      return {};
    });
    this.serve(clusterStatusContract, () => replica.clusterStatus());
    this.serve(transferLeadershipContract, ({ to }) => this.transferLeadership(to ?? null));
  }

  private serve<C extends Contract>(contract: C, handler: Handler<C>): void {
    const { storeService, consensusService } = this.options;
    const service = contract.service === 'store' ? storeService : consensusService;
    this.servings.push(service.serve(contract, handler, { queue: null, maxPending }));
  }

  /** Malformed requests are refused here: the log is for what may change the state. */
  private async write<R extends StoreRequest>(request: R): Promise<ReplyByType[R['type']]> {
    const fault = requestFault(request);
    if (fault !== undefined) throw errorOf(fault.refusal);
    const outcome = await this.options.replica.proposals.submit(request);
    return replyOf(outcome as Outcome<ReplyByType[R['type']]>);
  }

  /** A confirmed read may be served by any replica, but only the leader in office keeps deadlines and watches. */
  private demandOffice(): void {
    if (!this.isHeld) throw new SkeinError('not_leader', 'This replica no longer leads');
  }

  /** Counts from before leadership was confirmed: no later leader can have given the lease less time than this. */
  private async keepAlive(lease: string): Promise<{ lease: string; ttlMs: number }> {
    const askedAt = performance.now();
    await this.options.replica.reads.confirm();
    this.demandOffice();
    const ttlMs = this.deadlines.renew(lease, askedAt);
    if (ttlMs === undefined) {
      throw new SkeinError('lease_not_found', 'There is no such lease', { facts: { lease } });
    }
    return { lease, ttlMs };
  }

  private async leases() {
    await this.options.replica.reads.confirm();
    this.demandOffice();
    const now = performance.now();
    const leases = this.options.replica.store.leases().map((lease) => ({
      ...lease,
      remainingMs: Math.round(this.deadlines.remainingMs(lease.lease, now)),
    }));
    return { leases };
  }

  private async transferLeadership(to: string | null) {
    const { replica, replicaId } = this.options;
    const started = replica.transferLeadership(to);
    if (started === null || !started.accepted) {
      const code = started?.code ?? 'not_leader';
      const refusal = code === 'unknown_member' ? 'invalid_request' : 'unavailable';
      throw new SkeinError(refusal, 'Leadership could not be handed over', {
        facts: { reason: code, to },
      });
    }
    const limit = performance.now() + transferPatienceMs;
    for (;;) {
      const { leader, term } = replica.raftStatus();
      if (leader !== null && leader !== replicaId) return { from: replicaId, to: leader, term };
      if (performance.now() > limit) {
        throw new SkeinError('deadline_exceeded', 'The successor did not take over in time');
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  private expire(lease: string): void {
    this.options.logger.info({ lease }, 'lease ran out');
    this.propose({ type: 'expireLease', lease }, () => this.deadlines.endingFailed(lease));
  }

  private compactIfDue(): void {
    const { replica, historyRevisions } = this.options;
    const { historyLength, revision } = replica.store.status;
    if (this.isCompacting || historyLength < historyRevisions * 2) return;
    this.isCompacting = true;
    const done = (): void => void (this.isCompacting = false);
    this.propose({ type: 'compact', revision: revision - historyRevisions }, done, done);
  }

  private propose(request: StoreRequest, onFailed: () => void, onDone?: () => void): void {
    const { proposals } = this.options.replica;
    Promise.resolve()
      .then(() => proposals.submit(request))
      .then(onDone, onFailed);
  }

  private deliver({ deliver, message }: Delivery): void {
    this.options.messenger.publishBytes(deliver, encoder.encode(JSON.stringify(message)));
  }

  private announce({ leader, term }: RaftStatus): void {
    const { messenger, replica, clusterId, replicaId } = this.options;
    const fact = `${leader} ${term}`;
    if (fact === this.announced) return;
    this.announced = fact;
    messenger.publishEvent(leaderChangedEvent, {
      revision: replica.store.status.revision,
      at: Date.now(),
      clusterId,
      leaderId: leader,
      term,
      replicaId,
    });
  }
}

const encoder = new TextEncoder();

function replyOf<Reply>(outcome: Outcome<Reply>): Reply {
  if (outcome.ok) return outcome.reply;
  throw errorOf(outcome.refusal);
}

function errorOf({ code, message, ...rest }: Refusal): SkeinError {
  return new SkeinError(code, message, rest);
}
