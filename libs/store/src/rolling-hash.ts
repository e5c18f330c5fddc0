// A 64-bit hash over everything that was applied, in order: two lanes of 32 bits, one for every other character. Equal on replicas that did the
// same; it shows replicas that drifted apart and protects against no adversary.

const evenPrime = 0x01000193;
const oddPrime = 0x85ebca6b;

export class RollingHash {
  private even = 0x811c9dc5 | 0;
  private odd = 0xcbf29ce4 | 0;

  /** `state` is an earlier `value`. */
  constructor(state?: string) {
    if (state === undefined) return;
    this.even = parseInt(state.slice(0, 8), 16) | 0;
    this.odd = parseInt(state.slice(8), 16) | 0;
  }

  /** 16 hexadecimal digits. */
  get value(): string {
    return [this.even, this.odd].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
  }

  /** Any integer below 2^53. */
  number(number: number): void {
    this.mix(number | 0);
    if (number > 0x7fffffff) this.mix((number / 0x1_0000_0000) | 0);
  }

  text(text: string): void {
    const { length } = text;
    this.mix(length);
    let { even, odd } = this;
    let at = 0;
    for (; at + 1 < length; at += 2) {
      even = Math.imul(even ^ text.charCodeAt(at), evenPrime);
      odd = Math.imul(odd ^ text.charCodeAt(at + 1), oddPrime);
    }
    if (at < length) even = Math.imul(even ^ text.charCodeAt(at), evenPrime);
    this.even = even;
    this.odd = odd;
  }

  private mix(word: number): void {
    this.even = Math.imul(this.even ^ word, evenPrime);
    this.odd = Math.imul(this.odd ^ word, oddPrime) ^ (this.odd >>> 15);
  }
}
