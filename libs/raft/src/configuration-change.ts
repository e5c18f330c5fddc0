// The arithmetic of changes of members: from a configuration and a wish to the next configuration
// (Raft §6, thesis §4). Pure; it must not know logs, leaders or whether the moment is right.
import type { Configuration, ConfigurationChange, NodeId } from './types';

export type ChangeResult =
  | { readonly configuration: Configuration }
  | { readonly code: 'invalid_configuration' | 'change_in_progress' };

const MAX_NAME_BYTES = 255;
const MAX_MEMBERS = 255;

export function isJoint(configuration: Configuration): boolean {
  return configuration.outgoing.length > 0;
}

/** What `change` makes of `current`. Repeating a change gives the same configuration again. */
export function nextConfiguration(
  current: Configuration,
  change: ConfigurationChange,
): ChangeResult {
  if (change.kind === 'leave') {
    if (!isJoint(current)) return { code: 'invalid_configuration' };
    return { configuration: leaveJoint(current) };
  }
  const { voters, learners, mode = 'auto' } = change;
  if (!areMembers(voters, learners)) return { code: 'invalid_configuration' };
  // A joint configuration is left before anything else changes: a third majority would be needed.
  if (isJoint(current)) return { code: 'change_in_progress' };
  const isOneStep = mode === 'auto' && countChanges(current.incoming, voters) <= 1;
  return {
    configuration: isOneStep
      ? { incoming: sorted(voters), outgoing: [], learners: sorted(learners) }
      : enterJoint(current, voters, learners, mode !== 'explicit'),
  };
}

/** Whether `configuration` may be forced: plain, with a voter, no name twice. */
export function isPlain({ incoming, outgoing, learners }: Configuration): boolean {
  return outgoing.length === 0 && areMembers(incoming, learners);
}

function areMembers(voters: readonly NodeId[], learners: readonly NodeId[]): boolean {
  const all = [...voters, ...learners];
  if (voters.length === 0 || all.length > MAX_MEMBERS) return false;
  return new Set(all).size === all.length && all.every(isName);
}

function isName(id: NodeId): boolean {
  return id.length > 0 && new TextEncoder().encode(id).length <= MAX_NAME_BYTES;
}

/** Voters that come and voters that go. One step may change one: then all majorities meet. */
function countChanges(before: readonly NodeId[], after: readonly NodeId[]): number {
  const added = after.filter((id) => !before.includes(id)).length;
  const removed = before.filter((id) => !after.includes(id)).length;
  return added + removed;
}

/** Who still votes in `outgoing` must not be a learner yet: it waits in `learnersNext`. */
function enterJoint(
  current: Configuration,
  voters: readonly NodeId[],
  learners: readonly NodeId[],
  autoLeave: boolean,
): Configuration {
  const outgoing = sorted(current.incoming);
  const learnersNext = sorted(learners.filter((id) => outgoing.includes(id)));
  return {
    incoming: sorted(voters),
    outgoing,
    learners: sorted(learners.filter((id) => !outgoing.includes(id))),
    ...(learnersNext.length > 0 ? { learnersNext } : null),
    ...(autoLeave ? { autoLeave } : null),
  };
}

export function leaveJoint({
  incoming,
  learners,
  learnersNext = [],
}: Configuration): Configuration {
  return { incoming, outgoing: [], learners: sorted([...learners, ...learnersNext]) };
}

function sorted(ids: readonly NodeId[]): NodeId[] {
  return [...new Set(ids)].sort();
}
