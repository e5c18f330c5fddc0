// How large a frame gets through where full ones don't: halves the doubt with each try. A size counts as too large once it was lost
// twice, since any frame may be lost. Knows neither sockets nor clocks: who tries tells what came.

import { smallestFrameBytes } from './probe-frame';

/** Nearer than this is near enough: frames have lengths in this step on most links anyway. */
const nearEnoughBytes = 4;
const lossesToFail = 2;
/** Rounds that a result must stand before anybody acts on it. */
const settlingRounds = 5;

export class WaySize {
  #carried = smallestFrameBytes;
  #failing: number;
  #asked: { readonly sequence: number; readonly size: number } | null = null;
  #losses = 0;
  #stoodRounds = 0;

  /** `failing`: a size, in bytes of a probe, that is known not to get through. */
  constructor(failing: number) {
    this.#failing = failing;
  }

  /** Once a round: the frame to send, if any is still of use. What was sent the last time and did not come is lost. */
  next(sequence: number): { readonly sequence: number; readonly size: number } | null {
    if (this.#asked !== null) this.#lose(this.#asked.size);
    this.#asked = null;
    if (this.#failing - this.#carried <= nearEnoughBytes) {
      this.#stoodRounds += 1;
      return null;
    }
    const size = Math.floor((this.#carried + this.#failing) / 2);
    return (this.#asked = { sequence, size });
  }

  came(sequence: number): void {
    if (this.#asked?.sequence !== sequence) return;
    this.#carried = this.#asked.size;
    this.#losses = 0;
    this.#asked = null;
  }

  /** Bytes of the largest probe that came back; null as long as that is not certain. */
  get settled(): number | null {
    return this.#stoodRounds >= settlingRounds ? this.#carried : null;
  }

  #lose(size: number): void {
    this.#losses += 1;
    if (this.#losses < lossesToFail) return;
    this.#losses = 0;
    this.#failing = size;
  }
}
