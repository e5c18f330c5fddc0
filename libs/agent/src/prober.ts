// Tries the ways inside the overlay: from this host's probe to that of each live host that it meets on a network, with frames
// as large as the overlay carries and with small ones, again and again. It knows what came back, and changes nothing.

import type { Reachability, Share, TriedWay } from '@skein/contracts';
import type { Logger } from '@skein/messaging';
import type { Time } from '@skein/time';
import { probeOf } from '@skein/vxlan';
import { decodeProbe, encodeProbe, headersBytes, smallestFrameBytes } from './probe-frame';
import { WaySize } from './way-size';

export interface ProbeSocket {
  /** A frame that can't be sent is lost. */
  send(frame: Uint8Array, address: string): void;
  close(): void;
}

/** Opens a socket on a probe's address inside a network's namespace. `onGone`: it is of no use any more. */
export type OpenProbeSocket = (
  place: { readonly netns: string; readonly address: string },
  on: { readonly frame: (frame: Uint8Array, from: string) => void; readonly gone: () => void },
) => Promise<ProbeSocket>;

export interface ProberOptions {
  readonly self: string;
  readonly netnsPrefix: string;
  readonly open: OpenProbeSocket;
  readonly time: Pick<Time, 'after' | 'monotonicMs'>;
  readonly logger: Logger;
}

export const probeEveryMs = 1_000;
/** A way is judged by its latest tries. */
const judgedTries = 3;
/** Pairs tried in one round; with more, each waits for its turn. */
const pairsPerRound = 256;
/** As many as a heartbeat takes. */
const maxReported = 1_024;

interface Try {
  readonly large: number;
  readonly small: number;
  readonly sentAt: number;
  largeCame: 'no' | 'intact' | 'damaged';
  smallCame: boolean;
}

interface Way {
  readonly networkId: string;
  readonly host: string;
  readonly address: string;
  readonly tries: Try[];
  rttMs: number | null;
  /** When a frame last came back. */
  answeredAt: number | null;
  /** While only small frames get through: how large they may be. */
  size: WaySize | null;
}

interface Place {
  readonly netns: string;
  mtu: number;
  socket: ProbeSocket | null;
  isOpening: boolean;
  ways: Map<string, Way>;
}

