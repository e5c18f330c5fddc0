// What a cluster's authority keeps and what it hands out: its keys, and the files that are made of them. Knows which file holds
// what; where files lie and who reads them is not its matter.

import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  createAuthorityKeys,
  hostSigningOf,
  serverConfiguration,
  userCredentials,
  userNames,
  type AuthorityKeys,
} from '@skein/authority';
import {
  createCertificateAuthority,
  createServerCertificate,
  type CertificateAndKey,
} from '@skein/certificates';

/** All secrets of an authority; needed by nobody while the cluster runs. */
export interface Keys extends AuthorityKeys {
  /** Opens the gateway, as an admin. */
  readonly adminToken: string;
  readonly joinToken: { readonly id: string; readonly secret: string };
  /** Base64; seals the hosts' gossip. */
  readonly gossipKey: string;
  /** Signs the certificates of NATS servers. */
  readonly certificates: CertificateAndKey;
}

/**
 * `account`: what is signed with the old one, services and hosts alike, is nothing any more once NATS has the new one. Keys of single
 * users are not renewed: what was signed for the old ones would stay good.
 */
export const renewable = ['admin-token', 'join-token', 'account'] as const;
export type Renewable = (typeof renewable)[number];

export interface HandOut {
  readonly folder: string;
  readonly servers: readonly { readonly id: string; readonly names: readonly string[] }[];
  readonly joinToken: boolean;
  readonly nowMs: number;
}

/** A month's hosts: more than a Compose project or a data centre row has. */
const joinTokenUses = 1_000;
const joinTokenIdBytes = 6;

const secret = (): string => randomBytes(32).toString('base64url');
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Those that are known, what is missing or to be renewed made anew. */
export async function makeKeys(
  known: Partial<Keys>,
  renew: readonly Renewable[],
  nowMs: number,
): Promise<Keys> {
  const fresh = createAuthorityKeys();
  const kept = <Value>(what: Renewable, value: Value | undefined): Value | undefined =>
    renew.includes(what) ? undefined : value;
  return {
    operator: known.operator ?? fresh.operator,
    account: kept('account', known.account) ?? fresh.account,
    hosts: kept('account', known.hosts) ?? fresh.hosts,
    users: kept('account', known.users) ?? fresh.users,
    adminToken: kept('admin-token', known.adminToken) ?? secret(),
    joinToken: kept('join-token', known.joinToken) ?? {
      id: randomBytes(joinTokenIdBytes).toString('hex'),
      secret: secret(),
    },
    gossipKey: known.gossipKey ?? randomBytes(32).toString('base64'),
    certificates: known.certificates ?? (await createCertificateAuthority(nowMs)),
  };
}

/** By name. */
export async function authorityFiles(
  keys: Keys,
  handOut: HandOut,
): Promise<Record<string, string>> {
  const files: Record<string, string> = {
    'nats-authority.conf': await serverConfiguration(keys),
    'hosts.nk': `${keys.hosts}\n`,
    ...settingsFiles(keys, handOut),
  };
  for (const user of userNames) files[`${user}.creds`] = await userCredentials(keys, user);
  const { servers, nowMs } = handOut;
  if (servers.length > 0) files['ca.pem'] = keys.certificates.certificate;
  for (const { id: server, names } of servers) {
    const made = await createServerCertificate(keys.certificates, { names, nowMs });
    files[`${server}.pem`] = made.certificate;
    files[`${server}.key`] = made.key;
  }
  return files;
}

/** Settings of services and of who administers, such as systemd and a shell read. */
export function settingsFiles(
  keys: Keys,
  { folder, joinToken }: Pick<HandOut, 'folder' | 'joinToken'>,
): Record<string, string> {
  const { id, secret: joinSecret } = keys.joinToken;
  const admin = { name: 'authority', role: 'admin', token: digestOf(keys.adminToken) };
  const standing = { id, digest: digestOf(joinSecret), uses: joinTokenUses };
  return {
    'registry.env': lines(
      `SKEIN_HOST_SIGNING_KEY=${join(folder, 'hosts.nk')}`,
      `SKEIN_NATS_ACCOUNT=${hostSigningOf(keys, 0).account}`,
      ...(joinToken ? [`SKEIN_JOIN_TOKENS='${JSON.stringify([standing])}'`] : []),
    ),
    'gateway.env': lines(`SKEIN_TOKENS='${JSON.stringify([admin])}'`),
    'client.env': lines(`SKEIN_TOKEN=${keys.adminToken}`),
    'agent.env': lines(
      `SKEIN_GOSSIP_KEYS=${keys.gossipKey}`,
      ...(joinToken ? [`SKEIN_JOIN_TOKEN=skein-join-${id}-${joinSecret}`] : []),
    ),
  };
}

const lines = (...text: readonly string[]): string => `${text.join('\n')}\n`;
