// Makes a clone usable: dependencies from the lock file, generated code, the build, and the programs that a local cluster
// runs. Uses only Node itself, so that it can start on a machine where nothing is installed. Every step is skipped when
// its result is there already.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname.replace(/\/$/, '');
const state = join(root, '.skein', 'setup');
const tools = join(root, '.skein', 'tools');
const minimumNode = [20, 19];
const isTerminal = process.stderr.isTTY === true;

/** A pinned release of nats-server, used where PATH has none: https://github.com/nats-io/nats-server/releases */
const natsRelease = {
  version: '2.10.29',
  sha256: {
    x64: ['amd64', 'e314da74a83a1d3876db8814c27eb990fe729640fd6452025b441bcede8390da'],
    arm64: ['arm64', 'da4b27942ecfb4c5f0c54553d2e7f470ddda9d7581cfe8131b351a0e223ed401'],
  },
};

class SetupError extends Error {}

function onPath(program) {
  const dirs = `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`.split(':');
  return dirs.map((dir) => join(dir, program)).find(isFile) ?? null;
}
const isFile = (path) => existsSync(path) && statSync(path).isFile();

/** Runs a command; its output is kept and shown only if it fails. */
function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...options,
    });
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      const text = Buffer.concat(output).toString();
      if (code === 0) resolve(text);
      else
        reject(
          new SetupError(`${command} ${args.join(' ')} ended with ${code}\n${text.slice(-4000)}`),
        );
    });
  });
}

