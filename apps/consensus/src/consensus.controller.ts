// What every replica serves by its id, leading or not: what it is and holds, and what an operator does to it alone.

import { Controller, Inject } from '@nestjs/common';
import {
  backupContract,
  recoverContract,
  replicaHashContract,
  replicaRangeContract,
  replicaStatusContract,
  rotateKeyContract,
  unlockContract,
  type ParsedRequestOf,
  type ReplyOf,
} from '@skein/contracts';
import { Serve } from '@skein/service-boot';
import { readAt } from './answers';
import { Backups } from './backups';
import type { ConsensusConfiguration } from './consensus.config';
import { Recovery } from './recovery';
import { Replica } from './replica.actor';
import { statusOf } from './replica-status';

export const consensusConfiguration = Symbol('consensus configuration');

@Controller()
export class ConsensusController {
  constructor(
    @Inject(Replica) private readonly replica: Replica,
    @Inject(Backups) private readonly backups: Backups,
    @Inject(Recovery) private readonly recovery: Recovery,
    @Inject(consensusConfiguration) private readonly config: ConsensusConfiguration,
  ) {}

  @Serve(replicaStatusContract)
  status(): ReplyOf<typeof replicaStatusContract> {
    return statusOf(this.replica, this.config);
  }

  @Serve(replicaRangeContract)
  range(
    request: ParsedRequestOf<typeof replicaRangeContract>,
  ): Promise<ReplyOf<typeof replicaRangeContract>> {
    return readAt(this.replica.core, request);
  }

  @Serve(replicaHashContract)
  hash(): ReplyOf<typeof replicaHashContract> {
    const { status, hashPoints } = this.replica.store;
    const { appliedIndex, revision, stateHash } = status;
    const { replicaId } = this.config;
    return { replicaId, appliedIndex, revision, hash: stateHash, points: [...hashPoints] };
  }

  @Serve(backupContract)
  backup(request: ParsedRequestOf<typeof backupContract>): ReplyOf<typeof backupContract> {
    return this.backups.piece(request);
  }

  @Serve(recoverContract)
  recover(
    request: ParsedRequestOf<typeof recoverContract>,
  ): Promise<ReplyOf<typeof recoverContract>> {
    return this.recovery.recover(request);
  }

  @Serve(unlockContract)
  async unlock({
    key,
  }: ParsedRequestOf<typeof unlockContract>): Promise<ReplyOf<typeof unlockContract>> {
    const wasLocked = await this.replica.unlock(key);
    return { replicaId: this.config.replicaId, wasLocked };
  }

  @Serve(rotateKeyContract)
  async rotateKey(
    request: ParsedRequestOf<typeof rotateKeyContract>,
  ): Promise<ReplyOf<typeof rotateKeyContract>> {
    await this.replica.rotateKey(request.kind === 'data' ? null : request.newKey);
    return { replicaId: this.config.replicaId, kind: request.kind };
  }
}
