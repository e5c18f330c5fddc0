// This host's SWIM member: starts, joins whom the registry names, and says what it thinks of the others. Its opinions go to the
// registry and nowhere else.

import type { agentStatusContract, Opinion, ReplyOf } from '@skein/contracts';
import type { Logger } from '@skein/messaging';
import { isLive, swimConfig, type SwimPreset } from '@skein/swim';
import type { Time } from '@skein/time';
import { formatAddress, parseAddress, SwimUdp, type Peer } from '@skein/swim-udp';
import { GossipKeyFile } from './gossip-keys';

export interface GossipOptions {
  readonly hostId: string;
  readonly bootId: string;
  readonly vtep: string;
  readonly port: number;
  readonly preset: SwimPreset;
  /** Base64; the first seals, each opens; none: in the clear. */
  readonly keys: readonly string[];
  /** A file of them that wins over `keys` and is read again when it changes. */
  readonly keysFile: string | undefined;
  readonly time: Time;
  readonly logger: Logger;
}

type MemberStatus = ReplyOf<typeof agentStatusContract>['members'][number];

/** As many as a heartbeat takes. */
const maxOpinions = 1_024;

export class Gossip {
  readonly #options: GossipOptions;
  #swim: SwimUdp | null = null;
  #keyFile: GossipKeyFile | undefined;

  constructor(options: GossipOptions) {
    this.#options = options;
  }

  /** Where others reach it. */
  get address(): string {
    const { vtep: host, port } = this.#options;
    return formatAddress({ host, port });
  }

  async start(): Promise<void> {
    const { hostId: name, bootId, vtep: host, port, preset, logger } = this.#options;
    const config = swimConfig(preset);
    const keys = bytesOf(this.#startKeyFile() ?? this.#options.keys);
    this.#swim = await SwimUdp.start({ name, bootId, config, bind: { host, port }, keys });
    this.#swim.onEvent((event) => {
      if (!('member' in event)) return;
      logger.info({ event: event.kind, member: event.member.name }, 'gossip');
    });
  }

  #startKeyFile(): readonly string[] | undefined {
    const { keysFile: path, time, logger } = this.#options;
    if (path === undefined) return undefined;
    const onKeys = (keys: readonly string[]): void => this.#swim?.setKeys(bytesOf(keys));
    this.#keyFile = new GossipKeyFile({ path, time, logger, onKeys });
    return this.#keyFile.start();
  }

  /** Addresses that are none are passed over: other hosts gave them. */
  join(addresses: readonly string[]): void {
    const known = new Set(this.members().map((member) => member.address));
    const others = addresses.filter((text) => parseAddress(text) !== null && !known.has(text));
    if (others.length > 0) this.#swim?.join(others);
  }

  get localHealth(): number {
    return this.#swim?.localHealth ?? 0;
  }

  members(): readonly Peer[] {
    return this.#swim?.members() ?? [];
  }

  opinions(): Opinion[] {
    return this.members()
      .filter(({ name }) => name !== this.#options.hostId)
      .slice(0, maxOpinions)
      .map(({ name: host, state, incarnation, reach }) => ({
        host,
        state,
        incarnation,
        ...(isBlocked({ state, reach }) ? { udpBlocked: true as const } : {}),
      }));
  }

  /** Everyone, with what the own probes tell of the way. */
  status(): MemberStatus[] {
    return this.members().map(({ name: host, state, incarnation, reach }) => ({
      host,
      state,
      incarnation,
      ...(reach.rttMs === null ? {} : { rttMs: rounded(reach.rttMs) }),
      ...(reach.rttVarianceMs === null ? {} : { rttVarianceMs: rounded(reach.rttVarianceMs) }),
      ...(isBlocked({ state, reach }) ? { udpBlocked: true as const } : {}),
    }));
  }

  /** Without a farewell: a host whose agent stops is to be missed. */
  async stop(): Promise<void> {
    this.#keyFile?.stop();
    await this.#swim?.stop();
    this.#swim = null;
  }
}

function bytesOf(keys: readonly string[]): Uint8Array[] {
  return keys.map((key) => Buffer.from(key, 'base64'));
}

/** Of the dead nothing is known of the way to them. */
function isBlocked({ state, reach }: Pick<Peer, 'state' | 'reach'>): boolean {
  return isLive({ state }) && reach.isUdpBlocked;
}

/** To microseconds. */
const rounded = (ms: number): number => Math.round(ms * 1_000) / 1_000;
