// Brings faults over a simulated cluster, one after the other as the seed draws them, and takes
// them all back at the end. It must not know what is checked, or what Raft makes of it.
import type { RaftInput } from '@skein/raft';
import type { EventQueue } from '../event-queue';
import type { SimulatedNetwork } from '../network';
import type { Random } from '../random';
import { drawSpell, type FaultKind, type SwarmConditions } from './options';
import type { Replica } from './replica';

export class Faults {
  readonly counts: Record<FaultKind, number> = {
    crash: 0,
    powerCut: 0,
    pause: 0,
    diskStall: 0,
    oneWayCut: 0,
    isolation: 0,
    split: 0,
    transfer: 0,
  };
  private isOver = false;

  constructor(
    private readonly queue: EventQueue,
    private readonly random: Random,
    private readonly conditions: SwarmConditions,
    private readonly replicas: readonly Replica[],
    private readonly network: SimulatedNetwork<RaftInput>,
    private readonly onFault: (line: string) => void,
  ) {}

  start(): void {
    this.queue.after(drawSpell(this.random, this.conditions.meanFaultGapMs), () => {
      if (this.isOver) return;
      this.bring(this.random.pick(this.conditions.faultKinds));
      this.start();
    });
  }

  /** Faults stop. Replicas outside `core` stay down for good; the rest must converge by itself. */
  stop(core: readonly Replica[]): void {
    this.isOver = true;
    this.network.mendAll();
    for (const replica of this.replicas) {
      if (!core.includes(replica)) {
        if (replica.isUp) replica.crash();
        continue;
      }
      replica.disk.recover();
      if (!replica.isUp) replica.start();
      else if (replica.isPaused) replica.resume();
    }
  }

  private bring(kind: FaultKind): void {
    const replica = this.random.pick(this.replicas);
    const spellMs = drawSpell(this.random, this.conditions.meanFaultMs);
    const others = this.random.shuffle(this.replicas.filter((other) => other !== replica));
    this.counts[kind] += 1;
    this.onFault(`fault ${kind} ${replica.id} for ${spellMs.toFixed(0)} ms`);
    switch (kind) {
      case 'crash':
        return this.crash(this.crashVictim(replica), spellMs);
      case 'powerCut':
        return this.replicas.forEach((each) => this.crash(each, spellMs * this.random.next()));
      case 'pause':
        return this.pause(replica, spellMs);
      case 'diskStall':
        return replica.disk.stall(spellMs);
      case 'oneWayCut':
        return this.cut([[replica, others[0] as Replica]], spellMs);
      case 'isolation':
        return this.cut(bothWays([replica], others), spellMs);
      case 'split': {
        const size = this.random.int(others.length);
        return this.cut(bothWays([replica, ...others.slice(0, size)], others.slice(size)), spellMs);
      }
      case 'transfer': {
        const to = this.random.chance(0.5) ? null : (others[0] as Replica).id;
        for (const each of this.replicas) {
          if (each.status?.role === 'leader') each.receive({ kind: 'transferLeadership', to });
        }
      }
    }
  }

  /** Crashes with writes under way find more than others do. */
  private crashVictim(otherwise: Replica): Replica {
    const busy = this.replicas.filter((replica) => replica.isUp && replica.disk.isBusy);
    return this.random.chance(0.7) && busy.length > 0 ? this.random.pick(busy) : otherwise;
  }

  private crash(replica: Replica, spellMs: number): void {
    if (!replica.isUp) return;
    replica.crash();
    this.afterwards(spellMs, () => {
      if (!replica.isUp) replica.start();
    });
  }

  private pause(replica: Replica, spellMs: number): void {
    if (!replica.isUp || replica.isPaused) return;
    const { life } = replica;
    replica.pause();
    this.afterwards(spellMs, () => {
      if (replica.life === life && replica.isPaused) replica.resume();
    });
  }

  private cut(pairs: readonly (readonly [Replica, Replica])[], spellMs: number): void {
    for (const [from, to] of pairs) this.network.cut(from.id, to.id);
    this.afterwards(spellMs, () => {
      for (const [from, to] of pairs) this.network.mend(from.id, to.id);
    });
  }

  /** The end of a fault's spell; nothing more when all faults have been taken back. */
  private afterwards(spellMs: number, run: () => void): void {
    this.queue.after(spellMs, () => {
      if (!this.isOver) run();
    });
  }
}

function bothWays(
  left: readonly Replica[],
  right: readonly Replica[],
): (readonly [Replica, Replica])[] {
  return left.flatMap((a) => right.flatMap((b) => [[a, b] as const, [b, a] as const]));
}
