// Brings faults over a simulated cluster, one after the other as the seed draws them, and takes them all
// back at the end. It must not know what is checked, or what Raft makes of it.
import type { EventQueue } from '../event-queue';
import type { SimulatedNetwork } from '../network';
import type { Random } from '../random';
import type { Atlas } from './atlas';
import type { Operator } from './operator';
import {
  clusterFaultKinds,
  drawSpell,
  type ClusterConditions,
  type ClusterFaultKind,
} from './options';
import type { ClusterReplica, Payload } from './replica';

export interface FaultWorld {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly conditions: ClusterConditions;
  readonly network: SimulatedNetwork<Payload>;
  readonly atlas: Atlas;
  readonly operator: Operator;
  readonly replicas: () => readonly ClusterReplica[];
  /** Its disk is gone for good. */
  readonly lose: (replica: ClusterReplica) => void;
  readonly tell: (line: string) => void;
}

export class Faults {
  readonly counts = Object.fromEntries(clusterFaultKinds.map((kind) => [kind, 0])) as Record<
    ClusterFaultKind,
    number
  >;
  isOver = false;

  constructor(private readonly world: FaultWorld) {}

  start(): void {
    const { queue, random, conditions } = this.world;
    queue.after(drawSpell(random, conditions.meanFaultGapMs), () => {
      if (this.isOver) return;
      this.bring(random.pick(conditions.faultKinds));
      this.start();
    });
  }

  private bring(kind: ClusterFaultKind): void {
    const { random, conditions, replicas, operator, tell } = this.world;
    const present = replicas().filter(({ isGone }) => !isGone);
    const replica = random.pick(present);
    const spellMs = drawSpell(random, conditions.meanFaultMs);
    const others = random.shuffle(present.filter((other) => other !== replica));
    tell(`fault ${kind} ${replica.id} for ${spellMs.toFixed(0)} ms`);
    this.counts[kind] += 1;
    switch (kind) {
      case 'crash':
        return this.crash(this.busyOne(present) ?? replica, spellMs, false);
      case 'powerCut':
        return present.forEach((each) => this.crash(each, spellMs * random.next(), false));
      case 'tornWrite':
        return this.crash(this.busyOne(present) ?? replica, spellMs, true);
      case 'bitFlip':
        return this.flipBit(replica, spellMs);
      case 'diskLost':
        return this.loseDisk(replica);
      case 'diskFull':
      case 'syncFailure':
        return this.failDisk(replica, spellMs, kind === 'diskFull');
      case 'diskStall':
        return replica.disk.stall(spellMs);
      case 'slowDisk':
        return this.slowDisk(replica, spellMs);
      case 'pause':
        return this.pause(replica, spellMs);
      case 'clockJump':
        return replica.clock.jump((random.next() - 0.5) * random.pick([200, 5_000, 3_600_000]));
      case 'oneWayCut':
      case 'isolation':
      case 'split':
        return this.cut(this.pairsOf(kind, replica, others), spellMs);
      case 'clog':
        return this.clog(
          this.pairsOf(random.pick(['oneWayCut', 'isolation']), replica, others),
          spellMs,
        );
      case 'transfer':
        return operator.transfer();
      case 'memberChange':
        return operator.changeMembers();
      case 'backup':
        return operator.backup();
    }
  }

  /** Crashes with writes under way find more than others do. */
  private busyOne(present: readonly ClusterReplica[]): ClusterReplica | null {
    const { random } = this.world;
    const busy = present.filter((replica) => replica.isUp && replica.disk.isBusy);
    return random.chance(0.7) && busy.length > 0 ? random.pick(busy) : null;
  }

  private crash(replica: ClusterReplica, spellMs: number, isTorn: boolean): void {
    if (!replica.isUp) return;
    const mayTear = isTorn && this.world.atlas.mayDamage(replica.id);
    replica.crash(mayTear);
    this.restartAfter(replica, spellMs);
  }

  private restartAfter(replica: ClusterReplica, spellMs: number): void {
    this.afterwards(spellMs, () => {
      if (!replica.isUp && !replica.isGone) replica.start();
    });
  }

  private flipBit(replica: ClusterReplica, spellMs: number): void {
    const { random, atlas } = this.world;
    if (!replica.isUp || !atlas.mayDamage(replica.id)) return;
    replica.crash();
    replica.damage(random.pick(['entry', 'entry', 'hardState', 'snapshot']));
    this.restartAfter(replica, spellMs);
  }

  private loseDisk(replica: ClusterReplica): void {
    const { atlas, lose, random } = this.world;
    if (random.chance(0.5) || !atlas.mayDamage(replica.id)) return;
    lose(replica);
  }

  private failDisk(replica: ClusterReplica, spellMs: number, isFull: boolean): void {
    if (isFull) replica.disk.isFull = true;
    else replica.disk.failNext();
    this.afterwards(spellMs, () => {
      replica.disk.recover();
      if (!replica.isUp && !replica.isGone) replica.start();
    });
  }

  private slowDisk(replica: ClusterReplica, spellMs: number): void {
    const { conditions } = this.world;
    replica.disk.conditions = { minSyncMs: 5, maxSyncMs: conditions.disk.maxSyncMs * 10 };
    this.afterwards(spellMs, () => (replica.disk.conditions = conditions.disk));
  }

  private pause(replica: ClusterReplica, spellMs: number): void {
    if (!replica.isUp || replica.isPaused) return;
    const { life } = replica;
    replica.pause();
    this.afterwards(spellMs, () => {
      if (replica.life === life && replica.isPaused) replica.resume();
    });
  }

  private pairsOf(
    kind: 'oneWayCut' | 'isolation' | 'split',
    replica: ClusterReplica,
    others: readonly ClusterReplica[],
  ): (readonly [ClusterReplica, ClusterReplica])[] {
    const [first] = others;
    if (first === undefined) return [];
    if (kind === 'oneWayCut') return [[replica, first]];
    const size = kind === 'split' ? this.world.random.int(others.length) : 0;
    return bothWays([replica, ...others.slice(0, size)], others.slice(size));
  }

  private cut(
    pairs: readonly (readonly [ClusterReplica, ClusterReplica])[],
    spellMs: number,
  ): void {
    const { network } = this.world;
    for (const [from, to] of pairs) network.cut(from.id, to.id);
    this.afterwards(spellMs, () => {
      for (const [from, to] of pairs) network.mend(from.id, to.id);
    });
  }

  private clog(
    pairs: readonly (readonly [ClusterReplica, ClusterReplica])[],
    spellMs: number,
  ): void {
    for (const [from, to] of pairs) this.world.network.clog(from.id, to.id, spellMs);
  }

  /** The end of a fault's spell; nothing more when all faults have been taken back. */
  private afterwards(spellMs: number, run: () => void): void {
    this.world.queue.after(spellMs, () => {
      if (!this.isOver) run();
    });
  }

  /** Faults stop. Replicas outside `core` stay down for good; the rest must converge by itself. */
  stop(core: readonly ClusterReplica[]): void {
    this.isOver = true;
    this.world.network.mendAll();
    for (const replica of this.world.replicas()) {
      replica.disk.recover();
      if (replica.isGone) continue;
      if (!core.includes(replica)) replica.crash();
      else if (!replica.isUp) replica.start();
      else if (replica.isPaused) replica.resume();
    }
  }
}

function bothWays(
  left: readonly ClusterReplica[],
  right: readonly ClusterReplica[],
): (readonly [ClusterReplica, ClusterReplica])[] {
  return left.flatMap((a) => right.flatMap((b) => [[a, b] as const, [b, a] as const]));
}
