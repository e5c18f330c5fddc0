// The first moments of a replica with an empty directory: asks the other voters, again and again, until it is clear whether it
// begins a new cluster or has lost what it held. Knows neither the core nor the network.

import type { RaftMessage } from '@skein/raft';
import { startAfter, type Origin } from '@skein/replica';
import type { ServiceLogger } from '@skein/service-boot';
import type { ConsensusConfiguration } from './consensus.config';

export interface BootstrapOptions {
  readonly config: Pick<ConsensusConfiguration, 'replicaId' | 'voters'>;
  readonly logger: ServiceLogger;
  readonly ask: (voter: string) => void;
  /** Called once. */
  readonly decided: (start: 'begin' | 'recover') => void;
}

const askEveryMs = 100;
const complainEveryMs = 10_000;

export class Bootstrap {
  private readonly heardOf = new Map<string, Origin>();
  private startedAt = 0;
  private complainAt = 0;
  private isDecided = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: BootstrapOptions) {}

  start(): void {
    this.startedAt = performance.now();
    this.complainAt = this.startedAt + complainEveryMs;
    this.timer = setInterval(() => this.round(), askEveryMs);
    this.round();
  }

  stop(): void {
    this.isDecided = true;
    clearInterval(this.timer);
  }

  heard(from: string, origin: Origin): void {
    this.heardOf.set(from, origin);
    this.decide();
  }

  /** Who leads has begun. Nothing else that is said to the core counts yet. */
  received({ kind, from }: RaftMessage): void {
    const isLeaders = kind === 'append' || kind === 'heartbeat' || kind === 'installSnapshot';
    if (isLeaders) this.heard(from, 'begun');
  }

  private round(): void {
    const { config, logger, ask } = this.options;
    const { replicaId: id, voters } = config;
    this.decide();
    if (this.isDecided) return;
    for (const voter of voters) if (voter !== id) ask(voter);
    const now = performance.now();
    if (now < this.complainAt) return;
    this.complainAt = now + complainEveryMs;
    const missing = voters.filter((voter) => voter !== id && !this.heardOf.has(voter));
    logger.warn({ missing }, 'the directory is empty: waits for the other voters to say so too');
  }

  private decide(): void {
    if (this.isDecided) return;
    const { config, logger, decided } = this.options;
    const { replicaId: id, voters } = config;
    const waitedMs = performance.now() - this.startedAt;
    const start = startAfter({ id, voters, heard: this.heardOf, waitedMs });
    if (start === 'wait') return;
    this.stop();
    if (start === 'begin') logger.info({ voters, waitedMs }, 'a new cluster begins');
    decided(start);
  }
}
