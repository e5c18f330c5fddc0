// skein agent install and uninstall: makes this machine a host, and takes back what that made. Asks no gateway. With `--root` it
// writes into another root and starts nothing.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { idSchema, joinTokenPattern, SkeinError } from '@skein/contracts';
import { parseAddress } from '@skein/ip';
import { resolverAddress } from '@skein/names';
import { Output } from '../output/output';
import {
  authorityPath,
  credsPath,
  joinTokenPath,
  manifestPath,
  planInstall,
  planUninstall,
  settingsPath,
  settingsText,
  stateDir,
  unitPath,
  unitText,
  wantedPath,
  type Found,
  type InstalledFile,
  type Manifest,
} from './agent-files';

interface Common {
  readonly json: boolean;
  readonly dryRun: boolean;
  readonly root: string;
}

export interface InstallOptions extends Common {
  /** Where the program is. */
  readonly home: string;
  readonly hostId: string;
  readonly vtep: string;
  readonly nats: string;
  readonly creds: string;
  readonly ca?: string | undefined;
  readonly settings?: string | undefined;
  readonly token?: string | undefined;
  readonly docker: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly replace: boolean;
  readonly start: boolean;
}

export interface UninstallOptions extends Common {
  /** Also its identity and its book. */
  readonly purge: boolean;
}

export function install(options: InstallOptions): void {
  const { json, dryRun, root, replace, start } = options;
  const out = new Output(json);
  const files = filesOf(options);
  const found = foundIn(root);
  const { steps, clashes, manifest } = planInstall(files, found, readManifest(found));
  if (clashes.length > 0 && !replace) {
    const message = `These differ and were not written by an installation; --replace overwrites them: ${clashes.join(', ')}`;
    throw new SkeinError('file_differs', message, { facts: { paths: clashes.join(',') } });
  }
  const isLive = root === '/';
  if (isLive && !dryRun) demandRoot();
  if (!dryRun) {
    mkdirSync(join(root, stateDir), { recursive: true, mode: 0o700 });
    for (const { path, action } of steps) {
      const file = files.find((each) => each.path === path);
      if (action !== 'keep' && file !== undefined) put(root, file);
    }
    const text = `${JSON.stringify(manifest, null, 2)}\n`;
    put(root, { path: manifestPath, mode: 0o600, text });
  }
  const commands = !isLive
    ? []
    : ['systemctl daemon-reload', ...(start ? ['systemctl restart skein-agent.service'] : [])];
  if (!dryRun) for (const command of commands) run(command);
  out.show({ dryRun, root, steps, commands }, () =>
    [
      ...steps.map(({ path, action }) => `${action.padEnd(8)}${path}`),
      ...commands.map((command) => `run     ${command}`),
      dryRun ? 'nothing was done' : `host ${options.hostId} is installed`,
      ...(options.docker
        ? [`for names across hosts, in /etc/docker/daemon.json: { "dns": ["${resolverAddress}"] }`]
        : []),
    ].join('\n'),
  );
}

export function uninstall({ json, dryRun, root, purge }: UninstallOptions): void {
  const out = new Output(json);
  const found = foundIn(root);
  if (found(manifestPath) === null) {
    throw new SkeinError(
      'agent_not_installed',
      `no agent was installed here: there is no ${manifestPath}`,
    );
  }
  const { remove, left } = planUninstall(readManifest(found), found);
  const isLive = root === '/';
  if (isLive && !dryRun) demandRoot();
  const commands = isLive ? ['systemctl stop skein-agent.service'] : [];
  const after = isLive ? ['systemctl daemon-reload'] : [];
  if (!dryRun) {
    for (const command of commands) run(command);
    for (const path of [...remove, manifestPath]) rmSync(join(root, path));
    if (purge) rmSync(join(root, stateDir), { recursive: true, force: true });
    for (const command of after) run(command);
    for (const folder of [stateDir, '/etc/skein']) removeEmpty(join(root, folder));
  }
  const removed = [...remove, manifestPath, ...(purge ? [stateDir] : [])];
  const stays = [...left, ...(purge ? [] : leftBehind(root, remove)), ...namespacesIn(root)];
  out.show({ dryRun, root, removed, left: stays, commands: [...commands, ...after] }, () =>
    [
      ...commands.map((command) => `run     ${command}`),
      ...removed.map((path) => `remove  ${path}`),
      ...after.map((command) => `run     ${command}`),
      ...stays.map(({ path, reason }) => `left    ${path}: ${reason}`),
      dryRun ? 'nothing was done' : 'uninstalled; `skein host remove` releases what the host holds',
    ].join('\n'),
  );
}

