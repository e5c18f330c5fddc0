// The atlas of faults: which disks may be damaged or given up without asking the impossible. Every
// configuration that may be in force keeps a quorum of members whose disks are whole. It must not know how
// damage is done or repaired.
import { decodeConfiguration, type Configuration, type NodeId } from '@skein/raft';
import type { CommittedLog } from './committed-log';
import { isMajority } from './invariants';
import type { ClusterReplica } from './replica';

export class Atlas {
  constructor(
    private readonly committed: CommittedLog,
    private readonly founding: Configuration,
    private readonly replicas: () => readonly ClusterReplica[],
  ) {}

  /** The newest configuration that is surely in force. */
  get current(): Configuration {
    return this.committed.configurations.at(-1)?.configuration ?? this.founding;
  }

  /** The current one, and whatever a leader may yet make of what lies in the logs. */
  possible(): Configuration[] {
    const from = this.committed.configurations.at(-1)?.index ?? 0;
    const found: Configuration[] = [this.current];
    for (const { memory, stored } of this.replicas()) {
      for (const log of [memory, stored.log]) {
        for (const entry of log.configurationEntries()) {
          // What is damaged is nobody's configuration any more.
          const configuration = entry.index > from ? decodeConfiguration(entry.data) : null;
          if (configuration !== null) found.push(configuration);
        }
      }
    }
    return found;
  }

  isWhole(id: NodeId): boolean {
    const replica = this.replicas().find((each) => each.id === id);
    return replica !== undefined && !replica.isGone && !replica.isDamaged;
  }

  /** Whether the members that `counts` would be enough for every configuration that may be in force. */
  isEnough(counts: (id: NodeId) => boolean, also: readonly Configuration[] = []): boolean {
    return [...this.possible(), ...also].every(
      ({ incoming, outgoing }) =>
        isMajority(incoming, counts) && (outgoing.length === 0 || isMajority(outgoing, counts)),
    );
  }

  /** One member's disk may be damaged, or lost. */
  mayDamage(id: NodeId): boolean {
    return this.isEnough((each) => each !== id && this.isWhole(each));
  }

  /** These may be asked to be the voters. */
  mayBecome(voters: readonly NodeId[]): boolean {
    const target = { incoming: voters, outgoing: [], learners: [] };
    return this.isEnough((each) => this.isWhole(each), [target]);
  }

  /** A random set of members that is enough to go on, and no more than chance added. */
  drawCore(order: readonly ClusterReplica[]): ClusterReplica[] {
    const core: ClusterReplica[] = [];
    for (const replica of order) {
      if (replica.isGone) continue;
      const held = new Set(core.map(({ id }) => id));
      if (this.isEnough((id) => held.has(id) && this.isWhole(id))) break;
      core.push(replica);
    }
    return core;
  }
}
