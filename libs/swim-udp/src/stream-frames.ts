// Frames on a stream: a length of four bytes, then the frame. Knows nothing of what a frame holds.

/** Largest state that is exchanged (memberlist's push-pull limit). */
export const maxStreamFrameBytes = 20 * 1_024 * 1_024;

export function withLength(frame: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(4 + frame.length);
  bytes.writeUInt32BE(frame.length, 0);
  bytes.set(frame, 4);
  return bytes;
}

/** Collects chunks until one frame is whole. */
export class FrameCollector {
  readonly #chunks: Buffer[] = [];
  #received = 0;

  /** The frame once it is whole, null before; `tooLarge` if its length is beyond the limit. */
  add(chunk: Buffer): Buffer | 'tooLarge' | null {
    this.#chunks.push(chunk);
    this.#received += chunk.length;
    if (this.#received < 4) return null;
    // No chunk is empty, so the first four hold the length.
    const length = Buffer.concat(this.#chunks.slice(0, 4)).readUInt32BE(0);
    if (length > maxStreamFrameBytes) return 'tooLarge';
    return this.#received < 4 + length ? null : this.#whole().subarray(4, 4 + length);
  }

  #whole(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}
