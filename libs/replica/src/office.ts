// What a leader owes its clients while it is in office: runs leases out, keeps the history short. Every act goes through the log;
// whatever another leader could contradict is done only once leadership is confirmed.

import {
  LeaseDeadlines,
  type LeaseRecord,
  type LeaseTimeToLive,
  type Outcome,
  type ReplyByType,
  type Store,
  type StoreCommand,
  type StoreReply,
  type StoreRequest,
} from '@skein/store';
import type { Confirmation } from './read-rounds';
import { refused, type Answer, type Answered, type ReplicaFact } from './types';

export interface OfficePorts {
  store(): Store;
  nowMs(): number;
  wallMs(): number;
  submit(request: StoreRequest, answer: Answer<StoreReply>): void;
  confirm(answer: Answer<Confirmation>): void;
  said(fact: ReplicaFact): void;
}

export interface HistoryPolicy {
  /** Revisions whose events and old values are kept at least; compaction starts at the double. */
  readonly historyRevisions: number;
  /** History older than this goes as well, in milliseconds; 0: age does not matter. */
  readonly historyMs: number;
}

/** A lease's time left is written down when it has run for this long since the last note. */
const checkpointEveryMs = 5 * 60_000;
const checkpointLooks = 10;
const maxCheckpoints = 256;

export interface LeaseTime extends LeaseRecord {
  readonly remainingMs: number;
}

export class Office {
  private readonly deadlines = new LeaseDeadlines();
  private isCompacting = false;
  private isCheckpointing = false;
  private checkpointAt = 0;
  /** Counts the terms of office, so that what belongs to an earlier one is told apart. */
  private turn = 0;
  isHeld = false;

  constructor(
    private readonly ports: OfficePorts,
    private readonly policy: HistoryPolicy,
  ) {}

  take(): void {
    this.isHeld = true;
    this.turn += 1;
    this.isCompacting = false;
    this.isCheckpointing = false;
    this.checkpointAt = 0;
    this.deadlines.restart(this.ports.store().leases(), this.ports.nowMs());
  }

  leave(): void {
    this.isHeld = false;
  }

  applied(command: StoreCommand, outcomes: readonly Outcome<StoreReply>[]): void {
    for (let at = 0; at < outcomes.length; at += 1) {
      const request = command.requests[at];
      const outcome = outcomes[at];
      if (request === undefined || outcome?.ok !== true) continue;
      if (request.type === 'grantLease') {
        const { lease, ttlMs } = outcome.reply as ReplyByType['grantLease'];
        // A repeated request is answered again; its lease may have ended since.
        if (this.ports.store().lease(lease)) {
          this.deadlines.granted(lease, ttlMs, this.ports.nowMs());
        }
      } else if (request.type === 'checkpointLease') {
        this.deadlines.checkpointed(request.leases);
      } else if (request.type === 'revokeLease' || request.type === 'expireLease') {
        this.deadlines.ended(request.lease);
      }
    }
  }

  tick(nowMs: number): void {
    this.expire(nowMs);
    this.compactIfDue();
    this.checkpointIfDue(nowMs);
  }

  /** Counts from before leadership was confirmed: no later leader can have given the lease less time than this. */
  keepAlive(lease: string, answer: Answer<{ lease: string; ttlMs: number }>): void {
    const askedAt = this.ports.nowMs();
    this.whileInOffice((inOffice) => {
      if (!inOffice.ok) return answer(inOffice);
      if (this.deadlines.isNoted(lease)) return this.withdrawNote(lease, askedAt, answer);
      answer(this.renew(lease, askedAt));
    });
  }

  private renew(lease: string, askedAt: number): Answered<{ lease: string; ttlMs: number }> {
    const ttlMs = this.deadlines.renew(lease, askedAt);
    if (ttlMs !== undefined) return { ok: true, reply: { lease, ttlMs } };
    return noSuchLease(lease);
  }

  /** Invariant: no renewal is answered while the log holds less time for the lease; a next leader would end it by that. */
  private withdrawNote(
    lease: string,
    askedAt: number,
    answer: Answer<{ lease: string; ttlMs: number }>,
  ): void {
    const remainingMs = this.ports.store().lease(lease)?.ttlMs ?? 0;
    this.ports.submit({ type: 'checkpointLease', leases: [{ lease, remainingMs }] }, (noted) => {
      if (!noted.ok) return answer(noted);
      // Another note may have gone out meanwhile.
      if (this.deadlines.isNoted(lease)) return this.withdrawNote(lease, askedAt, answer);
      answer(this.renew(lease, askedAt));
    });
  }