function filesOf(options: InstallOptions): InstalledFile[] {
  const { home, hostId, vtep, nats, creds, ca, settings, token, docker, labels } = options;
  if (!idSchema.safeParse(hostId).success) refuse('host-id', 'expected A–Z a–z 0–9 _ -');
  if (!parseAddress(vtep).ok) refuse('vtep', 'expected an IPv4 or IPv6 address');
  if (!/^(nats|tls):\/\/\S+$/.test(nats)) refuse('nats', 'expected nats://NAME:4222');
  if (token !== undefined && !joinTokenPattern.test(token)) {
    refuse('token', 'expected what `skein host token create` printed');
  }
  const template = read('home', join(home, 'deploy/systemd/skein-agent.service'));
  const choices = {
    ...{ hostId, vtep, labels },
    natsUrls: nats,
    hasAuthority: ca !== undefined,
    hasDocker: docker,
    settings: settings === undefined ? '' : read('settings', settings),
  };
  return [
    { path: credsPath, mode: 0o600, text: read('creds', creds) },
    ...(ca === undefined ? [] : [{ path: authorityPath, mode: 0o644, text: read('ca', ca) }]),
    { path: settingsPath, mode: 0o600, text: settingsText(choices) },
    ...(token === undefined ? [] : [{ path: joinTokenPath, mode: 0o600, text: `${token}\n` }]),
    {
      path: unitPath,
      mode: 0o644,
      text: unitText(template, { home: resolve(home), node: process.execPath }),
    },
    { path: wantedPath, mode: 0o777, link: unitPath, text: '' },
  ];
}

function refuse(field: string, message: string): never {
  throw new SkeinError('invalid_request', `Field '${field}': ${message}`, { field });
}

function read(field: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    return refuse(field, thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function foundIn(root: string): Found {
  return (path) => {
    const full = join(root, path);
    const stat = lstatSync(full, { throwIfNoEntry: false });
    if (stat === undefined) return null;
    if (stat.isSymbolicLink()) return { link: readlinkSync(full), text: '' };
    return { text: readFileSync(full, 'utf8') };
  };
}

function readManifest(found: Found): Manifest {
  const text = found(manifestPath)?.text;
  return text === undefined ? {} : (JSON.parse(text) as Manifest);
}

/** Whole or not at all, and never readable by more than it should be. */
function put(root: string, { path, mode, link, text }: InstalledFile): void {
  const full = join(root, path);
  const isSecret = path.startsWith('/etc/skein/');
  mkdirSync(dirname(full), { recursive: true, mode: isSecret ? 0o700 : 0o755 });
  const fresh = `${full}.new`;
  rmSync(fresh, { force: true });
  if (link === undefined) {
    writeFileSync(fresh, text, { mode });
    chmodSync(fresh, mode);
  } else symlinkSync(link, fresh);
  renameSync(fresh, full);
}

function demandRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new SkeinError('forbidden', 'root alone can change what this machine starts');
}

function run(command: string): void {
  const [program = '', ...args] = command.split(' ');
  try {
    execFileSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new SkeinError('unavailable', `${command}: ${message}`);
  }
}

function removeEmpty(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
}

/** What the agent made while it ran. */
function leftBehind(root: string, removed: readonly string[]) {
  const folder = join(root, stateDir);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names
    .map((name) => `${stateDir}/${name}`)
    .filter((path) => !removed.includes(path))
    .map((path) => ({ path, reason: "the host's identity and book; --purge takes them away" }));
}

/** Containers talk on in them. */
function namespacesIn(root: string) {
  const folder = join(root, '/run/netns');
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names
    .filter((name) => /^skein-\d+$/.test(name))
    .map((name) => ({
      path: `/run/netns/${name}`,
      reason: 'containers on it go on talking; `ip netns delete` ends it',
    }));
}
