// The keys of a cluster's authority on NATS: operator, account, the key that signs hosts, and one key a user. Whoever holds a
// seed can do what that key may do; they belong in files that only their owner reads.

import {
  createAccount,
  createOperator,
  createUser,
  fromPublic,
  fromSeed,
  type KeyPair,
} from '@nats-io/nkeys';
import { SkeinError } from '@skein/contracts';
import { userNames, type UserName } from './permissions';

export interface AuthorityKeys {
  /** Signs the account; needed by nobody while the cluster runs. */
  readonly operator: string;
  /** Signs services and people; needed by nobody while the cluster runs. */
  readonly account: string;
  /** The registry's: can sign hosts, with a host's permissions, and nothing else. */
  readonly hosts: string;
  readonly users: Readonly<Record<UserName, string>>;
}

const text = new TextDecoder();
const bytes = new TextEncoder();

export const seedOf = (pair: KeyPair): string => text.decode(pair.getSeed());
export const pairOf = (seed: string): KeyPair => fromSeed(bytes.encode(seed.trim()));

export function createAuthorityKeys(): AuthorityKeys {
  const users = userNames.map((name) => [name, seedOf(createUser())] as const);
  return {
    operator: seedOf(createOperator()),
    account: seedOf(createAccount()),
    hosts: seedOf(createAccount()),
    users: Object.fromEntries(users) as Record<UserName, string>,
  };
}

/** A host's own key, made on the host. */
export function createHostKey(): { readonly seed: Uint8Array; readonly publicKey: string } {
  const pair = createUser();
  return { seed: pair.getSeed(), publicKey: pair.getPublicKey() };
}

export function publicKeyOf(seed: Uint8Array): string {
  return fromSeed(seed).getPublicKey();
}

/** Throws `invalid_request` for text whose checksum is wrong. */
export function userKeyOf(publicKey: string): KeyPair {
  try {
    return fromPublic(publicKey);
  } catch (cause) {
    throw new SkeinError('invalid_request', "Field 'publicKey': its checksum is wrong", {
      field: 'publicKey',
      cause,
    });
  }
}