  leases(answer: Answer<readonly LeaseTime[]>): void {
    this.whileInOffice((inOffice) => {
      if (!inOffice.ok) return answer(inOffice);
      const now = this.ports.nowMs();
      const reply = this.ports
        .store()
        .leases()
        .map((lease) => ({
          ...lease,
          remainingMs: Math.round(this.deadlines.remainingMs(lease.lease, now)),
        }));
      answer({ ok: true, reply });
    });
  }

  leaseTimeToLive(lease: string, answer: Answer<LeaseTimeToLive & LeaseTime>): void {
    this.whileInOffice((inOffice) => {
      if (!inOffice.ok) return answer(inOffice);
      const found = this.ports.store().leaseTimeToLive(lease);
      if (found === undefined) return answer(noSuchLease(lease));
      const remainingMs = Math.round(this.deadlines.remainingMs(lease, this.ports.nowMs()));
      answer({ ok: true, reply: { ...found, remainingMs } });
    });
  }

  /** A confirmed read may be served by any replica, but only the leader in office keeps deadlines and watches. */
  whileInOffice(answer: Answer<Confirmation>): void {
    this.ports.confirm((confirmed) => {
      answer(confirmed.ok && !this.isHeld ? noLongerLeads : confirmed);
    });
  }

  /**
   * Invariant: a leader that was paused or cut off ends no lease that a successor may have renewed: it asks whether it still
   * leads first, and looks again after the answer (etcd#15247).
   */
  private expire(nowMs: number): void {
    const due = this.deadlines.takeExpired(nowMs);
    if (due.length === 0) return;
    const { turn } = this;
    this.whileInOffice((confirmed) => {
      if (turn !== this.turn) return;
      for (const lease of due) {
        if (confirmed.ok) this.end(lease, turn);
        else this.deadlines.endingFailed(lease);
      }
    });
  }

  private end(lease: string, turn: number): void {
    this.ports.said({ kind: 'leaseExpired', lease });
    const store = this.ports.store();
    const grant = store.status.protocolVersion < 2 ? undefined : store.lease(lease)?.grant;
    const request = { type: 'expireLease', lease } as const;
    this.ports.submit(grant === undefined ? request : { ...request, grant }, ({ ok }) => {
      if (!ok && turn === this.turn) this.deadlines.endingFailed(lease);
    });
  }

  /** Settings in the state win over this replica's own. */
  private compactIfDue(): void {
    const { historyLength, revision, compactRevision, settings } = this.ports.store().status;
    const kept = settings.historyRevisions || this.policy.historyRevisions;
    const keptMs = settings.historyMs || this.policy.historyMs;
    const byCount = historyLength < kept * 2 ? 0 : revision - kept;
    const byAge = keptMs === 0 ? 0 : this.ports.store().revisionAt(this.ports.wallMs() - keptMs);
    const wanted = Math.max(byCount, byAge);
    if (this.isCompacting || wanted <= compactRevision) return;
    this.isCompacting = true;
    const { turn } = this;
    this.ports.submit({ type: 'compact', revision: wanted }, ({ ok }) => {
      if (turn !== this.turn) return;
      this.isCompacting = false;
      if (ok) this.ports.said({ kind: 'historyCompacted', revision: wanted });
    });
  }

  /** So that the next leader does not give long leases their full time again. */
  private checkpointIfDue(nowMs: number): void {
    if (this.isCheckpointing || nowMs < this.checkpointAt) return;
    this.checkpointAt = nowMs + checkpointEveryMs / checkpointLooks;
    if (this.ports.store().status.protocolVersion < 2) return;
    const leases = this.deadlines.dueCheckpoints(nowMs, checkpointEveryMs, maxCheckpoints);
    if (leases.length === 0) return;
    this.isCheckpointing = true;
    const { turn } = this;
    this.ports.submit({ type: 'checkpointLease', leases }, ({ ok }) => {
      if (turn !== this.turn) return;
      this.isCheckpointing = false;
      if (!ok) this.deadlines.notingFailed(leases);
    });
  }

  agreeOnProtocol(version: number, done: () => void): void {
    this.ports.submit({ type: 'setProtocol', version }, ({ ok }) => {
      if (ok) this.ports.said({ kind: 'protocolAgreed', version });
      done();
    });
  }

  /** Before version 2 there are no alarms: it is said, and looked at again. */
  raiseCorrupt(replica: string, done: () => void): void {
    this.ports.submit({ type: 'setAlarm', alarm: 'corrupt', replica }, ({ ok }) => {
      if (!ok) done();
    });
  }
}

const noLongerLeads = refused('not_leader', 'This replica no longer leads');

function noSuchLease(lease: string): ReturnType<typeof refused> {
  return refused('lease_not_found', 'There is no such lease', { facts: { lease } });
}
