// What a local cluster's NATS server and its users read: the server's configuration and a credentials file a user, all signed
// anew from the layout's keys. What each user may do is libs/authority's matter.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  hostSigningOf,
  serverConfiguration,
  userCredentials,
  userNames,
  type UserName,
} from '@skein/authority';
import type { LocalLayout } from './layout';

const keysDir = (dataDir: string): string => join(dataDir, 'keys');

export const credentialsFile = (dataDir: string, user: UserName): string =>
  join(keysDir(dataDir), `${user}.creds`);
/** Seed of the key that signs hosts. */
export const hostSigningKeyFile = (dataDir: string): string => join(keysDir(dataDir), 'hosts.nk');
export const natsConfigurationFile = (dataDir: string): string => join(dataDir, 'nats.conf');

/** Writes all of them; only their owner can read them. */
export async function writeNatsFiles(
  layout: LocalLayout,
  dataDir: string,
  port: number,
): Promise<void> {
  const { authority, clusterId } = layout;
  mkdirSync(keysDir(dataDir), { recursive: true, mode: 0o700 });
  const write = (path: string, text: string) => writeFileSync(path, text, { mode: 0o600 });
  for (const user of userNames) {
    write(credentialsFile(dataDir, user), await userCredentials(authority, user));
  }
  write(hostSigningKeyFile(dataDir), `${hostSigningOf(authority, 0).seed}\n`);
  const lines = [
    `server_name: ${clusterId}`,
    `listen: "0.0.0.0:${port}"`,
    'max_payload: 4MB',
    'write_deadline: "5s"',
    await serverConfiguration(authority),
  ];
  write(natsConfigurationFile(dataDir), lines.join('\n'));
}
