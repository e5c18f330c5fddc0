// Debian's packages, unpacked into a folder: nothing on the machine changes, and apt checks their signatures as always.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onPath, run, SetupError } from './process.mjs';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const lists = new Map();

/** Options that keep all of apt's state in a folder of ours; the lists of each release are fetched once. */
function aptOptions(temporary, suite) {
  const fetched = lists.get(suite) ?? fetchLists(temporary, suite);
  lists.set(suite, fetched);
  return fetched;
}

async function fetchLists(temporary, suite) {
  const work = join(temporary, `apt-${suite ?? 'own'}`);
  for (const path of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(join(work, path), { recursive: true });
  const sources = suite === undefined ? [] : await sourcesOf(suite, work);
  const settings = [
    `Dir::State::lists=${work}/lists`,
    `Dir::Cache=${work}/cache`,
    'Debug::NoLocking=1',
    'APT::Sandbox::User=',
    'Acquire::Retries=0',
    ...sources,
  ];
  const options = settings.flatMap((setting) => ['-o', setting]);
  await run('apt-get', [...options, '--error-on=any', 'update']);
  return options;
}

/** Another release of Debian, from where this machine gets its own. */
async function sourcesOf(suite, work) {
  const targets = ['Created-By: Packages', 'Label: Debian', 'Component: main'];
  const uris = await run('apt-get', ['indextargets', '--format', '$(REPO_URI)', ...targets]);
  const [uri] = uris.split('\n');
  if (uri === '') throw new SetupError("apt knows no place of Debian's packages: apt-get update");
  writeFileSync(join(work, 'sources.list'), `deb [signed-by=${keyring}] ${uri} ${suite} main\n`);
  mkdirSync(join(work, 'parts'));
  return [
    `Dir::Etc::sourcelist=${work}/sources.list`,
    `Dir::Etc::sourceparts=${work}/parts`,
    // What is installed here is of another release, and says nothing of what to fetch.
    'Dir::State::status=/dev/null',
  ];
}

/** Answers the folder that holds all of them together; of the machine's own release if no other is named. */
export async function unpackDebianPackages(names, temporary, suite) {
  if (!onPath('apt-get') || !onPath('dpkg-deb')) throw new SetupError('this is no Debian system');
  const options = await aptOptions(temporary, suite);
  const folder = join(temporary, names[0]);
  mkdirSync(folder, { recursive: true });
  await run('apt-get', [...options, 'download', ...names], { cwd: folder });
  for (const archive of readdirSync(folder).filter((file) => file.endsWith('.deb'))) {
    await run('dpkg-deb', ['-x', join(folder, archive), join(folder, 'unpacked')]);
  }
  return join(folder, 'unpacked');
}