export class Prober {
  readonly #options: ProberOptions;
  /** By network id. */
  readonly #places = new Map<string, Place>();
  #sequence = 0;
  #next = 0;
  #cancel: (() => void) | undefined;

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  start(): void {
    this.#cancel = this.#options.time.after(probeEveryMs, () => {
      this.start();
      this.#round();
    });
  }

  stop(): void {
    this.#cancel?.();
    for (const id of [...this.#places.keys()]) this.#leave(id);
  }

  /** The share that was programmed last: where to try, and whom. */
  follow(share: Share): void {
    const { self, netnsPrefix } = this.#options;
    const live = new Set(share.hosts.filter((host) => host.live).map(({ id }) => id));
    const met = new Map<string, Set<string>>();
    for (const { networkId, host } of share.endpoints) {
      if (host === self || !live.has(host)) continue;
      const hosts = met.get(networkId);
      if (hosts === undefined) met.set(networkId, new Set([host]));
      else hosts.add(host);
    }
    const kept = new Set(share.networks.map(({ id }) => id));
    for (const id of [...this.#places.keys()]) if (!kept.has(id)) this.#leave(id);
    for (const { id, vni, mtu } of share.networks) {
      const place = this.#places.get(id) ?? {
        netns: `${netnsPrefix}${vni}`,
        mtu,
        socket: null,
        isOpening: false,
        ways: new Map<string, Way>(),
      };
      place.mtu = mtu;
      place.ways = waysTo(id, met.get(id) ?? new Set(), place.ways);
      this.#places.set(id, place);
    }
  }

  /** Lets go of a namespace that is about to go or to be made again. */
  release(netns: string): void {
    for (const place of this.#places.values()) {
      if (place.netns !== netns) continue;
      place.socket?.close();
      place.socket = null;
    }
  }

  /** For each host met, the worst of its ways; hosts of which nothing is known yet are left out. */
  report(): Reachability[] {
    const worst = new Map<string, Reachability>();
    for (const { ways } of this.#places.values()) {
      for (const way of ways.values()) {
        const state = stateOf(way);
        if (state === null) continue;
        const { host, networkId: network, rttMs } = way;
        const known = worst.get(host);
        if (known !== undefined && badness[known.state] >= badness[state]) continue;
        const size = way.size?.settled ?? null;
        worst.set(host, {
          ...{ host, network, state },
          ...(rttMs === null ? {} : { rttMs }),
          ...(size === null ? {} : { mtu: size + headersBytes }),
        });
      }
    }
    return [...worst.values()].slice(0, maxReported);
  }

  /** Every way of every network, whether anything is known of it or not. */
  ways(): TriedWay[] {
    const now = this.#options.time.monotonicMs();
    return [...this.#places.values()].flatMap(({ mtu, ways }) =>
      [...ways.values()].map((way) => {
        const { host, rttMs, answeredAt, tries } = way;
        const size = way.size?.settled ?? null;
        const triedAt = tries.at(-1)?.sentAt;
        return {
          ...{ networkId: way.networkId, host, state: stateOf(way), mtu },
          ...(size === null ? {} : { carriesMtu: size + headersBytes }),
          ...(rttMs === null ? {} : { rttMs }),
          ...(triedAt === undefined ? {} : { triedAgoMs: round(now - triedAt) }),
          ...(answeredAt === null ? {} : { answeredAgoMs: round(now - answeredAt) }),
        };
      }),
    );
  }

  /** The largest MTU that every way of this host carries, where some carry less than their network's; null if all do. */
  get measuredMtu(): number | null {
    const sizes = [...this.#places.values()].flatMap(({ ways }) =>
      [...ways.values()].flatMap(({ size }) => size?.settled ?? []),
    );
    return sizes.length === 0 ? null : Math.min(...sizes) + headersBytes;
  }

  #round(): void {
    const open = [...this.#places].filter(([, { ways }]) => ways.size > 0);
    for (const [id, place] of open) if (place.socket === null) void this.#enter(id, place);
    const pairs = open.flatMap(([, place]) =>
      [...place.ways.values()].map((way) => ({ place, way })),
    );
    const count = Math.min(pairs.length, pairsPerRound);
    for (let index = 0; index < count; index += 1) {
      const pair = pairs[(this.#next + index) % pairs.length];
      if (pair !== undefined) this.#try(pair.place, pair.way);
    }
    this.#next = pairs.length === 0 ? 0 : (this.#next + count) % pairs.length;
  }

  #try({ socket, mtu }: Place, way: Way): void {
    if (socket === null) return;
    const large = this.#number();
    const small = this.#number();
    const sentAt = this.#options.time.monotonicMs();
    way.tries.push({ large, small, sentAt, largeCame: 'no', smallCame: false });
    if (way.tries.length > judgedTries + 1) way.tries.shift();
    socket.send(encodeProbe('ask', large, mtu - headersBytes), way.address);
    socket.send(encodeProbe('ask', small, smallestFrameBytes), way.address);
    if (stateOf(way) !== 'small') {
      way.size = null;
      return;
    }
    way.size ??= new WaySize(mtu - headersBytes);
    const sized = way.size.next(this.#number());
    if (sized !== null) socket.send(encodeProbe('ask', sized.sequence, sized.size), way.address);
  }

  #number(): number {
    this.#sequence = (this.#sequence + 1) >>> 0;
    return this.#sequence;
  }

  async #enter(networkId: string, place: Place): Promise<void> {
    if (place.isOpening) return;
    place.isOpening = true;
    const { self, open, logger } = this.#options;
    const { netns } = place;
    const gone = (): void => void (place.socket = null);
    try {
      const address = probeOf(self).address;
      const frame = (bytes: Uint8Array, from: string) => this.#heard(place, bytes, from);
      const socket = await open({ netns, address }, { frame, gone });
      if (this.#places.get(networkId) === place) place.socket = socket;
      else socket.close();
    } catch (thrown) {
      logger.warn({ netns, fault: String(thrown) }, 'the probe could not be opened');
    }
    place.isOpening = false;
  }

  #leave(networkId: string): void {
    this.#places.get(networkId)?.socket?.close();
    this.#places.delete(networkId);
  }

  #heard(place: Place, bytes: Uint8Array, from: string): void {
    const frame = decodeProbe(bytes);
    if (frame === null) return;
    const { kind, sequence, size, isIntact } = frame;
    if (kind === 'ask') {
      // Damage on the way there shall be seen by who asked: what came damaged goes back damaged.
      const answer = encodeProbe('answer', sequence, size);
      if (!isIntact) answer[answer.length - 1] = ~(answer[answer.length - 1] ?? 0);
      place.socket?.send(answer, from);
      return;
    }
    for (const way of place.ways.values()) {
      if (way.address !== from) continue;
      if (isIntact) way.size?.came(sequence);
      const tried = way.tries.find(({ large, small }) => large === sequence || small === sequence);
      if (tried === undefined) return;
      if (tried.small === sequence) tried.smallCame = isIntact;
      else tried.largeCame = isIntact ? 'intact' : 'damaged';
      way.answeredAt = this.#options.time.monotonicMs();
      const tookMs = way.answeredAt - tried.sentAt;
      way.rttMs = round(way.rttMs === null ? tookMs : way.rttMs + (tookMs - way.rttMs) / 8);
    }
  }
}

function waysTo(networkId: string, hosts: ReadonlySet<string>, known: Map<string, Way>) {
  const ways = new Map<string, Way>();
  for (const host of hosts) {
    const { address } = probeOf(host);
    ways.set(
      host,
      known.get(host) ?? {
        ...{ networkId, host, address, tries: [] },
        ...{ rttMs: null, answeredAt: null, size: null },
      },
    );
  }
  return ways;
}

const badness: Readonly<Record<Reachability['state'], number>> = {
  ok: 0,
  damaged: 1,
  small: 2,
  none: 3,
};

/** The latest try is left out: its answers may still be on their way. Null as long as there are too few. */
function stateOf({ tries }: Way): Reachability['state'] | null {
  const judged = tries.slice(0, -1).slice(-judgedTries);
  if (tries.some(({ largeCame }) => largeCame === 'intact')) return 'ok';
  if (judged.length < judgedTries) return null;
  if (judged.some(({ largeCame }) => largeCame === 'damaged')) return 'damaged';
  return judged.some(({ smallCame }) => smallCame) ? 'small' : 'none';
}

function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
