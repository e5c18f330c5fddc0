// What the core tells of itself, as lines for an operator. Only translates.

import type { RaftTrace } from '@skein/raft';
import type { ServiceLogger } from '@skein/service-boot';

export function logTrace(logger: ServiceLogger, fact: RaftTrace): void {
  if (fact.kind === 'commitAdvanced' || fact.kind === 'voteAnswered') return;
  if (fact.kind === 'roleChanged') logger.info(fact, 'role changed');
  else if (fact.kind === 'diskStalled') logger.warn(fact, 'the disk stands still');
  else if (fact.kind === 'pastLost') logger.error(fact, pastLostMessage);
  else logger.debug(fact, 'raft');
}

const pastLostMessage =
  'the directory was empty, but the cluster knows this replica: it takes part once the leader has made it whole';
