// What of the log is surely on disk, while several writes are on their way. A truncation lowers
// what the writes before it can still prove, so a late completion of an overwritten append proves
// nothing (the ABA race). Knows no entries.
import { assert } from './assert';

interface PendingWrite {
  readonly id: number;
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** How far the log is durable once this write is; lowered by later truncations. */
  provenIndex: number;
}

export class Durability {
  private readonly pending: PendingWrite[] = [];
  private nextId = 1;

  constructor(private durable: number) {}

  get durableIndex(): number {
    return this.durable;
  }

  get hasPending(): boolean {
    return this.pending.length > 0;
  }

  get lastId(): number {
    return this.nextId - 1;
  }

  issue(lastIndex: number, lastTerm: number): number {
    const id = this.nextId;
    this.nextId += 1;
    this.pending.push({ id, lastIndex, lastTerm, provenIndex: lastIndex });
    return id;
  }

  truncate(from: number): void {
    this.durable = Math.min(this.durable, from - 1);
    for (const write of this.pending) write.provenIndex = Math.min(write.provenIndex, from - 1);
  }

  /** The log was replaced by a snapshot, durable up to `index`: writes before that prove no more. */
  restore(index: number): void {
    this.truncate(index + 1);
    this.durable = index;
  }

  /**
   * False when the completion is of no pending write, or of another run's write with the same id.
   */
  complete(id: number, lastIndex: number, lastTerm: number): boolean {
    const at = this.pending.findIndex((write) => write.id === id);
    const completed = this.pending[at];
    if (completed === undefined) return false;
    if (completed.lastIndex !== lastIndex || completed.lastTerm !== lastTerm) return false;
    for (const write of this.pending.splice(0, at + 1)) {
      assert(write.provenIndex <= write.lastIndex, 'a write proves more than it wrote');
      this.durable = Math.max(this.durable, write.provenIndex);
    }
    return true;
  }
}
