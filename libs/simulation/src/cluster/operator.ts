// The operator of the simulated cluster: adds, promotes, demotes, removes, replaces and swaps members, one
// wish at a time, and takes backups. Careful never to leave a quorum without whole disks. It must not know
// how changes are carried out.
import type { Configuration, ConfigurationChange, NodeId } from '@skein/raft';
import type { MemberChange, MembersReply } from '@skein/replica';
import { Store } from '@skein/store';
import type { Random } from '../random';
import type { Atlas } from './atlas';
import { hashOf, type CommittedLog } from './committed-log';
import type { Promises } from './promises';
import type { ClusterReplica } from './replica';
import type { Violations } from './violations';

type ChangeKind = 'add' | 'promote' | 'demote' | 'remove' | 'replace' | 'swap';

const MAX_MEMBERS = 6;
const MAX_REPLICAS = 10;

export interface OperatorWorld {
  readonly random: Random;
  readonly atlas: Atlas;
  readonly committed: CommittedLog;
  readonly violations: Violations;
  readonly replicas: () => readonly ClusterReplica[];
  /** A new machine with an empty disk. */
  readonly spawn: () => ClusterReplica;
  /** It is no member any more and is switched off for good. */
  readonly retire: (replica: ClusterReplica) => void;
  readonly promises: Promises;
  readonly tell: (line: string) => void;
}

export class Operator {
  constructor(private readonly world: OperatorWorld) {}

  /** One attempt at a change that fits the present members. */
  changeMembers(): void {
    const { random, atlas, promises, tell } = this.world;
    const leader = this.leader();
    if (leader === undefined) return;
    this.retireRemoved();
    const change = this.draw(atlas.current);
    if (change === null) return;
    tell(`operator asks ${leader.id} for ${JSON.stringify(change)}`);
    const single = random.chance(0.5) ? singleChange(atlas.current, change) : null;
    if (single === null) return leader.input({ kind: 'proposeConfiguration', change });
    const answer = promises.expect<MembersReply>(leader, single.action, (answered) =>
      tell(`operator is told ${JSON.stringify(answered)}`),
    );
    leader.call('changeMembers', (core) => core.changeMembers(single, answer));
  }

  transfer(): void {
    const { random, replicas } = this.world;
    const to = random.chance(0.5) ? null : random.pick(replicas()).id;
    for (const replica of replicas()) {
      if (replica.status?.role !== 'leader') continue;
      replica.call('transfer', (core) => core.transfer(to, () => undefined));
    }
  }

  private leader(): ClusterReplica | undefined {
    const leaders = this.world
      .replicas()
      .filter(({ isUp, isPaused, status }) => isUp && !isPaused && status?.role === 'leader');
    return leaders.length === 0 ? undefined : this.world.random.pick(leaders);
  }

  private retireRemoved(): void {
    const { atlas, replicas, random, retire } = this.world;
    const isPossible = (id: NodeId): boolean =>
      atlas
        .possible()
        .some(({ incoming, outgoing, learners, learnersNext = [] }) =>
          [...incoming, ...outgoing, ...learners, ...learnersNext].includes(id),
        );
    for (const replica of replicas()) {
      if (!replica.hasBeenMember || isPossible(replica.id) || random.chance(0.5)) continue;
      retire(replica);
    }
  }

  private draw(current: Configuration): ConfigurationChange | null {
    const { random, atlas } = this.world;
    const { incoming, outgoing, learners } = current;
    if (outgoing.length > 0) return { kind: 'leave' };
    const target = this.drawTarget(incoming, learners);
    if (target === null || target.voters.length === 0) return null;
    if (!atlas.mayBecome(target.voters)) return null;
    const mode = random.pick(['auto', 'auto', 'implicit', 'explicit'] as const);
    return { kind: 'set', ...target, mode };
  }

