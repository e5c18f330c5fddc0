// Composition: from the agent's configuration to its identity. Without a folder for it the agent is to NATS who its
// environment says, as any other service.

import { hostInboxPrefix } from '@skein/authority';
import type { Logger } from '@skein/messaging';
import { credentialsOf, type CommonConfiguration, type Identity } from '@skein/service-boot';
import { systemTime } from '@skein/time';
import type { HostAgentConfig } from '../host-agent.config';
import { HostIdentity } from './host-identity';
import { IdentityFolder } from './identity-folder';
import { natsDoor } from './nats-door';

/** Resolves when there is a credential to connect with. */
export async function identify(
  { hostId, identityDir, joinToken }: HostAgentConfig,
  common: CommonConfiguration,
  logger: Logger,
): Promise<Identity | undefined> {
  const credentials = credentialsOf(common);
  if (identityDir === undefined || credentials === undefined) return undefined;
  const kept = IdentityFolder.open(identityDir);
  const { publicKey, seed } = kept;
  const { natsUrl: servers, natsCa: caFile } = common;
  const door = natsDoor({ servers, caFile, credentials, host: hostId, publicKey });
  const identity = new HostIdentity({ door, kept, joinToken, time: systemTime, logger });
  // Between two knocks nothing else keeps the process.
  const awake = setInterval(() => undefined, 60_000);
  await identity.obtain().finally(() => clearInterval(awake));
  return {
    credentials: { jwt: identity.jwt, seed },
    inboxPrefix: hostInboxPrefix(hostId),
    attend: (messenger) => identity.attend(() => void messenger.reconnect()),
  };
}
