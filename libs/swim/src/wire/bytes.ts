// Growing output and bounded input of bytes: varints and length-prefixed UTF-8. Knows nothing of messages.

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What a message is written to: bytes, or their number alone. */
export interface ByteSink {
  u8(value: number): void;
  varint(value: number): void;
  text(value: string): void;
}

export class ByteWriter implements ByteSink {
  #bytes = new Uint8Array(128);
  #length = 0;

  u8(value: number): void {
    this.#room(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  u32(value: number): void {
    for (const shift of [24, 16, 8, 0]) this.u8((value >>> shift) & 0xff);
  }

  /** LEB128 of a whole number from 0 to 2^53 − 1. */
  varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.u8((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.u8(rest);
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  text(value: string): void {
    const bytes = encoder.encode(value);
    this.varint(bytes.length);
    this.raw(bytes);
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

/** Counts what a `ByteWriter` would write: packets are filled by size far more often than they are encoded. */
export class ByteCounter implements ByteSink {
  length = 0;

  u8(): void {
    this.length += 1;
  }

  varint(value: number): void {
    this.length += varintBytes(value);
  }

  text(value: string): void {
    const bytes = utf8Bytes(value);
    this.length += varintBytes(bytes) + bytes;
  }
}

export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

function utf8Bytes(text: string): number {
  for (let at = 0; at < text.length; at += 1) {
    if (text.charCodeAt(at) > 0x7f) return encoder.encode(text).length;
  }
  return text.length;
}

export type ReadFault =
  'truncated' | 'numberTooLarge' | 'fieldTooLong' | 'notUtf8' | 'unknownKind' | 'trailingBytes';

/** Reads until the first fault; from then on it returns zeros and empty texts, and `fault` says why. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #offset = 0;
  fault: ReadFault | null = null;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get offset(): number {
    return this.#offset;
  }

  get left(): number {
    return this.#bytes.length - this.#offset;
  }

  fail(fault: ReadFault): void {
    this.fault ??= fault;
  }

  u8(): number {
    if (this.fault !== null) return 0;
    const value = this.#bytes[this.#offset];
    if (value === undefined) {
      this.fail('truncated');
      return 0;
    }
    this.#offset += 1;
    return value;
  }

  u32(): number {
    let value = 0;
    for (let count = 0; count < 4; count += 1) value = value * 256 + this.u8();
    return value;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 0x80) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value <= Number.MAX_SAFE_INTEGER) return value;
        break;
      }
    }
    this.fail('numberTooLarge');
    return 0;
  }

  raw(length: number): Uint8Array {
    if (this.fault === null && length > this.left) this.fail('truncated');
    if (this.fault !== null) return new Uint8Array(0);
    this.#offset += length;
    return this.#bytes.subarray(this.#offset - length, this.#offset);
  }

  text(maxBytes: number): string {
    const length = this.varint();
    if (length > maxBytes) this.fail('fieldTooLong');
    const bytes = this.raw(length);
    try {
      return decoder.decode(bytes);
    } catch {
      this.fail('notUtf8');
      return '';
    }
  }

  /** The end must be reached exactly. */
  end(): void {
    if (this.fault === null && this.left > 0) this.fail('trailingBytes');
  }
}
