// The way out when a quorum is lost for good: shows an operator what this replica holds, and on their word makes it the only voter
// of a new epoch. Whoever belongs to the old one is not listened to afterwards.

import { createHash, randomInt } from 'node:crypto';
import { SkeinError, type recoverContract, type ReplyOf } from '@skein/contracts';
import { epochChances, nextEpoch } from '@skein/replica';
import type { ServiceLogger } from '@skein/service-boot';
import type { ConsensusConfiguration } from './consensus.config';
import type { Replica } from './replica.actor';
import { configurationOf } from './replica-status';

type RecoverReply = ReplyOf<typeof recoverContract>;

interface RecoverOrder {
  readonly action: 'preview' | 'confirm';
  readonly token?: string | undefined;
  readonly force?: boolean | undefined;
}

export class Recovery {
  /** Of the epoch to come: as it was shown, so it is made. */
  private chance: number;

  constructor(
    private readonly replica: Replica,
    private readonly config: ConsensusConfiguration,
    private readonly logger: ServiceLogger,
    private readonly draw: () => number = () => randomInt(epochChances),
  ) {
    this.chance = draw();
  }

  async recover({ action, token, force }: RecoverOrder): Promise<RecoverReply> {
    const preview = this.preview();
    if (action === 'preview') return preview;
    const { leader, role } = this.replica.core.status();
    if (force !== true && (leader !== null || role === 'leader')) {
      throw new SkeinError('quorum_present', 'A leader is heard: nothing is to be recovered', {
        facts: { leader },
      });
    }
    if (token !== preview.token) {
      throw new SkeinError('preview_outdated', 'The replica has moved since the preview', {
        field: 'token',
      });
    }
    return this.confirm(preview);
  }

  private async confirm(preview: RecoverReply): Promise<RecoverReply> {
    const { replicaId, clusterId } = this.config;
    this.demandPart();
    await this.replica.raiseEpoch(preview.nextEpoch);
    const outcome = this.replica.core.forceConfiguration({
      incoming: [replicaId],
      outgoing: [],
      learners: [],
    });
    if (outcome?.accepted !== true) {
      throw new SkeinError('unavailable', 'The replica did not take the new configuration', {
        facts: { reason: outcome?.code ?? 'no answer' },
      });
    }
    const { nextEpoch: epoch, configuration: before } = preview;
    this.chance = this.draw();
    this.logger.error(
      { clusterId, replicaId, epoch, before },
      'an operator made this replica the only voter of a new epoch',
    );
    return { ...this.preview(), nextEpoch: epoch, confirmed: true };
  }

  /** Invariant: no epoch is raised by a replica that then does not lead it: it would shut out those who are at work. */
  private demandPart(): void {
    const { fencedBy, core } = this.replica;
    const facts = { fencedBy };
    if (fencedBy > 0) {
      throw new SkeinError('unavailable', 'A later incarnation of the cluster is at work', {
        facts,
      });
    }
    if (core.status().isInstalling) {
      throw new SkeinError('unavailable', 'A snapshot is taking the place of the log: try again');
    }
  }

  private preview(): RecoverReply {
    const { replica, config } = this;
    const { core, epoch } = replica;
    const status = core.status();
    const configuration = configurationOf(status);
    const { term, lastIndex, lastTerm, commitIndex, appliedIndex, isRecovering } = status;
    const { electionTicks, tickMs, clusterId, replicaId } = config;
    const next = nextEpoch(Math.max(epoch, replica.fencedBy), this.chance);
    const facts = [next, term, lastIndex, lastTerm, configuration.index];
    return {
      replicaId,
      clusterId,
      epoch,
      nextEpoch: next,
      term,
      lastIndex,
      lastTerm,
      commitIndex,
      appliedIndex,
      revision: replica.store.revision,
      configuration,
      heard: core.heardWithin(electionTicks * tickMs),
      isRecovering,
      confirmed: false,
      token: createHash('sha256').update(facts.join(' ')).digest('hex').slice(0, 32),
    };
  }
}
