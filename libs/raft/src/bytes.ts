// A growing writer and a checked reader of binary frames: bytes, safe integers, names, byte runs.
// Big-endian. A read past the end, or of a value that cannot be, marks the reader as failed; it
// never throws.

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export class ByteWriter {
  private bytes: Uint8Array;
  private view: DataView;
  private at = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  private reserve(count: number): void {
    if (this.at + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.at + count));
    grown.set(this.bytes.subarray(0, this.at));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.at] = value;
    this.at += 1;
  }

  flag(value: boolean): void {
    this.byte(value ? 1 : 0);
  }

  uint32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.at, value);
    this.at += 4;
  }

  /** A non-negative safe integer in 8 bytes. */
  integer(value: number): void {
    this.reserve(8);
    this.view.setUint32(this.at, Math.floor(value / 0x100000000));
    this.view.setUint32(this.at + 4, value >>> 0);
    this.at += 8;
  }

  name(value: string): void {
    const start = this.at;
    this.byte(0);
    for (let i = 0; i < value.length; i += 1) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) {
        this.at = start + 1;
        this.raw(encoder.encode(value));
        break;
      }
      this.byte(code);
    }
    this.bytes[start] = this.at - start - 1;
  }

  names(values: readonly string[]): void {
    this.byte(values.length);
    for (const value of values) this.name(value);
  }

  blob(value: Uint8Array): void {
    this.uint32(value.length);
    this.raw(value);
  }

  private raw(value: Uint8Array): void {
    this.reserve(value.length);
    this.bytes.set(value, this.at);
    this.at += value.length;
  }

  finish(): Uint8Array {
    return this.bytes.subarray(0, this.at);
  }
}

export type ReadFault = 'truncated' | 'value';

export class ByteReader {
  fault: ReadFault | null = null;
  private readonly view: DataView;
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  fail(fault: ReadFault): void {
    this.fault ??= fault;
    this.at = this.bytes.length;
  }

  private take(count: number): number {
    if (this.left < count) {
      this.fail('truncated');
      return -1;
    }
    const start = this.at;
    this.at += count;
    return start;
  }

  byte(): number {
    const start = this.take(1);
    return start < 0 ? 0 : (this.bytes[start] as number);
  }

  flag(): boolean {
    const value = this.byte();
    if (value > 1) this.fail('value');
    return value === 1;
  }

  uint32(): number {
    const start = this.take(4);
    return start < 0 ? 0 : this.view.getUint32(start);
  }

  integer(): number {
    const start = this.take(8);
    if (start < 0) return 0;
    const high = this.view.getUint32(start);
    if (high > 0x1fffff) this.fail('value');
    return high * 0x100000000 + this.view.getUint32(start + 4);
  }

  name(): string {
    const length = this.byte();
    const start = this.take(length);
    if (start < 0) return '';
    if (length === 0) this.fail('value');
    // Most names are plain ASCII; a TextDecoder costs more than the rest of a small message.
    let text = '';
    for (let i = start; i < start + length; i += 1) {
      const code = this.bytes[i] as number;
      if (code > 0x7f) return this.decode(start, length);
      text += String.fromCharCode(code);
    }
    return text;
  }

  private decode(start: number, length: number): string {
    try {
      return decoder.decode(this.bytes.subarray(start, start + length));
    } catch {
      this.fail('value');
      return '';
    }
  }

  names(): string[] {
    const count = this.byte();
    const values: string[] = [];
    for (let i = 0; i < count && this.fault === null; i += 1) values.push(this.name());
    return values;
  }

  /** A view on the frame, not a copy. */
  blob(): Uint8Array {
    const length = this.uint32();
    const start = this.take(length);
    return start < 0 ? this.bytes.subarray(0, 0) : this.bytes.subarray(start, start + length);
  }
}
