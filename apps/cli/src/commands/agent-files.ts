// What an installed agent consists of on its host, as files and their text, and what is to be done about those that are there. Pure.

import { createHash } from 'node:crypto';
import { SkeinError } from '@skein/contracts';

export const unitPath = '/etc/systemd/system/skein-agent.service';
export const wantedPath = '/etc/systemd/system/multi-user.target.wants/skein-agent.service';
export const settingsPath = '/etc/skein/agent.env';
export const credsPath = '/etc/skein/join.creds';
export const authorityPath = '/etc/skein/ca.pem';
export const stateDir = '/var/lib/skein-agent';
export const joinTokenPath = `${stateDir}/join-token`;
/** What `install` wrote, so that `uninstall` takes back that and no more. */
export const manifestPath = '/etc/skein/agent-installed.json';
export const dockerSocket = '/run/docker.sock';
export const pluginSocket = '/run/docker/plugins/skein.sock';

export interface AgentChoices {
  readonly hostId: string;
  readonly vtep: string;
  readonly natsUrls: string;
  readonly hasAuthority: boolean;
  readonly hasDocker: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Lines of the authority's `agent.env`: the key that seals gossip. */
  readonly settings: string;
}

export interface InstalledFile {
  readonly path: string;
  readonly mode: number;
  /** Of a link: where it leads. */
  readonly link?: string;
  readonly text: string;
}

/** Values as systemd and a shell read them alike. */
export function settingsText(choices: AgentChoices): string {
  const { hostId, vtep, natsUrls, hasAuthority, hasDocker, labels, settings } = choices;
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const own: Record<string, string> = {
    SKEIN_HOST_ID: hostId,
    SKEIN_HOST_NAME: hostId,
    SKEIN_VTEP: vtep,
    SKEIN_NATS_URL: natsUrls,
    ...(hasAuthority ? { SKEIN_NATS_CA: authorityPath } : {}),
    SKEIN_STATE_DIR: stateDir,
    ...(pairs.length === 0 ? {} : { SKEIN_HOST_LABELS: pairs.join(',') }),
    ...(hasDocker
      ? {
          SKEIN_DOCKER_SOCKET: dockerSocket,
          SKEIN_PLUGIN_SOCKET: pluginSocket,
          SKEIN_HOST_RESOLVER: 'true',
        }
      : {}),
  };
  const others = settings
    .split('\n')
    .filter((line) => /^SKEIN_[A-Z_]+=/.test(line))
    .filter((line) => !Object.hasOwn(own, line.slice(0, line.indexOf('='))))
    // A token is used up once; it has a file of its own, which goes.
    .filter((line) => !line.startsWith('SKEIN_JOIN_TOKEN='));
  const lines = Object.entries(own).map(([name, value]) => `${name}=${quoted(name, value)}`);
  return `${[...lines, ...others].join('\n')}\n`;
}

function quoted(name: string, value: string): string {
  if (/^[\w./:,=@%+-]*$/.test(value)) return value;
  if (/^[^'\n\\]*$/.test(value)) return `'${value}'`;
  const message = `Field '${name}': no quotes, backslashes or line ends`;
  throw new SkeinError('invalid_request', message, { field: name });
}

/** Of the unit as it is delivered: where the program and its Node are on this machine. */
export function unitText(template: string, program: { home: string; node: string }): string {
  for (const path of [program.home, program.node]) {
    if (/^\/[\w./+-]+$/.test(path)) continue;
    throw new SkeinError('invalid_request', `systemd can't start what is in '${path}'`);
  }
  return template
    .replace(/^ExecStart=node /m, `ExecStart=${program.node} `)
    .replaceAll('/opt/skein/', `${program.home}/`);
}

/** By path: SHA-256 of what was written. */
export type Manifest = Readonly<Record<string, string>>;

export function digestOf({ link, text }: Pick<InstalledFile, 'link' | 'text'>): string {
  return createHash('sha256')
    .update(link === undefined ? text : `link ${link}`)
    .digest('hex');
}

/** Null: nothing is there. */
export type Found = (path: string) => Pick<InstalledFile, 'link' | 'text'> | null;

export interface InstallStep {
  readonly path: string;
  readonly action: 'write' | 'replace' | 'keep';
}

/** `clashes` are there, differ, and were not written by an installation. */
export function planInstall(
  files: readonly InstalledFile[],
  found: Found,
  manifest: Manifest,
): { readonly steps: InstallStep[]; readonly clashes: string[]; readonly manifest: Manifest } {
  const steps: InstallStep[] = [];
  const clashes: string[] = [];
  const written: Record<string, string> = { ...manifest };
  for (const file of files) {
    const { path } = file;
    const there = found(path);
    const isSame = there !== null && digestOf(there) === digestOf(file);
    if (isSame) {
      steps.push({ path, action: 'keep' });
      continue;
    }
    const isOurs = there !== null && manifest[path] === digestOf(there);
    if (there !== null && !isOurs) clashes.push(path);
    steps.push({ path, action: there === null ? 'write' : 'replace' });
    written[path] = digestOf(file);
  }
  return { steps, clashes, manifest: written };
}

export interface Uninstall {
  readonly remove: string[];
  readonly left: { readonly path: string; readonly reason: string }[];
}

export function planUninstall(manifest: Manifest, found: Found): Uninstall {
  const remove: string[] = [];
  const left: Uninstall['left'] = [];
  for (const [path, digest] of Object.entries(manifest)) {
    const there = found(path);
    if (there === null) continue;
    if (digestOf(there) === digest) remove.push(path);
    else left.push({ path, reason: 'changed since it was installed' });
  }
  return { remove, left };
}
