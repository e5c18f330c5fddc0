// The rules of changing members: one change at a time, in a term that has been opened, and each set of
// quorums overlaps with the one before. It must not know how a change is made.
import type { Configuration, LogEntry, LogWrite, NodeId } from '@skein/raft';
import { configurationIn, type CommittedLog } from './committed-log';
import type { ObservedReplica } from './invariants';
import type { Violations } from './violations';

export class ConfigurationRules {
  constructor(
    private readonly violations: Violations,
    private readonly committed: CommittedLog,
    private readonly founding: Configuration,
  ) {}

  /** A leader appends a configuration of its own. */
  proposed({ id, memory, status }: ObservedReplica, entry: LogEntry, write: LogWrite): void {
    const known = [...memory.configurationEntries(), ...write.entries];
    const before = known.findLast(
      ({ kind, index }) => kind === 'configuration' && index < entry.index,
    );
    const commit = status?.commitIndex ?? 0;
    if (before !== undefined && before.index > commit) {
      const detail = `${id} changes members at ${entry.index} while ${before.index} is open`;
      this.violations.report('one configuration change', detail);
    }
    const opened = write.entries.find(({ index }) => index === commit)?.term;
    if ((memory.termAt(commit) ?? opened) !== status?.term) {
      const detail = `${id} changes members before it has committed in term ${status?.term}`;
      this.violations.report('one configuration change', detail);
    }
    const from = before === undefined ? this.lastBefore(entry.index) : configurationIn(before);
    const to = configurationIn(entry);
    if (overlaps(from, to)) return;
    const detail = `${id}: from ${JSON.stringify(from)} to ${JSON.stringify(to)}`;
    this.violations.report('quorums overlap', detail);
  }

  private lastBefore(index: number): Configuration {
    const last = this.committed.configurations.findLast((each) => each.index < index);
    return last?.configuration ?? this.founding;
  }
}

/** Every quorum of the one meets every quorum of the other (Raft §6, thesis §4.1). */
export function overlaps(from: Configuration, to: Configuration): boolean {
  const wasJoint = from.outgoing.length > 0;
  const isJoint = to.outgoing.length > 0;
  if (wasJoint && isJoint) {
    return isSameSet(from.incoming, to.incoming) && isSameSet(from.outgoing, to.outgoing);
  }
  if (wasJoint) return isSameSet(from.incoming, to.incoming);
  if (isJoint) return isSameSet(from.incoming, to.outgoing);
  const added = to.incoming.filter((id) => !from.incoming.includes(id));
  const removed = from.incoming.filter((id) => !to.incoming.includes(id));
  return added.length + removed.length <= 1;
}

function isSameSet(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}
