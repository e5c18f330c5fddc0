// The last write that is known to be on disk, noted beside the database after each flush. SQLite drops everything behind a
// damaged frame of its write-ahead log without a word; the mark tells such a loss from a tail that was never acknowledged.

import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

export const markName = 'raft-log.mark';

export interface Mark {
  /** Number of the transaction. */
  readonly sequence: number;
  /** The log's end after it. */
  readonly lastIndex: number;
  readonly lastCrc: number;
}

// Two slots in different sectors: a torn write leaves the other one.
const slotDistance = 4096;
const slotBytes = 24;

export class CommitMark {
  private readonly buffer = Buffer.alloc(slotBytes);

  private constructor(private readonly file: number) {}

  static open(directory: string): CommitMark {
    return new CommitMark(
      openSync(join(directory, markName), constants.O_RDWR | constants.O_CREAT, 0o600),
    );
  }

  static readIn(directory: string): Mark | null {
    const mark = CommitMark.open(directory);
    try {
      return mark.read();
    } finally {
      mark.close();
    }
  }

  /** Null if there is none that can be read: then it proves nothing. */
  read(): Mark | null {
    const [one, other] = [this.readSlot(0), this.readSlot(1)];
    if (one === null || other === null) return one ?? other;
    return one.sequence > other.sequence ? one : other;
  }

  /** Not flushed: it must never be ahead of the truth, and may lag behind it. */
  write({ sequence, lastIndex, lastCrc }: Mark): void {
    const { buffer } = this;
    buffer.writeDoubleLE(sequence, 0);
    buffer.writeDoubleLE(lastIndex, 8);
    buffer.writeUInt32LE(lastCrc, 16);
    buffer.writeUInt32LE(crc32(buffer.subarray(0, 20)), 20);
    writeSync(this.file, buffer, 0, slotBytes, (sequence % 2) * slotDistance);
  }

  close(): void {
    closeSync(this.file);
  }

  private readSlot(slot: number): Mark | null {
    const { buffer } = this;
    if (readSync(this.file, buffer, 0, slotBytes, slot * slotDistance) !== slotBytes) return null;
    if (crc32(buffer.subarray(0, 20)) !== buffer.readUInt32LE(20)) return null;
    return {
      sequence: buffer.readDoubleLE(0),
      lastIndex: buffer.readDoubleLE(8),
      lastCrc: buffer.readUInt32LE(16),
    };
  }
}
