// What a bad day brings, again and again: a replica killed every two seconds and started from its disk, one frozen now and then,
// one cut off whole or one way. Keeps count, and knows when a quorum was there.

import type { CommittedLog } from './replica-log';
import { replicaIds, type ConsensusCluster } from './consensus-cluster';
import type { Silence } from './history';
import type { LinkState } from './links';
import { pick, wait } from './waiting';

const killEveryMs = 2_000;

export class Faults {
  readonly counts = { kills: 0, leaderKills: 0, pauses: 0, cuts: 0, oneWayCuts: 0, natsKills: 0 };
  /** Times (ms since the epoch) in which fewer than two replicas could work. */
  readonly withoutQuorum: Silence[] = [];
  private readonly away = new Set<string>();
  private lostAt = 0;

  constructor(
    private readonly cluster: ConsensusCluster,
    private readonly log: CommittedLog,
  ) {}

  async rage(ms: number): Promise<void> {
    const endsAt = performance.now() + ms;
    const natsDiesAt = performance.now() + ms / 2;
    for (let round = 0; performance.now() < endsAt; round += 1) {
      const begun = performance.now();
      const victim = await this.chooseVictim();
      const others = replicaIds.filter((id) => id !== victim);
      const second = round % 3 === 1 ? this.pause(pick(others)) : Promise.resolve();
      const third = round % 3 === 2 ? this.cut(pick(others)) : Promise.resolve();
      await this.kill(victim);
      if (this.counts.natsKills === 0 && performance.now() > natsDiesAt) {
        this.counts.natsKills += 1;
        await this.cluster.restartNats();
      }
      await Promise.all([second, third]);
      await wait(Math.max(0, killEveryMs - (performance.now() - begun)));
    }
  }

  /** How much of a time there was a quorum for. */
  withQuorum({ from, to }: Silence): number {
    return this.withoutQuorum.reduce(
      (left, lost) => left - Math.max(0, Math.min(to, lost.to) - Math.max(from, lost.from)),
      to - from,
    );
  }

  /** Mostly the leader. */
  private async chooseVictim(): Promise<string> {
    const leader = await this.cluster.leader().catch(() => null);
    const isLeader = leader !== null && Math.random() < 0.6;
    if (isLeader) this.counts.leaderKills += 1;
    return isLeader ? leader.replicaId : pick(replicaIds);
  }

  private async kill(id: string): Promise<void> {
    this.left(id);
    await this.cluster.kill(id);
    this.counts.kills += 1;
    await this.log.gather(this.cluster, id);
    await this.cluster.startReplica(id);
    this.returned(id);
  }

  private async pause(id: string): Promise<void> {
    this.counts.pauses += 1;
    this.left(id);
    this.cluster.signal(id, 'SIGSTOP');
    await wait(300 + Math.random() * 1_700);
    this.cluster.signal(id, 'SIGCONT');
    this.returned(id);
  }

  private async cut(id: string): Promise<void> {
    const state = pick(['cut', 'deaf', 'mute'] as const satisfies LinkState[]);
    this.counts[state === 'cut' ? 'cuts' : 'oneWayCuts'] += 1;
    this.left(id);
    this.cluster.links.set(id, state);
    await wait(300 + Math.random() * 1_700);
    // What was held back arrives late, or is lost with the connection.
    this.cluster.links.set(id, 'whole', Math.random() < 0.5);
    this.returned(id);
  }

  private left(id: string): void {
    this.away.add(id);
    if (this.away.size === 2) this.lostAt = Date.now();
  }

  private returned(id: string): void {
    this.away.delete(id);
    if (this.away.size === 1) this.withoutQuorum.push({ from: this.lostAt, to: Date.now() });
  }
}
