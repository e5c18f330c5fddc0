// Whether the gateway could serve a request that needs the store: NATS is connected and a leader answers.

import { clusterStatusContract, SkeinError } from '@skein/contracts';
import type { Messenger } from '@skein/messaging';

const leaderTimeoutMs = 1_000;

export interface Readiness {
  readonly status: 'ready';
  readonly nats: 'connected';
  readonly leaderId: string;
  readonly revision: number;
}

/** Throws what is in the way. */
export async function checkReadiness(
  messenger: Pick<Messenger, 'request' | 'connected'>,
  requestId: string,
): Promise<Readiness> {
  if (!messenger.connected) throw new SkeinError('unavailable', 'NATS is not connected');
  const { leaderId, revision } = await messenger
    .request(clusterStatusContract, {}, { requestId, timeoutMs: leaderTimeoutMs })
    .catch((cause: unknown) => {
      throw new SkeinError('no_leader', 'No leader answers', { cause });
    });
  if (leaderId === null) throw new SkeinError('no_leader', 'No replica leads');
  return { status: 'ready', nats: 'connected', leaderId, revision };
}
