// Drives the SWIM core on real sockets and a monotonic clock: packets in, effects out, asleep until the core's next wake.
// Decides nothing about members.

import { performance } from 'node:perf_hooks';
import { randomInt } from 'node:crypto';
import {
  createSwim,
  decodeSwimFrame,
  encodeSwimFrame,
  frameKinds,
  seededRandom,
  type FrameFault,
  type Member,
  type Reach,
  type Swim,
  type SwimConfig,
  type SwimEvent,
  type SwimFrameDecoded,
  type SwimInput,
  type SwimMessage,
  type SwimSend,
  type SwimTrace,
} from '@skein/swim';
import { Keyring } from './keyring';
import { DatagramTransport } from './datagram-transport';
import { formatAddress, parseAddress, type SocketAddress } from './socket-address';
import { StreamTransport } from './stream-transport';

export interface SwimUdpOptions {
  /** Unique in the cluster: the host's name. */
  readonly name: string;
  /** UDP and TCP are bound to the same port; 0 lets the system choose one. */
  readonly bind: SocketAddress;
  /** `ip:port` that others reach it at; default is what it is bound to. */
  readonly advertise?: string;
  readonly bootId: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly config: SwimConfig;
  /** Members asked at start, and again while nobody else is alive. */
  readonly join?: readonly string[];
  /**
   * Keys of 16, 24 or 32 bytes that all members share, the primary first: it seals, each of them opens. With keys, plaintext
   * is refused. They change on a running cluster with `setKeys`.
   */
  readonly keys?: readonly Uint8Array[];
  readonly plaintext?: Plaintext;
  /** Default 5000. */
  readonly streamTimeoutMs?: number;
  /** For tests that want the same choices again; default is drawn. */
  readonly seed?: number;
  readonly onTrace?: (trace: SwimTrace) => void;
}

/** What a member with keys still does without them, while encryption is being turned on in a running cluster. */
export interface Plaintext {
  /** Default false. */
  readonly isAccepted?: boolean;
  /** Default false. */
  readonly isSent?: boolean;
}

/** A member, and what the own probes tell of the way to it. */
export interface Peer extends Member {
  readonly reach: Reach;
}

/** Counts since start. */
export interface SwimUdpStats {
  packetsIn: number;
  packetsOut: number;
  bytesIn: number;
  bytesOut: number;
  /** Frames refused, by reason. */
  refused: Partial<Record<Refusal, number>>;
  /** Sends and streams that failed. */
  failures: number;
  lastFailure: string | null;
}

/** Why a frame was refused: malformed, sent without a key, or sealed with one that is not in the ring. */
export type Refusal = FrameFault | 'plaintext' | 'unknownKey';

export type SwimListener = (event: SwimEvent) => void;

const portTries = 20;

export class SwimUdp {
  readonly #swim: Swim;
  readonly #datagrams: DatagramTransport;
  readonly #streams: StreamTransport;
  readonly #onTrace: ((trace: SwimTrace) => void) | undefined;
  readonly #listeners = new Set<SwimListener>();
  readonly #stats: SwimUdpStats;
  #keyring: Keyring | null = null;
  #plaintext: Plaintext = {};
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  /** Binds both sockets, starts the member and asks the seeds. Rejects if the port is taken. */
  static async start(options: SwimUdpOptions): Promise<SwimUdp> {
    for (let tries = 1; ; tries += 1) {
      const opening = new Opening(options);
      try {
        const bound = await opening.open();
        const member = new SwimUdp(options, opening, bound);
        member.#step({ kind: 'start', now: performance.now() });
        if (options.join !== undefined) member.join(options.join);
        return member;
      } catch (cause) {
        await opening.close();
        const isTaken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
        // A port that is free for TCP may be taken for UDP: another one is tried if the choice is ours.
        if (!isTaken || options.bind.port !== 0 || tries >= portTries) throw cause;
      }
    }
  }

  private constructor(options: SwimUdpOptions, opening: Opening, bound: SocketAddress) {
    const { name, bootId, tags = {}, config, keys = [] } = options;
    this.setKeys(keys, options.plaintext);
    const address = options.advertise ?? formatAddress(bound);
    const random = seededRandom(options.seed ?? randomInt(2 ** 32));
    const isTraced = options.onTrace !== undefined;
    const self = { name, address, meta: { bootId, tags } };
    this.#swim = createSwim(config, self, random, { isTraced });
    this.#datagrams = opening.datagrams;
    this.#streams = opening.streams;
    this.#onTrace = options.onTrace;
    this.#stats = opening.stats;
    opening.received = (packet, from) => void this.#receive(packet, from, 'datagram');
    opening.serve = (frame, from) => this.#receive(frame, from, 'stream');
    opening.answered = (frame, from) => void this.#receive(frame, from, 'stream');
  }

  get self(): Member {
    return this.#swim.self;
  }

  /** 0 is healthy; each point slows the own probes by one interval. */
  get localHealth(): number {
    return this.#swim.localHealth;
  }

