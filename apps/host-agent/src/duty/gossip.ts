// This host's SWIM member: starts, joins whom the registry names, and says what it thinks of the others. Its opinions go to the
// registry and nowhere else.

import type { Opinion } from '@skein/contracts';
import type { Logger } from '@skein/messaging';
import { swimConfig, type Member, type SwimPreset } from '@skein/swim';
import { formatAddress, parseAddress, SwimUdp } from '@skein/swim-udp';

export interface GossipOptions {
  readonly hostId: string;
  readonly bootId: string;
  readonly vtep: string;
  readonly port: number;
  readonly preset: SwimPreset;
  readonly logger: Logger;
}

/** As many as a heartbeat takes. */
const maxOpinions = 1_024;

export class Gossip {
  readonly #options: GossipOptions;
  #swim: SwimUdp | null = null;

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
    this.#swim = await SwimUdp.start({ name, bootId, config, bind: { host, port } });
    this.#swim.onEvent((event) => {
      if (!('member' in event)) return;
      logger.info({ event: event.kind, member: event.member.name }, 'gossip');
    });
  }

  /** Addresses that are none are passed over: other hosts gave them. */
  join(addresses: readonly string[]): void {
    const known = new Set(this.members().map((member) => member.address));
    const others = addresses.filter((text) => parseAddress(text) !== null && !known.has(text));
    if (others.length > 0) this.#swim?.join(others);
  }

  members(): readonly Member[] {
    return this.#swim?.members() ?? [];
  }

  opinions(): Opinion[] {
    return this.members()
      .filter(({ name }) => name !== this.#options.hostId)
      .slice(0, maxOpinions)
      .map(({ name: host, state, incarnation }) => ({ host, state, incarnation }));
  }

  /** Without a farewell: a host whose agent stops is to be missed. */
  async stop(): Promise<void> {
    await this.#swim?.stop();
    this.#swim = null;
  }
}
