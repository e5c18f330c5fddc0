// The machine's part in letting hosts in: random secrets, digests, and signatures with the key that signs hosts. Knows no
// tokens and no store.

import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { signHost } from '@skein/authority';
import type { HostSigner } from '@skein/registry';
import type { Time } from '@skein/time';
import type { RegistryConfig } from '../registry.config';

const secretBytes = 32;

/** Undefined if the registry is given no key. Throws if the file is not there. */
export function hostSignerOf(
  config: RegistryConfig,
  time: Pick<Time, 'wallMs'>,
): HostSigner | undefined {
  const { hostSigningKey, natsAccount, credentialTtlMs: ttlMs } = config;
  if (hostSigningKey === undefined || natsAccount === undefined) return undefined;
  const seed = readFileSync(hostSigningKey, 'utf8').trim();
  const signing = { seed, account: natsAccount, ttlMs };
  return {
    newSecret: () => randomBytes(secretBytes).toString('base64url'),
    digest: (secret) => createHash('sha256').update(secret).digest('hex'),
    sign: async (host) => ({
      jwt: await signHost(signing, { ...host, nowMs: time.wallMs() }),
      ttlMs,
    }),
  };
}