  /** Everyone known, self included, the dead and left too. */
  members(): readonly Peer[] {
    return this.#swim
      .members()
      .map((member) => ({ ...member, reach: this.#swim.reach(member.name) }));
  }

  /**
   * From now on the first of `keys` seals and each of them opens; none: plaintext. To change the key of a running cluster,
   * give every member the new one behind the old, then the new one before the old, then the new one alone: nobody is
   * unheard in between. Throws RangeError for keys of another length.
   */
  setKeys(keys: readonly Uint8Array[], plaintext: Plaintext = {}): void {
    this.#keyring = keys.length === 0 ? null : new Keyring(keys);
    this.#plaintext = plaintext;
  }

  stats(): Readonly<SwimUdpStats> {
    return structuredClone(this.#stats);
  }

  /** Returns the way to stop listening. */
  onEvent(listener: SwimListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Asks members at `ip:port` for their tables; throws RangeError for anything else. */
  join(addresses: readonly string[]): void {
    for (const address of addresses) {
      if (parseAddress(address) === null) throw new RangeError(`'${address}' is not ip:port`);
    }
    this.#step({ kind: 'join', now: performance.now(), addresses });
  }

  updateTags(tags: Readonly<Record<string, string>>): void {
    this.#step({ kind: 'updateTags', now: performance.now(), tags });
  }

  /** Tells the others; resolves when that is done or the time is over. Then `stop`. */
  async leave(timeoutMs = 3_000): Promise<void> {
    if (this.#isStopped) return;
    await new Promise<void>((resolve) => {
      const timeout = setTimeout(finish, timeoutMs);
      const unlisten = this.onEvent((event) => {
        if (event.kind === 'leaveSent') finish();
      });
      function finish(): void {
        clearTimeout(timeout);
        unlisten();
        resolve();
      }
      this.#step({ kind: 'leave', now: performance.now() });
    });
  }

  /** Closes everything at once; without `leave` before it, the others have to find out. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#listeners.clear();
    await Promise.all([this.#datagrams.close(), this.#streams.close()]);
  }

  /** Returns the answer on the stream that the frame came by, if there is one. */
  #receive(frame: Uint8Array, from: string, via: 'datagram' | 'stream'): Uint8Array | null {
    this.#stats.packetsIn += 1;
    this.#stats.bytesIn += frame.length;
    const decoded = this.#open(frame);
    if (!decoded.ok) {
      this.#stats.refused[decoded.code] = (this.#stats.refused[decoded.code] ?? 0) + 1;
      return null;
    }
    const { messages } = decoded;
    return this.#step({ kind: 'receive', now: performance.now(), from, via, messages });
  }

  #open(frame: Uint8Array): SwimFrameDecoded | { readonly ok: false; readonly code: Refusal } {
    if (this.#keyring !== null && frame[0] === frameKinds.encrypted) {
      const opened = this.#keyring.open(frame);
      return opened === null ? { ok: false, code: 'unknownKey' } : decodeSwimFrame(opened);
    }
    const decoded = decodeSwimFrame(frame);
    const isAccepted = this.#keyring === null || this.#plaintext.isAccepted === true;
    return decoded.ok && !isAccepted ? { ok: false, code: 'plaintext' } : decoded;
  }

  #step(input: SwimInput): Uint8Array | null {
    if (this.#isStopped) return null;
    const effects = this.#swim.step(input);
    const replies = effects.send.filter((send) => send.via === 'reply');
    for (const send of effects.send) if (send.via !== 'reply') this.#send(send);
    this.#sleepUntil(effects.wakeAtMs);
    if (this.#onTrace !== undefined) effects.trace.forEach(this.#onTrace);
    for (const event of effects.events) for (const listener of this.#listeners) listener(event);
    if (replies.length === 0) return null;
    return this.#seal(replies.flatMap((reply) => reply.messages));
  }

  #send(send: SwimSend): void {
    const to = parseAddress(send.to);
    if (to === null) return;
    const frame = this.#seal(send.messages);
    if (send.via === 'datagram') this.#datagrams.send(to, frame);
    else this.#streams.send(to, frame);
  }

  #seal(messages: readonly SwimMessage[]): Uint8Array {
    const plain = encodeSwimFrame(messages);
    const sealing = this.#plaintext.isSent === true ? null : this.#keyring;
    const frame = sealing === null ? plain : sealing.seal(plain);
    this.#stats.packetsOut += 1;
    this.#stats.bytesOut += frame.length;
    return frame;
  }

  #sleepUntil(wakeAtMs: number): void {
    clearTimeout(this.#timer);
    if (this.#isStopped || wakeAtMs === Infinity) return;
    const sleepMs = Math.ceil(Math.max(0, wakeAtMs - performance.now()));
    this.#timer = setTimeout(() => this.#step({ kind: 'tick', now: performance.now() }), sleepMs);
  }
}

/** The two sockets on one port, while nobody drives them yet: what arrives too early is lost like any packet. */
class Opening {
  readonly datagrams: DatagramTransport;
  readonly streams: StreamTransport;
  readonly stats: SwimUdpStats = {
    packetsIn: 0,
    packetsOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    refused: {},
    failures: 0,
    lastFailure: null,
  };
  readonly #bind: SocketAddress;
  received: (packet: Uint8Array, from: string) => void = () => undefined;
  serve: (frame: Uint8Array, from: string) => Uint8Array | null = () => null;
  answered: (frame: Uint8Array, from: string) => void = () => undefined;

  constructor(options: SwimUdpOptions) {
    const failed = (what: string, cause: Error): void => {
      this.stats.failures += 1;
      this.stats.lastFailure = `${what}: ${cause.message}`;
    };
    this.#bind = options.bind;
    this.datagrams = new DatagramTransport(
      { received: (packet, from) => this.received(packet, from), failed },
      options.bind.host,
    );
    this.streams = new StreamTransport(
      {
        serve: (frame, from) => this.serve(frame, from),
        answered: (frame, from) => this.answered(frame, from),
        failed,
      },
      options.streamTimeoutMs ?? 5_000,
    );
  }

  async open(): Promise<SocketAddress> {
    const { host } = this.#bind;
    const port = await this.streams.listen(this.#bind);
    await this.datagrams.bind({ host, port });
    return { host, port };
  }

  async close(): Promise<void> {
    await Promise.all([this.datagrams.close(), this.streams.close()]);
  }
}