  private drawTarget(
    voters: readonly NodeId[],
    learners: readonly NodeId[],
  ): { voters: NodeId[]; learners: NodeId[] } | null {
    const { random, atlas } = this.world;
    const members = [...voters, ...learners];
    const lost = members.filter((id) => !atlas.isWhole(id) && this.isGone(id));
    const learner = learners.length > 0 ? random.pick(learners) : undefined;
    const voter = lost.find((id) => voters.includes(id)) ?? random.pick(voters);
    const without = (list: readonly NodeId[], ...ids: (NodeId | undefined)[]): NodeId[] =>
      list.filter((id) => !ids.includes(id));
    const kinds: ChangeKind[] = ['swap'];
    if (members.length < MAX_MEMBERS) kinds.push('add', 'add');
    if (learner !== undefined) kinds.push('promote', 'promote', 'promote', 'replace');
    if (voters.length > 1) kinds.push('demote', 'remove');
    const promoted = learners.filter((id) => id === learner);
    switch (random.pick(kinds)) {
      case 'add': {
        const fresh = this.freshMember(members);
        return fresh === undefined
          ? null
          : { voters: [...voters], learners: [...learners, fresh.id] };
      }
      case 'promote':
        return { voters: [...voters, ...promoted], learners: without(learners, learner) };
      case 'demote':
        return { voters: without(voters, voter), learners: [...learners, voter] };
      case 'remove': {
        const goer = random.chance(0.5) && learner !== undefined ? learner : voter;
        return { voters: without(voters, goer), learners: without(learners, goer) };
      }
      case 'replace':
        return {
          voters: [...without(voters, voter), ...promoted],
          learners: without(learners, learner),
        };
      case 'swap': {
        const usable = members.filter((id) => !this.isGone(id));
        const next = random.shuffle(usable).slice(0, random.between(1, 5));
        return { voters: next, learners: without(members, ...next, ...lost).slice(0, 2) };
      }
    }
  }

  private isGone(id: NodeId): boolean {
    return this.world.replicas().find((each) => each.id === id)?.isGone ?? true;
  }

  /** One that was removed before and still has its disk, or a new machine. */
  private freshMember(members: readonly NodeId[]): ClusterReplica | undefined {
    const { random, replicas, spawn } = this.world;
    const idle = replicas().filter(({ id, isGone }) => !isGone && !members.includes(id));
    if (idle.length > 0 && random.chance(0.5)) return random.pick(idle);
    return replicas().length < MAX_REPLICAS ? spawn() : idle[0];
  }

  /** A consistent copy of one replica, pulled in pieces while it goes on; restored, it must be the same. */
  backup(): void {
    const { random, replicas, committed, violations } = this.world;
    const up = replicas().filter(({ isUp, isPaused }) => isUp && !isPaused);
    if (up.length === 0) return;
    const replica = random.pick(up);
    const source = replica.store?.beginSnapshot();
    if (source === undefined) return;
    const { appliedIndex } = source;
    const loader = Store.loader();
    const pull = (): void => {
      const piece = source.next(random.pick([50, 500, 5_000]));
      if (piece !== null) {
        loader.push(piece);
        replica.later(random.next() * 20, pull);
        return;
      }
      source.close();
      const restored = loader.finish();
      const expected = appliedIndex === 0 ? undefined : committed.hashAt(appliedIndex);
      const isSame = restored.status.appliedIndex === appliedIndex;
      if (isSame && (expected === undefined || hashOf(restored) === expected)) return;
      const detail = `a backup of ${replica.id} at ${appliedIndex} is restored as another state`;
      violations.report('state machine safety', detail);
    };
    pull();
  }
}

/** The same as a change of one member, if it is one. */
function singleChange(from: Configuration, change: ConfigurationChange): MemberChange | null {
  if (change.kind !== 'set') return null;
  const roleIn = (voters: readonly NodeId[], learners: readonly NodeId[], id: NodeId): string =>
    voters.includes(id) ? 'voter' : learners.includes(id) ? 'learner' : '';
  const all = [...from.incoming, ...from.learners, ...change.voters, ...change.learners];
  const changed = [...new Set(all)].flatMap((id) => {
    const before = roleIn(from.incoming, from.learners, id);
    const after = roleIn(change.voters, change.learners, id);
    return before === after ? [] : [{ id, before, after }];
  });
  const [only] = changed;
  if (only === undefined || changed.length > 1) return null;
  const { id, before, after } = only;
  if (after === '') return { id, action: 'remove' };
  if (before === '') return { id, action: 'add', learner: after === 'learner' };
  return { id, action: after === 'voter' ? 'promote' : 'demote' };
}
