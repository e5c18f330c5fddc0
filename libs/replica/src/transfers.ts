// Transfers of leadership that somebody waits for: answered when another one leads, or when it takes too long.

import type { NodeId, RaftStatus, TransferOutcome } from '@skein/raft';
import { refused, type Answer, type ReplicaRefusalCode, type TransferReply } from './types';

/** How long a successor may take to lead. */
export const transferPatienceMs = 2_000;

type Reason = Extract<TransferOutcome, { accepted: false }>['code'];

interface Pending {
  readonly answer: Answer<TransferReply>;
  readonly until: number;
}

export class Transfers {
  private pending: Pending[] = [];

  constructor(
    private readonly id: NodeId,
    private readonly status: () => RaftStatus,
  ) {}

  started(
    outcome: TransferOutcome | null,
    to: NodeId | null,
    nowMs: number,
    answer: Answer<TransferReply>,
  ): void {
    if (outcome?.accepted === true) {
      this.pending.push({ answer, until: nowMs + transferPatienceMs });
      return;
    }
    const reason = outcome?.code ?? 'not_leader';
    const [code, message] = this.refusal(reason, to);
    answer(refused(code, message, { facts: { reason, to } }));
  }

  private refusal(reason: Reason, to: NodeId | null): [ReplicaRefusalCode, string] {
    switch (reason) {
      case 'already_leader':
        return ['already_leader', `'${this.id}' leads already`];
      case 'no_candidate':
        return [
          'no_successor',
          to === null ? 'No other member can lead' : `'${to}' has no vote or is recovering`,
        ];
      case 'unknown_member':
        return ['member_not_found', `'${to}' is no member of the cluster`];
      case 'not_leader':
        return ['unavailable', 'Leadership could not be handed over'];
    }
  }

  tick(nowMs: number): void {
    if (this.pending.length === 0) return;
    const { leader, term } = this.status();
    this.pending = this.pending.filter(({ answer, until }) => {
      if (leader !== null && leader !== this.id) {
        answer({ ok: true, reply: { from: this.id, to: leader, term } });
        return false;
      }
      if (nowMs <= until) return true;
      answer(refused('deadline_exceeded', 'The successor did not take over in time'));
      return false;
    });
  }
}
