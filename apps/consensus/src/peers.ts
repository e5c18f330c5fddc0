// Frames between replicas over NATS: each replica listens on a subject of its own. Who belongs to another incarnation of the
// cluster is not listened to. Best effort, as Raft expects: what can't be sent is lost.

import { subjectPrefix } from '@skein/contracts';
import type { Messenger, Subscription } from '@skein/messaging';
import type { Envelope, NodeId, RaftMessage } from '@skein/raft';
import type { ReplicaNotice } from '@skein/replica';
import { CommitNotices } from './commit-notices';
import { decodeFrame, decodeHead, encodeMessage, encodeNotice, framesOf } from './frames';

export interface PeersOptions {
  readonly messenger: Messenger;
  readonly clusterId: string;
  readonly replicaId: string;
  readonly protocolMax: number;
  readonly receive: (message: RaftMessage) => void;
  readonly heard: (notice: ReplicaNotice) => void;
  /** A frame or a message in it could not be read. */
  readonly onMalformed: (fault: string) => void;
  /** The sender belongs to an incarnation that was left behind; it was told so. */
  readonly onOlderEpoch: (from: NodeId, epoch: number) => void;
  /** The cluster was recovered or restored since. True: this replica goes along, and the frame counts. */
  readonly onNewerEpoch: (from: NodeId, epoch: number) => boolean;
}

/** A sender of another epoch is told, and talked about, this often. */
const reminderMs = 5_000;

export class Peers {
  epoch = 0;
  private readonly outgoing = new Map<NodeId, (RaftMessage | Uint8Array)[]>();
  private readonly commitNotices = new CommitNotices((to, message) => this.enqueue(to, message));
  private readonly remindedAt = new Map<NodeId, number>();
  private subscription: Subscription | undefined;

  constructor(private readonly options: PeersOptions) {}

  listen(): void {
    const { messenger, replicaId } = this.options;
    this.subscription ??= messenger.subscribeBytes(this.subject(replicaId), (frame) =>
      this.received(frame),
    );
  }

  stop(): void {
    this.commitNotices.stop();
    this.subscription?.unsubscribe();
  }

  send({ to, message }: Envelope): void {
    if (!this.commitNotices.takes(to, message)) this.enqueue(to, message);
  }

  tell(to: NodeId, notice: ReplicaNotice): void {
    this.enqueue(to, encodeNotice(notice));
  }

  private enqueue(to: NodeId, part: RaftMessage | Uint8Array): void {
    if (this.outgoing.size === 0) queueMicrotask(() => this.flush());
    const waiting = this.outgoing.get(to);
    if (waiting === undefined) this.outgoing.set(to, [part]);
    else waiting.push(part);
  }

  private flush(): void {
    // Peers often get the same message object: encoded once.
    const encoded = new Map<RaftMessage, Uint8Array>();
    for (const [to, waiting] of this.outgoing) {
      const parts = waiting.map((part) => {
        if (part instanceof Uint8Array) return part;
        const bytes = encoded.get(part) ?? encodeMessage(part);
        encoded.set(part, bytes);
        return bytes;
      });
      this.publish(to, parts);
    }
    this.outgoing.clear();
  }

  private publish(to: NodeId, parts: readonly Uint8Array[]): void {
    const { messenger, replicaId, protocolMax } = this.options;
    for (const frame of framesOf({ epoch: this.epoch, protocolMax, from: replicaId }, parts)) {
      messenger.publishBytes(this.subject(to), frame);
    }
  }

  private received(bytes: Uint8Array): void {
    const { receive, heard, onMalformed } = this.options;
    const epoch = decodeHead(bytes)?.head.epoch;
    if (epoch !== undefined && epoch !== this.epoch && !this.goesAlong(bytes)) return;
    const frame = decodeFrame(bytes, onMalformed);
    if (frame === null) return;
    for (const message of frame.messages) receive(message);
    for (const notice of frame.notices) heard(notice);
  }

  /** Invariant: nothing of another incarnation reaches the core; its votes and acknowledgements are of another history. */
  private goesAlong(bytes: Uint8Array): boolean {
    const found = decodeHead(bytes);
    if (found === null) return false;
    const { epoch, from } = found.head;
    if (epoch > this.epoch) return this.options.onNewerEpoch(from, epoch);
    const now = performance.now();
    if (now - (this.remindedAt.get(from) ?? -Infinity) >= reminderMs) {
      this.remindedAt.set(from, now);
      this.publish(from, []);
      this.options.onOlderEpoch(from, epoch);
    }
    return false;
  }

  private subject(replicaId: string): string {
    return raftSubject(this.options.clusterId, replicaId);
  }
}

export function raftSubject(clusterId: string, replicaId: string): string {
  return `${subjectPrefix.split('.')[0]}.raft.${clusterId}.${replicaId}`;
}
