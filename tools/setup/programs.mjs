// The programs that a local cluster runs: taken from PATH, else unpacked under .skein/tools, where libs/local-cluster
// looks too. Nothing on the machine changes, and root is not needed.
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unpackDebianPackages } from './debian.mjs';
import { isFile, onPath, root, run, SetupError } from './process.mjs';

const tools = join(root, '.skein', 'tools');

/** A pinned release of nats-server, used where PATH has none: https://github.com/nats-io/nats-server/releases */
const natsRelease = {
  version: '2.10.29',
  sha256: {
    x64: ['amd64', 'e314da74a83a1d3876db8814c27eb990fe729640fd6452025b441bcede8390da'],
    arm64: ['arm64', 'da4b27942ecfb4c5f0c54553d2e7f470ddda9d7581cfe8131b351a0e223ed401'],
  },
};

const debian = (name) => [
  "Debian's package",
  async (temporary) => install(await unpackDebianPackages([name], temporary), name),
];

/** Of each: where it may be below .skein/tools, ways to get it, and what a person can do. */
export const programs = {
  'nats-server': {
    places: ['nats-server/nats-server', 'nats-server/usr/sbin/nats-server'],
    ways: [[`release ${natsRelease.version}`, fetchNatsRelease], debian('nats-server')],
    remedy: 'Install nats-server 2.9 or newer and run this again: https://nats.io/download',
  },
  ping: {
    places: ['iputils-ping/bin/ping', 'iputils-ping/usr/bin/ping'],
    ways: [debian('iputils-ping')],
    remedy: "Install your distribution's ping (iputils) and run this again.",
  },
  ip: {
    places: ['iproute2/bin/ip', 'iproute2/sbin/ip', 'iproute2/usr/bin/ip', 'iproute2/usr/sbin/ip'],
    ways: [debian('iproute2')],
    remedy: "Install your distribution's iproute2 and run this again.",
  },
  nft: {
    places: ['nftables/nft'],
    ways: [["Debian's packages", unpackNftables]],
    remedy: "Install your distribution's nftables and run this again.",
  },
  unshare: {
    places: [],
    ways: [],
    remedy: "Install your distribution's util-linux and run this again.",
  },
};

/** What a bench measures against: fetched when one asks for it, not by set-up. */
export const peerPrograms = {
  etcd: {
    places: ['etcd-server/usr/bin/etcd'],
    ways: [debian('etcd-server')],
    remedy: 'Install etcd 3.4 or newer and run this again: https://etcd.io/docs/latest/install/',
  },
  serf: {
    places: ['serf/usr/bin/serf'],
    ways: [debian('serf')],
    remedy: 'Install serf 0.9 or newer and run this again: https://github.com/hashicorp/serf',
  },
};

/**
 * Docker engines of other releases than the machine's, with their own containerd, docker and Compose, for tests on them: from the
 * release of Debian that has them. runc and docker-init are the machine's.
 */
export const enginePrograms = {
  'docker-26': engineOf('docker-26', 'trixie'),
  'docker-28': engineOf('docker-28', 'forky'),
};

function engineOf(name, suite) {
  const packages = ['docker.io', 'docker-cli', 'containerd', 'docker-compose'];
  const unpack = async (temporary) =>
    install(await unpackDebianPackages(packages, temporary, suite), name);
  return {
    places: [`${name}/usr/sbin/dockerd`],
    ways: [[`Debian's packages of ${suite}`, unpack]],
    remedy: 'Tests on this release of Docker are left out without it.',
  };
}

const known = { ...programs, ...peerPrograms, ...enginePrograms };

/** Path of the program, on PATH or unpacked; null if it is neither. */
export function found(name) {
  const unpacked = known[name].places.map((place) => join(tools, place));
  return onPath(name) ?? unpacked.find(isFile) ?? null;
}

/** Sees to it that the program is there; says from where. */
export async function provide(name, temporary) {
  const path = found(name);
  if (path !== null) return path.startsWith(`${tools}/`) ? 'unpacked earlier' : 'on PATH';
  const { ways, remedy } = known[name];
  const reasons = [];
  for (const [title, way] of ways) {
    try {
      await way(temporary);
      if (found(name) !== null) return title;
      reasons.push(`${title} does not hold it`);
    } catch (error) {
      reasons.push(`${title}: ${reasonOf(error)}`);
    }
  }
  const tried = reasons.length === 0 ? '' : ` (${reasons.join('; ')})`;
  throw new SetupError(`${name} is not on PATH and can't be fetched${tried}. ${remedy}`);
}

function reasonOf(error) {
  const lines = error.message.split('\n');
  return error.cause?.code ?? lines.find((line) => line.startsWith('E: ')) ?? lines[0];
}

/** Moves what is complete into its place at once: an interrupted set-up leaves no half of a program there. */
function install(folder, name) {
  mkdirSync(tools, { recursive: true });
  rmSync(join(tools, name), { recursive: true, force: true });
  renameSync(folder, join(tools, name));
}

const nftLibraries =
  'libnftables1 libnftnl11 libmnl0 libjansson4 libxtables12 libedit2 libbsd0 libmd0 libgmp10';
const nftScript = `#!/bin/sh
for folder in "\${0%/*}"/usr/lib/*-linux-gnu; do LD_LIBRARY_PATH=$folder; done
export LD_LIBRARY_PATH
exec "\${0%/*}/usr/sbin/nft" "$@"
`;

/** With the libraries that few machines have, and a script that finds them. */
async function unpackNftables(temporary) {
  const folder = await unpackDebianPackages(['nftables', ...nftLibraries.split(' ')], temporary);
  writeFileSync(join(folder, 'nft'), nftScript, { mode: 0o755 });
  install(folder, 'nftables');
}

async function fetchNatsRelease(temporary) {
  const [arch, sha256] = natsRelease.sha256[process.arch] ?? [];
  if (!arch) throw new SetupError(`none is pinned for ${process.arch}`);
  const name = `nats-server-v${natsRelease.version}-linux-${arch}`;
  const url = `https://github.com/nats-io/nats-server/releases/download/v${natsRelease.version}/${name}.tar.gz`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(60_000) });
  if (!answer.ok) throw new SetupError(`${url} answered ${answer.status}`);
  const archive = Buffer.from(await answer.arrayBuffer());
  const digest = createHash('sha256').update(archive).digest('hex');
  if (digest !== sha256) throw new SetupError(`${url} has checksum ${digest}, expected ${sha256}`);
  const folder = join(temporary, 'nats-release');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'nats.tar.gz'), archive);
  await run('tar', ['-xzf', join(folder, 'nats.tar.gz'), '-C', folder]);
  chmodSync(join(folder, name, 'nats-server'), 0o755);
  install(join(folder, name), 'nats-server');
}
