// Reads a backup file's form as it comes in, in pieces of any size, and checks all of it: the head line, the frames, and the
// closing line's size and SHA-256. Knows neither where the bytes come from nor what the state in them means.

import { createHash } from 'node:crypto';
import {
  backupFileHeaderSchema,
  backupTrailerSchema,
  maxBackupFrameBytes,
  maxBackupLineBytes,
  SkeinError,
  type BackupHeader,
  type BackupTrailer,
} from '@skein/contracts';

const lineFeed = 0x0a;

type Part = 'header' | 'length' | 'frame' | 'trailer' | 'end';

export interface Backup {
  readonly header: BackupHeader;
  readonly trailer: BackupTrailer;
}

export class BackupReader {
  readonly #sha256 = createHash('sha256');
  #part: Part = 'header';
  #rest = Buffer.alloc(0);
  #frameBytes = 0;
  #size = 0;
  #header: BackupHeader | undefined;
  #trailer: BackupTrailer | undefined;

  /** `onState` gets the state's bytes, frame by frame. */
  constructor(private readonly onState: (bytes: Uint8Array) => void = () => undefined) {}

  get header(): BackupHeader | undefined {
    return this.#header;
  }

  /** Bytes of state so far. */
  get size(): number {
    return this.#size;
  }

  /** Throws `backup_damaged`. */
  push(bytes: Uint8Array): void {
    this.#rest = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    while (this.#take());
  }

  /** After the last byte. Throws `backup_damaged` unless the file is whole. */
  finish(): Backup {
    const { header } = this;
    if (header === undefined || this.#trailer === undefined) throw damaged('The backup is cut off');
    if (this.#rest.length > 0) throw damaged('There is more behind the end of the backup');
    const { size, sha256 } = this.#trailer;
    if (size !== this.#size) throw damaged(`It says ${size} bytes and has ${this.#size}`);
    if (sha256 !== this.#sha256.digest('hex')) throw damaged('The checksum does not fit');
    return { header, trailer: this.#trailer };
  }

  /** Takes the next part if all of it is there. */
  #take(): boolean {
    switch (this.#part) {
      case 'header':
        return this.#line((line) => {
          this.#header = headerOf(line);
          this.#part = 'length';
        });
      case 'length': {
        if (this.#rest.length < 4) return false;
        this.#frameBytes = this.#cut(4).readUInt32BE(0);
        if (this.#frameBytes > maxBackupFrameBytes) throw damaged('A frame is too long');
        this.#part = this.#frameBytes === 0 ? 'trailer' : 'frame';
        return true;
      }
      case 'frame': {
        if (this.#rest.length < this.#frameBytes) return false;
        const frame = this.#cut(this.#frameBytes);
        this.#sha256.update(frame);
        this.#size += frame.length;
        this.onState(frame);
        this.#part = 'length';
        return true;
      }
      case 'trailer':
        return this.#line((line) => {
          this.#trailer = trailerOf(line);
          this.#part = 'end';
        });
      case 'end':
        return false;
    }
  }

  #line(take: (line: string) => void): boolean {
    const end = this.#rest.indexOf(lineFeed);
    if (end < 0) {
      if (this.#rest.length > maxBackupLineBytes) throw damaged('This is no backup of Skein');
      return false;
    }
    take(this.#cut(end + 1).toString('utf8'));
    return true;
  }

  #cut(length: number): Buffer {
    const cut = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return cut;
  }
}

function headerOf(line: string): BackupHeader {
  const parsed = backupFileHeaderSchema.safeParse(json(line));
  if (!parsed.success) throw damaged('This is no backup of Skein, or of a later release');
  const { skeinBackup: _format, ...header } = parsed.data;
  return header;
}

function trailerOf(line: string): BackupTrailer {
  const parsed = backupTrailerSchema.safeParse(json(line));
  if (!parsed.success) throw damaged('The last line is not what it should be');
  return parsed.data;
}

function json(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function damaged(message: string): SkeinError {
  return new SkeinError('backup_damaged', message);
}
