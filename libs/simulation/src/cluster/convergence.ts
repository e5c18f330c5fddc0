// The second half of a run: faults stop, for all or for a random core that is just a quorum while the rest
// stays dead. What lives must elect, catch up, mend what was damaged, and serve. It must not know what came
// before.
import { calmDisk } from '../disk';
import type { EventQueue } from '../event-queue';
import { calmNetwork, type SimulatedNetwork } from '../network';
import type { Random } from '../random';
import type { Atlas } from './atlas';
import type { Clients } from './clients';
import { hashOf, type CommittedLog } from './committed-log';
import type { Faults } from './faults';
import { PATIENCE_MS, type Promises } from './promises';
import type { ClusterReplica, Payload } from './replica';
import type { Violations } from './violations';

/** Simulated time in which a healed cluster must elect, catch up and serve. */
const CONVERGE_MS = 20_000;

export interface ConvergenceWorld {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly network: SimulatedNetwork<Payload>;
  readonly atlas: Atlas;
  readonly faults: Faults;
  readonly clients: Clients;
  readonly violations: Violations;
  readonly committed: CommittedLog;
  readonly promises: Promises;
  readonly replicas: readonly ClusterReplica[];
  readonly tell: (line: string) => void;
}

export class Convergence {
  private hasWritten = false;
  private hasRead = false;
  private isAsking = false;
  private asked = 0;

  constructor(private readonly world: ConvergenceWorld) {}

  run(): void {
    const { queue, random, network, atlas, faults, clients, violations, tell } = this.world;
    clients.stop();
    const present = random.shuffle(this.world.replicas.filter(({ isGone }) => !isGone));
    const core = random.chance(0.5) ? atlas.drawCore(present) : present;
    tell(`faults stop; the core is ${core.map(({ id }) => id).join(' ')}`);
    network.conditions = calmNetwork;
    for (const replica of core) replica.disk.conditions = calmDisk;
    faults.stop(core);
    const endMs = queue.nowMs + CONVERGE_MS;
    while (violations.isClean && queue.nowMs < endMs) {
      queue.runNext();
      this.askToServe(core);
      if (this.hasWritten && this.hasRead && this.hasSettled(core)) return this.checkPromises(core);
    }
    if (violations.isClean) violations.report('liveness', this.describe(core));
  }

  /** Now and then waits until even the most patient of callers must have been answered. */
  private checkPromises(core: readonly ClusterReplica[]): void {
    const { queue, random, promises, violations, atlas } = this.world;
    if (random.chance(0.8)) return;
    const endMs = queue.nowMs + PATIENCE_MS;
    while (violations.isClean && queue.nowMs < endMs) queue.runNext();
    const { incoming, outgoing, learners } = atlas.current;
    const members = core.filter(({ id }) => [...incoming, ...outgoing, ...learners].includes(id));
    promises.check(members);
  }

  private askToServe(core: readonly ClusterReplica[]): void {
    if (this.isAsking || (this.hasWritten && this.hasRead)) return;
    const leader = core.find(({ status }) => status?.role === 'leader');
    if (leader === undefined) return;
    this.isAsking = true;
    this.asked += 1;
    const name = `last${this.asked}`;
    const range = { key: 'k0' };
    const wish = this.hasWritten
      ? ({ kind: 'read', level: 'linearizable', range } as const)
      : ({ kind: 'write', request: { type: 'delete', key: 'k0' } } as const);
    this.world.clients.callOnce(name, wish, leader.id, (isDone) => {
      this.isAsking = false;
      if (wish.kind === 'read') this.hasRead = isDone;
      else this.hasWritten = isDone;
    });
  }

  /** All members of the core that are still members are at the same place, whole, in the same state. */
  private hasSettled(core: readonly ClusterReplica[]): boolean {
    const { atlas, committed } = this.world;
    const { incoming, outgoing, learners, autoLeave } = atlas.current;
    if (outgoing.length > 0 && autoLeave === true) return false;
    const members = core.filter(({ id }) => [...incoming, ...outgoing, ...learners].includes(id));
    const leaders = members.filter(({ status }) => status?.role === 'leader');
    if (leaders.length !== 1) return false;
    const length = committed.lastIndex;
    const expected = committed.hashAt(length);
    const isWhole = members.every(({ id, status, stored }) => {
      if (status?.isRecovering !== true) return true;
      // A forgotten vote counts as given until every other voter has been heard.
      const others = [...incoming, ...outgoing].filter((each) => each !== id);
      const isSomeoneDead = others.some((each) => !members.some((member) => member.id === each));
      return stored.hardState.isVoteLost === true && isSomeoneDead;
    });
    if (!isWhole) return false;
    if (!members.every((member) => isCounted(member, leaders[0]))) return false;
    return members.every(({ status, store }) => {
      if (status === null || store === null) return false;
      const { lastIndex, commitIndex, appliedIndex, durableIndex } = status;
      const isThere = [lastIndex, commitIndex, appliedIndex, durableIndex].every(
        (at) => at === length,
      );
      return isThere && hashOf(store) === expected;
    });
  }

  private describe(core: readonly ClusterReplica[]): string {
    const states = core.map(({ id, status }) => {
      if (status === null) return `${id} down`;
      const { role, term, lastIndex, commitIndex, appliedIndex, isRecovering } = status;
      const recovering = isRecovering ? ' recovering' : '';
      return `${id} ${role}@${term} last ${lastIndex} commit ${commitIndex} applied ${appliedIndex}${recovering}`;
    });
    const served = `${this.hasWritten ? 'wrote' : 'did not write'}, ${this.hasRead ? 'read' : 'did not read'}`;
    const configuration = JSON.stringify(this.world.atlas.current);
    return `not converged in ${CONVERGE_MS} ms: ${states.join('; ')}; ${served}; ${configuration}`;
  }
}

/** A member that holds itself for whole counts for nothing until its leader has heard so. */
function isCounted({ id, status }: ClusterReplica, leader: ClusterReplica | undefined): boolean {
  const peer = leader?.status?.peers.find((each) => each.id === id);
  return status?.isRecovering === true || peer?.isRecovering !== true;
}
