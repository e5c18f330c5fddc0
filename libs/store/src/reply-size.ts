// How large an answer gets as JSON, and the room that one answer has. Every replica measures alike: where a range ends inside
// a transaction is part of the kept answer.

import { type KeyValue } from './types';

/** Keys and values in one answer stay within this many bytes of JSON, unless a single key alone is larger. */
export const maxReplyBytes = 700 * 1024;
/** Names, numbers and punctuation around a key and its value. */
const kvOverhead = 160;

/** What is left of an answer's room. */
export class Room {
  private left = maxReplyBytes;
  private isUntouched = true;

  /** Whether a key still goes in; the first one always does. */
  take(kv: KeyValue, keysOnly: boolean): boolean {
    const bytes = kvBytes(kv, keysOnly);
    if (bytes > this.left && !this.isUntouched) return false;
    this.left -= bytes;
    this.isUntouched = false;
    return true;
  }
}

function kvBytes({ key, value, lease }: KeyValue, keysOnly: boolean): number {
  const text = keysOnly ? 0 : jsonBytes(value);
  return kvOverhead + jsonBytes(key) + text + (lease === undefined ? 0 : jsonBytes(lease) + 11);
}

/** UTF-8 bytes of a text inside JSON, without its quotes; never too few. */
export function jsonBytes(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22 || unit === 0x5c) bytes += 1;
    else if (unit < 0x20) bytes += 5;
    else if (unit >= 0xd800 && unit <= 0xdfff) bytes += 5;
    else if (unit >= 0x800) bytes += 2;
    else if (unit >= 0x80) bytes += 1;
  }
  return bytes;
}