/** One visible step: a line while it runs, its time when it is done. */
async function step(title, work) {
  const started = Date.now();
  let timer;
  if (isTerminal) {
    const frames = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
    let frame = 0;
    timer = setInterval(
      () => process.stderr.write(`\r${frames[frame++ % frames.length]} ${title}`),
      80,
    );
  }
  try {
    const note = await work();
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    process.stderr.write(
      `${isTerminal ? '\r' : ''}✔ ${title}${note ? `: ${note}` : ''} (${seconds} s)\n`,
    );
  } catch (error) {
    process.stderr.write(`${isTerminal ? '\r' : ''}✘ ${title}\n`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

function checkMachine() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < minimumNode[0] || (major === minimumNode[0] && minor < minimumNode[1])) {
    throw new SetupError(
      `Node ${process.versions.node} is too old: Skein needs ${minimumNode.join('.')} or newer.`,
    );
  }
  if (process.platform !== 'linux') {
    throw new SetupError(
      `Skein programs the Linux kernel; this is ${process.platform}. Run it on a Linux machine.`,
    );
  }
}

/** Debian's package unpacked under .skein/tools: nothing on the machine changes, no service starts, root is not needed. */
async function unpackDebianPackage(name) {
  if (!onPath('apt-get') || !onPath('dpkg-deb')) throw new SetupError('this is no Debian system');
  const work = mkdtempSync(join(tmpdir(), 'skein-apt-'));
  try {
    for (const path of ['lists/partial', 'cache/archives/partial'])
      mkdirSync(join(work, path), { recursive: true });
    const options = [
      '-o',
      `Dir::State::lists=${work}/lists`,
      '-o',
      `Dir::Cache=${work}/cache`,
      '-o',
      'Debug::NoLocking=1',
      '-o',
      'APT::Sandbox::User=',
    ];
    await run('apt-get', [...options, 'update']);
    await run('apt-get', [...options, 'download', name], { cwd: work });
    const archive = readdirSync(work).find((file) => file.endsWith('.deb'));
    const target = join(tools, name);
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    await run('dpkg-deb', ['-x', join(work, archive), target]);
    return target;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function fetchNatsRelease() {
  const [arch, sha256] = natsRelease.sha256[process.arch] ?? [];
  if (!arch) throw new SetupError(`no release is pinned for ${process.arch}`);
  const folder = `nats-server-v${natsRelease.version}-linux-${arch}`;
  const url = `https://github.com/nats-io/nats-server/releases/download/v${natsRelease.version}/${folder}.tar.gz`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(60_000) });
  if (!answer.ok) throw new SetupError(`${url} answered ${answer.status}`);
  const archive = Buffer.from(await answer.arrayBuffer());
  const digest = createHash('sha256').update(archive).digest('hex');
  if (digest !== sha256) throw new SetupError(`${url} has checksum ${digest}, expected ${sha256}`);
  const work = mkdtempSync(join(tmpdir(), 'skein-nats-'));
  try {
    writeFileSync(join(work, 'nats.tar.gz'), archive);
    await run('tar', ['-xzf', join(work, 'nats.tar.gz'), '-C', work]);
    mkdirSync(join(tools, 'nats-server'), { recursive: true });
    const target = join(tools, 'nats-server', 'nats-server');
    await run('cp', [join(work, folder, 'nats-server'), target]);
    chmodSync(target, 0o755);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Where a program of a local cluster may be, after PATH. libs/local-cluster looks in the same places. */
const places = {
  'nats-server': ['nats-server/nats-server', 'nats-server/usr/sbin/nats-server'],
  ping: ['iputils-ping/bin/ping', 'iputils-ping/usr/bin/ping'],
  ip: ['iproute2/bin/ip', 'iproute2/usr/bin/ip'],
};
const found = (program) =>
  onPath(program) ??
  places[program].map((place) => join(tools, place)).find((path) => existsSync(path)) ??
  null;

async function provide(program, ways, remedy) {
  if (found(program)) return found(program).startsWith(tools) ? 'unpacked earlier' : 'on PATH';
  const reasons = [];
  for (const [name, way] of Object.entries(ways)) {
    try {
      await way();
      if (found(program)) return name;
    } catch (error) {
      reasons.push(`${name}: ${error.cause?.code ?? error.message.split('\n')[0]}`);
    }
  }
  throw new SetupError(`${program} is missing (${reasons.join('; ')}). ${remedy}`);
}

async function installDependencies() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(process.versions.modules)
    .digest('hex');
  const marker = join(root, 'node_modules', '.skein-lock');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === lock) return null;
  await step('install dependencies from the lock file', async () => {
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  });
  return () => writeFileSync(marker, lock);
}

/** better-sqlite3 is the one native addon: a prebuilt binary where it can be had, else compiled. */
async function buildNativeAddon() {
  try {
    await run('npm', ['rebuild', 'better-sqlite3', '--loglevel=error']);
  } catch (error) {
    const missing = ['g++', 'make', 'python3'].filter((program) => !onPath(program));
    if (missing.length === 0) throw error;
    const packages = missing.join(' ');
    const remedy = `better-sqlite3 must be compiled here and ${packages} are missing: apt-get install ${packages}`;
    if (process.getuid() !== 0 || !onPath('apt-get')) throw new SetupError(remedy);
    await run('apt-get', ['update']);
    await run('apt-get', ['install', '-y', '--no-install-recommends', ...missing]);
    await run('npm', ['rebuild', 'better-sqlite3', '--loglevel=error']);
    return `installed ${packages} first`;
  }
}

/** One set-up at a time in a clone: the second waits for the first, and takes over from one that died. */
async function withLock(work) {
  const lock = join(state, 'lock');
  for (let waited = 0; ; waited += 200) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch {
      const holder = existsSync(lock) ? readFileSync(lock, 'utf8') : '';
      if (holder !== '' && !existsSync(`/proc/${holder}`)) rmSync(lock, { force: true });
      if (waited === 0)
        process.stderr.write(`… waiting for another set-up of this clone (pid ${holder})\n`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  const release = () => rmSync(lock, { force: true });
  process.on('exit', release);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
  await work();
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
  const installed = await installDependencies();
  await Promise.all([
    installed && step('compile the SQLite addon', buildNativeAddon),
    step('generate and build', build),
    step('nats-server', () =>
      provide(
        'nats-server',
        {
          [`release ${natsRelease.version}`]: fetchNatsRelease,
          "Debian's package": () => unpackDebianPackage('nats-server'),
        },
        'Install nats-server 2.9 or newer and run this again: https://nats.io/download',
      ),
    ),
    step('ping', () =>
      provide(
        'ping',
        {
          "Debian's package": () => unpackDebianPackage('iputils-ping'),
        },
        "Install your distribution's ping (iputils) and run this again.",
      ),
    ),
    step('ip', () =>
      provide(
        'ip',
        {
          "Debian's package": () => unpackDebianPackage('iproute2'),
        },
        "Install your distribution's iproute2 and run this again.",
      ),
    ),
  ]);
  installed?.();
  writeFileSync(join(state, 'done'), `${process.versions.node}\n`);
  utimesSync(join(state, 'done'), startedAt, startedAt);
}

try {
  checkMachine();
  mkdirSync(state, { recursive: true });
  await withLock(setUp);
} catch (error) {
  process.stderr.write(`error: ${error instanceof SetupError ? error.message : error.stack}\n`);
  process.exit(1);
}
