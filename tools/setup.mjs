// Makes a clone usable: dependencies from the lock file, generated code, the build, and the programs that a local cluster
// runs. Uses only Node itself, so that it can start on a machine where nothing is installed. Every step is skipped when
// its result is there already; one that is interrupted is done again.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withLock } from './setup/lock.mjs';
import { onPath, root, run, SetupError, setupFolder, step } from './setup/process.mjs';
import { programs, provide } from './setup/programs.mjs';

const temporary = join(setupFolder, 'tmp');
const doneFile = join(setupFolder, 'done');

function checkMachine() {
  if (process.platform !== 'linux') {
    throw new SetupError(
      `Skein programs the Linux kernel; this is ${process.platform}. Run it on a Linux machine.`,
    );
  }
  if (onPath('npm') === null) {
    throw new SetupError(
      'npm is not on PATH. It comes with Node; some distributions package it apart.',
    );
  }
}

async function installDependencies() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const marker = join(root, 'node_modules', '.skein-lock');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === lock) return;
  await step('install dependencies from the lock file', async () => {
    const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
    const patience = ['--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000'];
    await run('npm', ['ci', '--ignore-scripts', ...quiet, ...patience]);
  });
  writeFileSync(marker, lock);
}

/** True if the addon is there, for this very Node. */
async function addonLoads() {
  const script = "new (require('better-sqlite3'))(':memory:').close()";
  try {
    await run(process.execPath, ['-e', script]);
    return true;
  } catch {
    return false;
  }
}

/** better-sqlite3 is the one native addon: a prebuilt binary where it can be had, else compiled. */
async function buildNativeAddon() {
  // Headers that came with Node save a download.
  const prefix = dirname(dirname(process.execPath));
  const hasHeaders = existsSync(join(prefix, 'include', 'node', 'node.h'));
  const env = {
    ...process.env,
    JOBS: 'max',
    ...(hasHeaders ? { npm_config_nodedir: prefix } : {}),
  };
  const rebuild = () => run('npm', ['rebuild', 'better-sqlite3', '--loglevel=error'], { env });
  try {
    await rebuild();
  } catch (error) {
    const missing = ['g++', 'make', 'python3'].filter((program) => !onPath(program));
    if (missing.length === 0) throw error;
    const packages = missing.join(' ');
    const remedy = `better-sqlite3 must be compiled here and ${packages} are missing: apt-get install ${packages}`;
    if (process.getuid() !== 0 || !onPath('apt-get')) throw new SetupError(remedy);
    await run('apt-get', ['update']);
    await run('apt-get', ['install', '-y', '--no-install-recommends', ...missing]);
    await rebuild();
    return `installed ${packages} first`;
  }
}

async function build() {
  const prismaEnv = {
    ...process.env,
    PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true',
    CHECKPOINT_DISABLE: '1',
  };
  await run('npx', ['--no-install', 'prisma', 'generate'], { env: prismaEnv });
  await run(process.execPath, ['tools/build.mjs']);
}

async function setUp() {
  const startedAt = new Date();
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  const steps = [
    ...Object.keys(programs).map((name) => step(name, () => provide(name, temporary))),
    installDependencies().then(async () => {
      const hasAddon = await addonLoads();
      const work = [step('generate and build', build)];
      if (!hasAddon) work.push(step('compile the SQLite addon', buildNativeAddon));
      await settled(work);
    }),
  ];
  await settled(steps);
  rmSync(temporary, { recursive: true, force: true });
  writeFileSync(doneFile, `${process.versions.node}\n`);
  utimesSync(doneFile, startedAt, startedAt);
}

/** Waits for all, so that one run tells everything that is missing; throws what failed. */
async function settled(work) {
  const results = await Promise.allSettled(work);
  const failed = results.filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
  if (failed.length === 1) throw failed[0];
  if (failed.length > 1) throw new SetupError(failed.map(describe).join('\nerror: '));
}

const describe = (error) => (error instanceof SetupError ? error.message : error.stack);

try {
  checkMachine();
  mkdirSync(setupFolder, { recursive: true });
  await withLock(join(setupFolder, 'lock'), doneFile, setUp);
} catch (error) {
  const message =
    error.code === 'EACCES' || error.code === 'EROFS'
      ? `${error.message}: set-up writes into the clone; run it as the clone's owner`
      : describe(error);
  process.stderr.write(`error: ${message}\n`);
  process.exit(1);
}
