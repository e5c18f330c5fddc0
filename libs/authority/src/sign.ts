// Turns keys and permissions into what nats-server checks by itself: JWTs of operator, account and users (NATS ADR-14). The
// key that signs hosts is scoped: the server gives whoever it signs a host's permissions, whatever the JWT says.

import {
  encodeAccount,
  encodeOperator,
  encodeUser,
  fmtCreds,
  newScopedSigner,
  type UserPermissionsLimits,
} from '@nats-io/jwt';
import { fromPublic } from '@nats-io/nkeys';
import { pairOf, userKeyOf, type AuthorityKeys } from './keys';
import { hostPermissions, userPermissions, type Permissions, type UserName } from './permissions';

const unlimited = -1;
const nanosPerMs = 1_000_000;

function limitsOf(permissions: Permissions): Partial<UserPermissionsLimits> {
  const { publish, subscribe, answerWithinMs } = permissions;
  const lists = ({ allow, deny }: { allow: readonly string[]; deny?: readonly string[] }) => ({
    allow: [...allow],
    deny: [...(deny ?? [])],
  });
  return {
    data: unlimited,
    payload: permissions.maxPayloadBytes ?? unlimited,
    subs: permissions.maxSubscriptions ?? unlimited,
    ...(publish === undefined ? {} : { pub: lists(publish) }),
    ...(subscribe === undefined ? {} : { sub: lists(subscribe) }),
    ...(answerWithinMs === undefined ? {} : { resp: { max: 1, ttl: answerWithinMs * nanosPerMs } }),
  };
}

/** What a nats-server's configuration needs to know whom this authority has signed. */
export async function serverConfiguration(keys: AuthorityKeys): Promise<string> {
  const operator = pairOf(keys.operator);
  const account = pairOf(keys.account);
  const hosts = newScopedSigner(pairOf(keys.hosts), 'host', limitsOf(hostPermissions));
  const limits = {
    subs: unlimited,
    conn: unlimited,
    leaf: unlimited,
    imports: unlimited,
    exports: unlimited,
    data: unlimited,
    payload: unlimited,
    wildcards: true,
  };
  const signed = { signer: operator };
  const claims = { limits, signing_keys: [hosts] };
  return [
    `operator: ${await encodeOperator('skein', operator)}`,
    'resolver: MEMORY',
    `resolver_preload: { ${account.getPublicKey()}: ${await encodeAccount('skein', account, claims, signed)} }`,
    '',
  ].join('\n');
}

/** The credentials file of a service, of people, or of those who want to join. Never expires. */
export async function userCredentials(keys: AuthorityKeys, name: UserName): Promise<string> {
  const user = pairOf(keys.users[name]);
  const limits = limitsOf(userPermissions[name]);
  const jwt = await encodeUser(name, user, pairOf(keys.account), limits);
  return new TextDecoder().decode(fmtCreds(jwt, user));
}

export interface HostSigning {
  /** Seed of the key that signs hosts. */
  readonly seed: string;
  /** Public key of the account that hosts are users of. */
  readonly account: string;
  readonly ttlMs: number;
}

export const hostSigningOf = (keys: AuthorityKeys, ttlMs: number): HostSigning => ({
  seed: keys.hosts,
  account: pairOf(keys.account).getPublicKey(),
  ttlMs,
});

/** A host's credential: of use with the seed of `publicKey`, from `nowMs` (wall clock) on for the signing's time. */
export function signHost(
  { seed, account, ttlMs }: HostSigning,
  host: { readonly id: string; readonly publicKey: string; readonly nowMs: number },
): Promise<string> {
  const exp = Math.ceil((host.nowMs + ttlMs) / 1_000);
  const options = { signer: pairOf(seed), scopedUser: true, exp };
  return encodeUser(host.id, userKeyOf(host.publicKey), fromPublic(account), {}, options);
}
