// What probes tell of the way to each member: round-trip times, smoothed as TCP does it (RFC 6298), and whether streams alone
// get through. Knows no probes and no clock.

export interface Reach {
  /** Smoothed time from a ping to its ack on the direct way, and how much it varies; null before the first. */
  readonly rttMs: number | null;
  readonly rttVarianceMs: number | null;
  /** It answers streams, but neither its own nor helpers' datagrams: UDP is blocked on the way. */
  readonly isUdpBlocked: boolean;
}

const unknown: Reach = { rttMs: null, rttVarianceMs: null, isUdpBlocked: false };
/** RFC 6298's gains. */
const gain = 1 / 8;
const varianceGain = 1 / 4;

export class ReachTable {
  readonly #byName = new Map<string, Reach>();

  of(name: string): Reach {
    return this.#byName.get(name) ?? unknown;
  }

  measured(name: string, sampleMs: number): void {
    const { rttMs, rttVarianceMs, isUdpBlocked } = this.of(name);
    if (rttMs === null || rttVarianceMs === null) {
      const first = { rttMs: sampleMs, rttVarianceMs: sampleMs / 2, isUdpBlocked };
      this.#byName.set(name, first);
      return;
    }
    const deviation = Math.abs(rttMs - sampleMs);
    this.#byName.set(name, {
      rttMs: rttMs + gain * (sampleMs - rttMs),
      rttVarianceMs: rttVarianceMs + varianceGain * (deviation - rttVarianceMs),
      isUdpBlocked,
    });
  }

  /** True if that is news. */
  setUdpBlocked(name: string, isUdpBlocked: boolean): boolean {
    const known = this.of(name);
    if (known.isUdpBlocked === isUdpBlocked) return false;
    this.#byName.set(name, { ...known, isUdpBlocked });
    return true;
  }

  forget(name: string): void {
    this.#byName.delete(name);
  }
}
