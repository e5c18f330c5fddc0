// Appends without entries only tell a follower what is committed. The next append says so too, and mostly comes at once: such a
// message is held back for a moment and left out if it is overtaken. For Raft that is a slow link and a lost message.

import type { NodeId, RaftMessage } from '@skein/raft';

/** How long a follower may learn later than it could that something is committed. */
export const holdMs = 10;

export class CommitNotices {
  private readonly held = new Map<NodeId, RaftMessage>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly send: (to: NodeId, message: RaftMessage) => void) {}

  /** True if the message is held back; it is sent soon, unless one that says as much goes to the same peer. */
  takes(to: NodeId, message: RaftMessage): boolean {
    if (message.kind !== 'append') return false;
    if (message.entries.length > 0) {
      this.held.delete(to);
      return false;
    }
    this.held.set(to, message);
    this.timer ??= setTimeout(() => this.release(), holdMs);
    return true;
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.held.clear();
  }

  private release(): void {
    this.timer = undefined;
    for (const [to, message] of this.held) this.send(to, message);
    this.held.clear();
  }
}
