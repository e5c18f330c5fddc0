// What the members tell the leader about themselves, and what it makes of that: the protocol version that all understand, and
// whether their states are equal. Knows neither how notices travel nor what is in the state.

import type { NodeId } from '@skein/raft';
import type { MemberStanding, ReplicaFact, StateHashPoint } from './types';

/** A member tells its standing this often, and at once when it finds a leader. */
export const standingMs = 1_000;
/** What was told longer ago says nothing about what the member is now. */
const standingTtlMs = 10_000;

export interface StandingsPorts {
  own(): MemberStanding;
  voters(): readonly NodeId[];
  protocolVersion(): number;
  hashPoints(): readonly StateHashPoint[];
  agreeOnProtocol(version: number, done: () => void): void;
  raiseCorrupt(replica: NodeId, done: () => void): void;
  said(fact: ReplicaFact): void;
}

export class Standings {
  private readonly byMember = new Map<NodeId, { standing: MemberStanding; toldAt: number }>();
  private isAgreeing = false;
  private accused = new Set<NodeId>();

  constructor(private readonly ports: StandingsPorts) {}

  of(member: NodeId): MemberStanding | undefined {
    return this.byMember.get(member)?.standing;
  }

  heard(standing: MemberStanding, nowMs: number): void {
    this.byMember.set(standing.from, { standing, toldAt: nowMs });
  }

  takeOffice(): void {
    this.isAgreeing = false;
    this.accused = new Set();
  }

  tick(nowMs: number): void {
    for (const [member, { toldAt }] of this.byMember) {
      if (nowMs - toldAt > standingTtlMs) this.byMember.delete(member);
    }
    this.agree();
    this.compare();
  }

  /** Invariant: a version is agreed on only when every voter has said that it understands it. */
  private agree(): void {
    if (this.isAgreeing) return;
    const own = this.ports.own();
    let version = own.protocolMax;
    for (const voter of this.ports.voters()) {
      if (voter !== own.from) version = Math.min(version, this.of(voter)?.protocolMax ?? 0);
    }
    if (version <= this.ports.protocolVersion()) return;
    this.isAgreeing = true;
    this.ports.agreeOnProtocol(version, () => (this.isAgreeing = false));
  }

  /** At the newest point that this replica shares with each other one. */
  private compare(): void {
    const own = this.ports.own();
    for (const [member, { standing }] of this.byMember) {
      if (this.accused.has(member)) continue;
      const differing = differenceOf(this.ports.hashPoints(), standing.hashPoints);
      if (differing !== undefined) this.accuse(own.from, member, differing);
    }
  }

  /** Of two that differ, a third tells who is alone with its state; without one the other is named, the leader's being in force. */
  private accuse(self: NodeId, other: NodeId, { appliedIndex, hash }: StateHashPoint): void {
    const hashes: Record<NodeId, string> = { [other]: hash };
    const own = hashAt(this.ports.hashPoints(), appliedIndex);
    if (own !== undefined) hashes[self] = own;
    for (const [member, { standing }] of this.byMember) {
      const theirs = hashAt(standing.hashPoints, appliedIndex);
      if (theirs !== undefined) hashes[member] = theirs;
    }
    const agreeing = (each: string | undefined): number =>
      Object.values(hashes).filter((one) => one === each).length;
    const replica = agreeing(own) < agreeing(hash) ? self : other;
    this.accused.add(other);
    this.ports.said({ kind: 'stateDiffers', replica, appliedIndex, hashes });
    this.ports.raiseCorrupt(replica, () => this.accused.delete(other));
  }
}

/** The newest point that both have, if they differ there. */
export function differenceOf(
  own: readonly StateHashPoint[],
  theirs: readonly StateHashPoint[],
): StateHashPoint | undefined {
  for (let at = theirs.length - 1; at >= 0; at -= 1) {
    const point = theirs[at];
    if (point === undefined) return undefined;
    const mine = hashAt(own, point.appliedIndex);
    if (mine !== undefined) return mine === point.hash ? undefined : point;
  }
  return undefined;
}

function hashAt(points: readonly StateHashPoint[], appliedIndex: number): string | undefined {
  return points.find((point) => point.appliedIndex === appliedIndex)?.hash;
}
