// skein authority create: the keys of a cluster's authority on NATS, and all that is signed with them, as files. Runs on this
// machine alone and asks nobody.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  createAuthorityKeys,
  hostSigningOf,
  serverConfiguration,
  userCredentials,
  userNames,
  type AuthorityKeys,
} from '@skein/authority';
import { Output } from '../output/output';

/** Keys that are there are kept: it then signs everything anew, as after an upgrade. */
export async function create(folder: string, { json }: { readonly json: boolean }): Promise<void> {
  const out = new Output(json);
  const dir = resolve(folder);
  const keysPath = join(dir, 'keys.json');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const isNew = !existsSync(keysPath);
  const keys = isNew
    ? createAuthorityKeys()
    : (JSON.parse(readFileSync(keysPath, 'utf8')) as AuthorityKeys);
  const signing = hostSigningOf(keys, 0);
  const files: Record<string, string> = {
    'keys.json': `${JSON.stringify(keys, null, 2)}\n`,
    'nats-authority.conf': await serverConfiguration(keys),
    'hosts.nk': `${signing.seed}\n`,
    'registry.env': [
      `SKEIN_HOST_SIGNING_KEY=${join(dir, 'hosts.nk')}`,
      `SKEIN_NATS_ACCOUNT=${signing.account}`,
      '',
    ].join('\n'),
  };
  for (const user of userNames) files[`${user}.creds`] = await userCredentials(keys, user);
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(dir, name), text, { mode: 0o600 });
  }
  const written = { folder: dir, isNew, files: Object.keys(files) };
  out.show(
    written,
    () => `${isNew ? 'keys made' : 'keys kept'}, ${written.files.length} files in ${dir}`,
  );
}
