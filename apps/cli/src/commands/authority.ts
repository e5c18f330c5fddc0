// skein authority create: the keys of a cluster's authority on NATS, and all that is signed with them, as files. Runs on this
// machine alone and asks nobody.

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SkeinError } from '@skein/contracts';
import { Output } from '../output/output';
import { counted } from '../output/units';
import { authorityFiles, makeKeys, renewable, type Keys, type Renewable } from './authority-files';

export interface CreateOptions {
  readonly json: boolean;
  /** NATS servers that get a certificate: `nats-1`, or `nats-1=name,address` for one that is reached under several names. */
  readonly servers: readonly string[];
  /** Also a token with which any host may join, for as long as the registry has it in its settings. */
  readonly joinToken: boolean;
  readonly renew: readonly string[];
}

/** Keys that are there are kept, but for those to renew: it then signs everything anew, as after an upgrade. */
export async function create(folder: string, options: CreateOptions): Promise<void> {
  const out = new Output(options.json);
  const renew = options.renew.map(parseRenewable);
  const servers = options.servers.map(parseServer);
  const dir = resolve(folder);
  const keysPath = join(dir, 'keys.json');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const isNew = !existsSync(keysPath);
  const known = isNew ? {} : (JSON.parse(readFileSync(keysPath, 'utf8')) as Partial<Keys>);
  const nowMs = Date.now();
  const keys = await makeKeys(known, renew, nowMs);
  // First of all: what is signed with keys that are lost can never be renewed.
  write(keysPath, `${JSON.stringify(keys, null, 2)}\n`);
  const { joinToken } = options;
  const files = await authorityFiles(keys, { folder: dir, servers, joinToken, nowMs });
  for (const [name, text] of Object.entries(files)) write(join(dir, name), text);
  const written = {
    folder: dir,
    isNew,
    renewed: renew,
    files: ['keys.json', ...Object.keys(files)],
  };
  out.show(
    written,
    () =>
      `${isNew ? 'keys made' : 'keys kept'}, ${counted(written.files.length, 'file')} in ${dir}`,
  );
}

/** Whole or not at all: a server may be reading the one that is there. */
function write(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function parseRenewable(text: string): Renewable {
  const found = renewable.find((each) => each === text);
  if (found !== undefined) return found;
  throw new SkeinError('invalid_request', `Field 'renew': one of ${renewable.join(', ')}`, {
    field: 'renew',
  });
}

function parseServer(text: string): { readonly id: string; readonly names: readonly string[] } {
  const [, id = '', names = id] =
    /^([a-z0-9][a-z0-9-]{0,62})(?:=([\w.:,-]{1,1000}))?$/.exec(text) ?? [];
  if (id !== '') return { id, names: names.split(',') };
  throw new SkeinError('invalid_request', "Field 'server': as in nats-1 or nats-1=name,address", {
    field: 'server',
  });
}
