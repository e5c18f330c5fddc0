// The cluster's door over NATS: connects as the user `join`, asks once, leaves. What it may ask is told by that user's
// permissions: to join, and to renew.

import {
  joinContract,
  renewCredentialContract,
  SkeinError,
  type Contract,
  type ReplyOf,
  type RequestOf,
} from '@skein/contracts';
import { inboxPrefixOf } from '@skein/authority';
import { Messenger, type NatsCredentials } from '@skein/messaging';
import type { Door } from './host-identity';

export interface NatsDoorOptions {
  readonly servers: readonly string[];
  readonly caFile: string | undefined;
  readonly credentials: NatsCredentials;
  readonly host: string;
  readonly publicKey: string;
}

const timeoutMs = 2_000;

export function natsDoor({ host, publicKey, ...server }: NatsDoorOptions): Door {
  const knock = async <C extends Contract>(
    contract: C,
    body: RequestOf<C>,
  ): Promise<ReplyOf<C>> => {
    const settings = { ...server, name: `join-${host}`, connectTimeoutMs: timeoutMs };
    const messenger = await Messenger.connect({ ...settings, inboxPrefix: inboxPrefixOf('join') });
    try {
      return await messenger.request(contract, body, { timeoutMs, retryUnavailable: true });
    } finally {
      // Whether it closes in order changes nothing about the answer.
      await messenger.drain().catch((thrown: unknown) => SkeinError.from(thrown));
    }
  };
  return {
    join: (token) => knock(joinContract, { token, host, publicKey }),
    renew: () => knock(renewCredentialContract, { host, publicKey }),
  };
}
