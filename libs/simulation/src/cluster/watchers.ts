// Clients that watch: each follows a span of keys through any replica, opens anew where it misses something,
// and holds what it is shown against the one history: in order, once, whole revisions, nothing left out up
// to what it is told, previous values right. It must not know how watches are served.
import { spanOf, type RevisionEvents, type SpanRequest } from '@skein/store';
import type { EventQueue } from '../event-queue';
import type { Random } from '../random';
import type { CommittedLog } from './committed-log';
import type { ClusterConditions } from './options';
import type { PlantedClusterFault } from './plants';
import type { ClusterReplica } from './replica';
import type { Violations } from './violations';
import type { WatchMessage } from './watch-server';

const SILENCE_MS = 400;

export interface WatcherWorld {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly conditions: ClusterConditions;
  readonly planted: PlantedClusterFault | null;
  readonly committed: CommittedLog;
  readonly violations: Violations;
  readonly replicas: () => readonly ClusterReplica[];
}

export class Watcher {
  /** All up to here has been shown. */
  seen = 0;
  shown = 0;
  private readonly span: SpanRequest;
  private generation = 0;
  private heardAtMs = 0;
  private close: () => void = () => undefined;

  constructor(
    private readonly name: string,
    private readonly world: WatcherWorld,
  ) {
    const { random, conditions } = world;
    const isWide = random.chance(0.5);
    this.span = isWide ? { key: 'k', prefix: true } : { key: `k${random.int(conditions.keys)}` };
  }

  start(): void {
    this.open();
    this.lookForever();
  }

  private lookForever(): void {
    this.world.queue.after(SILENCE_MS / 2, () => {
      if (this.world.queue.nowMs - this.heardAtMs > SILENCE_MS) this.open();
      this.lookForever();
    });
  }

  private open(): void {
    const { random, replicas, queue } = this.world;
    this.generation += 1;
    this.heardAtMs = queue.nowMs;
    this.close();
    const { generation } = this;
    const replica = random.pick(replicas());
    this.carry(() => {
      replica.whenAwake(() => {
        if (generation !== this.generation) return;
        this.close = replica.watches.open(this.span, this.seen + 1, (message) =>
          this.carry(() => this.heard(generation, message)),
        );
      });
    });
  }

  private carry(arrive: () => void): void {
    const { queue, random, conditions } = this.world;
    const isLost = random.chance(conditions.clientLoss);
    const delayMs = random.next() * 3;
    if (!isLost) queue.after(delayMs, arrive);
  }

  private heard(generation: number, message: WatchMessage): void {
    if (generation !== this.generation) return;
    this.heardAtMs = this.world.queue.nowMs;
    if (message.kind === 'compacted') return this.compacted(message.compactRevision);
    const isGap = message.after > this.seen;
    if (isGap && this.world.planted !== 'watch-skips-gaps') return this.open();
    if (message.through > this.seen) this.check(message.through, message.revisions);
  }

  private compacted(compactRevision: number): void {
    if (compactRevision <= this.seen) {
      const detail = `${this.name} is told that ${this.seen + 1} is compacted at ${compactRevision}`;
      this.world.violations.report('watch', detail);
    }
    this.seen = compactRevision;
    this.open();
  }

  private check(through: number, revisions: readonly RevisionEvents[]): void {
    const { committed, violations } = this.world;
    if (through > committed.revision) {
      violations.report('watch', `${this.name} is told of ${through}, beyond what is committed`);
      return;
    }
    const expected = committed.eventsBetween(this.seen, through, spanOf(this.span));
    const shown = revisions.filter(({ revision }) => revision > this.seen);
    if (JSON.stringify(expected) !== JSON.stringify(shown)) {
      const detail = `${this.name} after ${this.seen} through ${through}: ${JSON.stringify(shown)}`;
      violations.report('watch', `${detail} instead of ${JSON.stringify(expected)}`);
    }
    this.shown += shown.length;
    this.seen = through;
  }
}
