// Three managers behind the gateway's tests: enough of a consensus group to be asked how it fares, to have its members
// changed, to be backed up, and to lose its quorum. Nothing is replicated; m1 leads and holds the store.

import { createHash } from 'node:crypto';
import {
  backupContract,
  changeMembersContract,
  clusterStatusContract,
  recoverContract,
  replicaHashContract,
  replicaRangeContract,
  replicaStatusContract,
  rotateKeyContract,
  SkeinError,
  transferLeadershipContract,
  unlockContract,
  type ClusterStatus,
  type MemberStatus,
} from '@skein/contracts';
import type { Messenger, ServiceEndpoints, Serving } from '@skein/messaging';
import type { StandInStore } from './stand-in-store';

export const unlockKey = Buffer.alloc(32, 7).toString('base64');
const pieceBytes = 10_000;

export class StandInCluster {
  leader: string | null = 'm1';
  term = 2;
  epoch = 0;
  index = 5;
  voters = ['m1', 'm2', 'm3'];
  learners: string[] = [];
  /** Learners that have caught up. */
  readonly ready = new Set<string>();
  /** Does not answer, and is not healthy to the leader. */
  readonly dead = new Set<string>();
  readonly locked = new Set<string>();
  /** The next piece of a backup is damaged, or never comes. */
  backupFault: 'damaged' | 'cut' | undefined;
  private leading: Serving[] = [];
  private readonly service: ServiceEndpoints;
  private readonly backups = new Map<string, Uint8Array>();

  constructor(
    messenger: Messenger,
    private readonly store: StandInStore,
    /** Revision that the status tells. */
    private readonly revision: () => number,
  ) {
    const definition = { name: 'consensus', version: '0.0.1', description: 'stand-in' };
    this.service = messenger.service(definition);
    for (const id of ['m1', 'm2', 'm3']) this.serveReplica(this.service, id);
    this.lead(this.service);
  }

  /** Only the replicas themselves answer from now on. */
  async loseQuorum(): Promise<void> {
    this.leader = null;
    await Promise.all(this.leading.splice(0).map((serving) => serving.stop()));
  }

  private lead(service: ServiceEndpoints): void {
    this.leading = [
      service.serve(clusterStatusContract, () => this.status(this.leader ?? 'm1')),
      service.serve(transferLeadershipContract, ({ to = 'm2' }) => {
        const from = this.leader ?? '';
        this.leader = to;
        this.term += 1;
        return { from, to, term: this.term };
      }),
      service.serve(changeMembersContract, ({ id, action, expectedIndex }) => {
        if (expectedIndex !== undefined && expectedIndex !== this.index) {
          throw new SkeinError('configuration_changed', 'The members have changed');
        }
        this.change(id, action);
        this.index += 1;
        return { configuration: this.configuration(), index: this.index };
      }),
    ];
  }

  private change(id: string, action: 'add' | 'promote' | 'demote' | 'remove'): void {
    const isKnown = this.voters.includes(id) || this.learners.includes(id);
    if (action !== 'add' && !isKnown) throw new SkeinError('member_not_found', `no '${id}'`);
    if (action === 'promote' && !this.ready.has(id) && !this.voters.includes(id)) {
      throw new SkeinError('learner_behind', `'${id}' is behind`);
    }
    const voters = this.voters.filter((each) => each !== id);
    const learners = this.learners.filter((each) => each !== id);
    if (action === 'promote') voters.push(id);
    else if (action !== 'remove') learners.push(id);
    if (voters.length === 0) throw new SkeinError('invalid_configuration', 'nobody would vote');
    Object.assign(this, { voters: voters.sort(), learners: learners.sort() });
  }

  private configuration() {
    const { voters, learners, index } = this;
    return { voters, outgoing: [], learners, index };
  }

  private status(id: string): ClusterStatus {
    const isLeader = id === this.leader;
    const { epoch, term, leader } = this;
    const all = [...this.voters, ...this.learners].sort();
    return {
      clusterId: 'c1',
      replicaId: id,
      leaderId: leader,
      term,
      role: isLeader ? 'leader' : leader === null ? 'preCandidate' : 'follower',
      lastIndex: 5,
      commitIndex: 5,
      appliedIndex: 5,
      revision: this.revision(),
      members: isLeader ? all.map((each) => this.member(each)) : [],
      configuration: this.configuration(),
      epoch,
      protocolVersion: 2,
      bytes: 2_048,
      quotaBytes: 1_048_576,
      keys: 3,
      alarms: [],
      isLocked: this.locked.has(id),
    };
  }

