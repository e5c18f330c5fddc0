// The form of a snapshot: records of length, checksum and content. Each checksum continues the one before, so that a record that
// is changed, lost, doubled or out of place shows, and the last record says that it is the last. Knows bytes, not the store.

import { crc32 } from './crc32';

/** What a record holds; its first byte. */
export const recordKinds = {
  header: 1,
  leases: 2,
  keys: 3,
  history: 4,
  sessions: 5,
  end: 6,
} as const;
export type RecordKind = keyof typeof recordKinds;

const kindNames = new Map(
  Object.entries(recordKinds).map(([name, byte]) => [byte as number, name as RecordKind]),
);

/** A record's length and checksum, four bytes each, little end first. */
const headBytes = 8;
/** No record comes near; a length beyond it is damage. */
const maxRecordBytes = 64 * 1024 * 1024;

/** A snapshot that can't be trusted: changed, cut off, or of a form that this release does not read. */
export class StoreSnapshotError extends Error {
  override readonly name = 'StoreSnapshotError';

  constructor(
    readonly code: 'snapshot_damaged' | 'snapshot_version',
    message: string,
  ) {
    super(`store snapshot: ${message}`);
  }
}

export function damaged(message: string): StoreSnapshotError {
  return new StoreSnapshotError('snapshot_damaged', message);
}

export class RecordWriter {
  private crc = 0;
  private readonly encoder = new TextEncoder();

  write(kind: RecordKind, content: unknown): Uint8Array {
    const json = JSON.stringify(content);
    const bytes = new Uint8Array(headBytes + 1 + json.length * 3);
    const { written } = this.encoder.encodeInto(json, bytes.subarray(headBytes + 1));
    const end = headBytes + 1 + written;
    bytes[headBytes] = recordKinds[kind];
    this.crc = crc32(bytes.subarray(headBytes, end), this.crc);
    const head = new DataView(bytes.buffer);
    head.setUint32(0, written + 1, true);
    head.setUint32(4, this.crc, true);
    return bytes.subarray(0, end);
  }
}

export interface SnapshotRecord {
  readonly kind: RecordKind;
  readonly content: unknown;
}

/** Takes bytes in pieces of any size, gives whole records. */
export class RecordReader {
  private crc = 0;
  private parts: Uint8Array[] = [];
  private held = 0;
  /** Bytes without which the next record is not whole. */
  private needed = headBytes;
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });

  get isBetweenRecords(): boolean {
    return this.held === 0;
  }

  /** Throws a StoreSnapshotError at the first byte that does not fit. Keeps nothing of `piece`. */
  *read(piece: Uint8Array): Generator<SnapshotRecord> {
    if (this.held + piece.length < this.needed) {
      this.keep(piece.slice());
      return;
    }
    const bytes = this.parts.length === 0 ? piece : joined([...this.parts, piece]);
    let at = 0;
    for (;;) {
      const length = lengthAt(bytes, at);
      this.needed = headBytes + (length ?? 0);
      if (length === undefined || at + this.needed > bytes.length) break;
      yield this.record(bytes.subarray(at, at + this.needed));
      at += this.needed;
    }
    this.parts = [];
    this.held = 0;
    if (at < bytes.length) this.keep(bytes.slice(at));
  }

  private keep(part: Uint8Array): void {
    this.parts.push(part);
    this.held += part.length;
  }

  private record(bytes: Uint8Array): SnapshotRecord {
    this.crc = crc32(bytes.subarray(headBytes), this.crc);
    if (new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true) !== this.crc) {
      throw damaged('a record does not fit its checksum');
    }
    const kind = kindNames.get(bytes[headBytes] ?? 0);
    if (kind === undefined) throw damaged('a record is of no known kind');
    return { kind, content: this.content(bytes.subarray(headBytes + 1)) };
  }

  private content(json: Uint8Array): unknown {
    try {
      return JSON.parse(this.decoder.decode(json));
    } catch {
      throw damaged('a record can not be read');
    }
  }
}

function lengthAt(bytes: Uint8Array, at: number): number | undefined {
  if (at + headBytes > bytes.length) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0, true);
  if (length === 0 || length > maxRecordBytes) throw damaged('a record has an impossible length');
  return length;
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
