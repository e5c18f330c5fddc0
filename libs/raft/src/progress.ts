// What a leader knows of one peer's log, and how much it may send. Probe: one message at a time
// until the logs meet. Replicate: a pipeline limited by messages and bytes. Snapshot: no entries at
// all. It must not know messages, terms or the log itself.
import type { NodeId, ReplicationState, SnapshotPlace } from './types';

interface Inflight {
  readonly lastIndex: number;
  readonly bytes: number;
}

/** A snapshot on its way to a peer, one chunk at a time. */
export interface SnapshotTransfer {
  /** The chunk that is under way; null until the first one is read. */
  place: SnapshotPlace | null;
  /** The tick at which the last chunk was asked for or acknowledged. */
  movedAt: number;
}

/** A peer whose log was damaged, on its way back to being counted. */
export interface PeerRecovery {
  readonly token: number;
  readonly isVoteLost: boolean;
  /** Nothing that it has acknowledged to this leader in an earlier life lies beyond. */
  readonly floor: number;
  /** The heartbeat round that must be confirmed without it, and the commit index of its start. */
  round: number | null;
  commit: number;
  /** It has been told, or will be, that it counts again. */
  isEnding: boolean;
  /** Every heartbeat of this round and later ones tells it so. */
  endRound: number;
}

/** The leader's time, in ticks. */
interface Hearer {
  readonly ticks: number;
  readonly config: { readonly electionTicks: number };
}

export interface FlowLimits {
  readonly maxInflightMessages: number;
  readonly maxInflightBytes: number;
}

export class Progress {
  state: ReplicationState = 'probe';
  matchIndex = 0;
  /** Heard from since the last quorum check. */
  isActive = false;
  /** Nothing more goes out until an answer or a heartbeat's answer comes. */
  isPaused = false;
  /** The newest heartbeat round that this peer has answered, and when that was sent. */
  ackedRound = 0;
  ackedRoundMs = -Infinity;
  /** The tick at which it was last heard. */
  heardAt = -Infinity;
  /** Only in state `snapshot`. */
  transfer: SnapshotTransfer | null = null;
  /** Not null while the peer counts in no quorum. */
  recovery: PeerRecovery | null = null;
  /** Recoveries that are over: what is still said in their name is late. */
  readonly endedRecoveries = new Set<number>();
  /** The commit index that the peer has been told, so that news is sent once. */
  sentCommit = 0;
  private inflight: Inflight[] = [];
  private inflightHead = 0;
  private inflightBytes = 0;

  constructor(
    readonly id: NodeId,
    public nextIndex: number,
    private readonly limits: FlowLimits,
  ) {}

  get inflightCount(): number {
    return this.inflight.length - this.inflightHead;
  }

  get isWindowFull(): boolean {
    return (
      this.inflightCount >= this.limits.maxInflightMessages ||
      this.inflightBytes >= this.limits.maxInflightBytes
    );
  }

  /** Within an election timeout; unlike `isActive`, this does not begin anew with each quorum check. */
  isHeardBy({ ticks, config }: Hearer): boolean {
    return ticks - this.heardAt < config.electionTicks;
  }

  becomeProbe(): void {
    this.enter('probe');
  }

  becomeReplicate(): void {
    this.enter('replicate');
  }

  becomeSnapshot(transfer: SnapshotTransfer): void {
    this.enter('snapshot');
    this.transfer = transfer;
  }

  private enter(state: ReplicationState): void {
    this.state = state;
    this.nextIndex = this.matchIndex + 1;
    this.isPaused = false;
    this.transfer = null;
    this.resetInflight();
  }

  /** Its log was damaged: what it has acknowledged may be gone. Probes from `nextIndex`. */
  startRecovery(recovery: PeerRecovery, nextIndex: number): void {
    this.recovery = recovery;
    this.matchIndex = 0;
    this.ackedRound = 0;
    this.ackedRoundMs = -Infinity;
    this.becomeProbe();
    this.nextIndex = nextIndex;
  }

  /** Notes an append that goes out; `count` entries up to `lastIndex`. */
  sent(lastIndex: number, count: number, bytes: number): void {
    if (this.state === 'probe') {
      this.isPaused = true;
      return;
    }
    if (count > 0) {
      this.nextIndex = lastIndex + 1;
      this.inflight.push({ lastIndex, bytes });
      this.inflightBytes += bytes;
    }
    this.isPaused = this.isWindowFull;
  }

  /** Notes that the peer's log matches up to `index`. True when that is news, or ends a probe. */
  accepted(index: number): boolean {
    const isNews = index > this.matchIndex;
    if (isNews) {
      this.matchIndex = index;
      this.nextIndex = Math.max(this.nextIndex, index + 1);
    }
    if (this.state === 'replicate') {
      this.freeUpTo(index);
      if (isNews) this.isPaused = this.isWindowFull;
      return isNews;
    }
    const meets = isNews || index === this.matchIndex;
    if (meets) this.becomeReplicate();
    return meets;
  }

  /** Notes a refused append. False when the refusal is of an older message and says nothing now. */
  rejected(prevIndex: number, hintIndex: number): boolean {
    if (prevIndex <= this.matchIndex || this.state === 'snapshot') return false;
    if (this.state === 'replicate') {
      this.becomeProbe();
      return true;
    }
    if (this.nextIndex - 1 !== prevIndex) return false;
    this.nextIndex = Math.max(this.matchIndex + 1, Math.min(prevIndex, hintIndex + 1));
    this.isPaused = false;
    return true;
  }

  private freeUpTo(index: number): void {
    for (;;) {
      const first = this.inflight[this.inflightHead];
      if (first === undefined || first.lastIndex > index) break;
      this.inflightBytes -= first.bytes;
      this.inflightHead += 1;
    }
    // The front is dropped in one go, so that a long pipeline costs no shifting a message.
    if (this.inflightHead === this.inflight.length || this.inflightHead > 512) {
      this.inflight.splice(0, this.inflightHead);
      this.inflightHead = 0;
    }
  }

  private resetInflight(): void {
    this.inflight = [];
    this.inflightHead = 0;
    this.inflightBytes = 0;
  }
}