  private member(id: string): MemberStatus {
    const isLearner = this.learners.includes(id);
    const healthy = !this.dead.has(id);
    const role = id === this.leader ? 'leader' : isLearner ? 'learner' : 'follower';
    return {
      id,
      role: healthy ? role : 'unreachable',
      matchIndex: 5,
      lag: 0,
      healthy,
      isLearner,
      version: '0.1.0',
      diskLatencyMs: 0.5,
      snapshotIndex: 3,
    };
  }

  private serveReplica(service: ServiceEndpoints, id: string): void {
    const instance = { instance: id };
    const demandOpen = (): void => {
      if (this.locked.has(id)) throw new SkeinError('locked', `'${id}' waits for its key`);
    };
    service.serve(replicaStatusContract, () => this.status(id), instance);
    service.serve(
      replicaRangeContract,
      ({ consistency = 'linearizable', maxStalenessMs: _, ...request }) => {
        demandOpen();
        if (consistency !== 'stale' && this.leader === null) {
          throw new SkeinError('no_leader', 'There is no leader');
        }
        const outcome = this.store.core.range(request);
        if (!outcome.ok) throw new SkeinError(outcome.refusal.code, outcome.refusal.message);
        return outcome.reply;
      },
      instance,
    );
    service.serve(
      replicaHashContract,
      () => {
        const { appliedIndex, revision, stateHash: hash } = this.store.core.status;
        return { replicaId: id, appliedIndex, revision, hash, points: [] };
      },
      instance,
    );
    service.serve(
      backupContract,
      ({ backup, offset }) => {
        demandOpen();
        return this.backupPiece(id, backup, offset);
      },
      instance,
    );
    service.serve(recoverContract, (request) => this.recover(id, request), instance);
    service.serve(
      unlockContract,
      ({ key }) => {
        if (key !== unlockKey) throw new SkeinError('wrong_key', 'The key does not open the log');
        return { replicaId: id, wasLocked: this.locked.delete(id) };
      },
      instance,
    );
    service.serve(rotateKeyContract, ({ kind }) => ({ replicaId: id, kind }), instance);
  }

  private backupPiece(replicaId: string, named: string | undefined, offset: number) {
    const backup = named ?? `b${this.backups.size + 1}`;
    if (named === undefined) this.backups.set(backup, this.stateBytes());
    const bytes = this.backups.get(backup);
    if (bytes === undefined) throw new SkeinError('backup_not_found', `no backup '${backup}'`);
    if (offset > 0 && this.backupFault === 'cut') {
      throw new SkeinError('backup_not_found', 'the replica has restarted');
    }
    const { revision, appliedIndex: index, protocolVersion } = this.store.core.status;
    const data = Buffer.from(bytes.subarray(offset, offset + pieceBytes));
    if (offset > 0 && this.backupFault === 'damaged') data[0] = (data[0] ?? 0) ^ 1;
    const done = offset + data.length >= bytes.length;
    const { epoch, term, voters, learners } = this;
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return {
      backup,
      header: {
        clusterId: 'c1',
        replicaId,
        epoch,
        index,
        term,
        revision,
        protocolVersion,
        takenAt: 1_795_000_000_000,
        voters,
        learners,
      },
      offset,
      data: data.toString('base64'),
      done,
      ...(done ? { size: bytes.length, sha256 } : {}),
    };
  }

  private stateBytes(): Uint8Array {
    const source = this.store.core.beginSnapshot();
    const parts: Uint8Array[] = [];
    for (let next = source.next(65_536); next !== null; next = source.next(65_536))
      parts.push(next);
    return Buffer.concat(parts);
  }

  private recover(
    id: string,
    {
      action,
      token,
      force,
    }: { action: string; token?: string | undefined; force?: boolean | undefined },
  ) {
    if (this.leader !== null && force !== true) {
      throw new SkeinError('quorum_present', `'${id}' hears ${this.leader}`);
    }
    const { epoch, term } = this;
    const expected = `${id}-${term}`;
    if (action === 'confirm' && token !== expected) {
      throw new SkeinError('preview_outdated', `'${id}' has moved`);
    }
    const confirmed = action === 'confirm';
    if (confirmed) {
      Object.assign(this, { leader: id, voters: [id], learners: [], term: term + 1 });
      this.epoch += 1;
      this.lead(this.service);
    }
    return {
      replicaId: id,
      clusterId: 'c1',
      epoch,
      nextEpoch: epoch + 1,
      term: this.term,
      // m3 has more of the log than m2.
      lastIndex: id === 'm3' ? 9 : 8,
      lastTerm: 2,
      commitIndex: 8,
      appliedIndex: 8,
      revision: this.store.core.revision,
      configuration: this.configuration(),
      heard: [id],
      isRecovering: false,
      confirmed,
      ...(confirmed ? {} : { token: expected }),
    };
  }
}
