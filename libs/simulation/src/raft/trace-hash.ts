// A running hash (FNV-1a, 32 bits, twice) of what happened in a run, to tell whether two runs were
// the same. Not for security. It must not know what it hashes.

const PRIME = 0x01000193;

export class TraceHash {
  private first = 0x811c9dc5;
  private second = 0x9747b28c;
  private readonly float = new Float64Array(1);
  private readonly words = new Uint32Array(this.float.buffer);

  private addWord(word: number): void {
    this.first = Math.imul(this.first ^ word, PRIME);
    this.second = Math.imul(this.second ^ ((word << 13) | (word >>> 19)), PRIME);
  }

  addNumber(value: number): void {
    this.float[0] = value;
    this.addWord(this.words[0] as number);
    this.addWord(this.words[1] as number);
  }

  addText(text: string): void {
    for (let i = 0; i < text.length; i += 1) this.addWord(text.charCodeAt(i));
    this.addWord(text.length);
  }

  digest(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
    return hex(this.first) + hex(this.second);
  }
}
