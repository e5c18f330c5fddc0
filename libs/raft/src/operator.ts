// What an operator may order against the rules of elections: a configuration after a quorum is lost for
// good, and a member that no longer waits for its leader. It must not know what is behind the order.
import { isPlain } from './configuration-change';
import { startCampaign } from './election';
import type { RaftNode } from './node';
import type { Configuration, ProposalId } from './types';

/**
 * Opens a new term with `configuration` and campaigns in it at once. The order also ends a recovery:
 * what this member has lost is lost.
 */
export function forceConfiguration(
  node: RaftNode,
  id: ProposalId | undefined,
  configuration: Configuration,
): void {
  const { leader, installing } = node;
  const isValid = isPlain(configuration) && configuration.incoming.includes(node.id);
  if (!isValid || installing !== null) {
    const code = isValid ? 'change_in_progress' : 'invalid_configuration';
    node.out.proposal({ id, accepted: false, code, leader });
    return;
  }
  node.recovery = null;
  startCampaign(node, true, configuration);
  node.out.proposal({ id, accepted: true, index: node.log.lastIndex, term: node.term });
}

/** The election timer goes on, so that the member's own campaign comes no earlier. */
export function forgetLeader(node: RaftNode): void {
  const areLeasesOn = node.config.leaseMs !== undefined;
  if (node.role !== 'follower' || node.leader === null || areLeasesOn) return;
  node.followerReads.rejectAll(node.out, null);
  node.leader = null;
  const { term } = node;
  node.out.trace({
    kind: 'roleChanged',
    role: 'follower',
    term,
    leader: null,
    reason: 'forgotten',
  });
}
