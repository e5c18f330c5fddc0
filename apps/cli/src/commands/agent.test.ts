// What `agent install` and `uninstall` do to a root: everything, twice nothing, and back to what was there.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolverAddress } from '@skein/names';
import { install, uninstall, type InstallOptions } from './agent';

const home = new URL('../../../..', import.meta.url).pathname.replace(/\/$/, '');
const token = 'skein-join-4kz0w1qd-C7v-az1qqyWsepmPKnFnfIzXY6Xxy-dOqIZY_BtkGuo';

let folder: string;
let root: string;
let said: string;
const write = process.stdout.write.bind(process.stdout);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skein-install-'));
  root = join(folder, 'root');
  mkdirSync(root);
  writeFileSync(join(folder, 'join.creds'), 'creds\n');
  writeFileSync(join(folder, 'ca.pem'), 'authority\n');
  writeFileSync(
    join(folder, 'agent.env'),
    "SKEIN_GOSSIP_KEYS='a2V5'\nSKEIN_JOIN_TOKEN=skein-join-x-y\nSKEIN_VTEP=192.0.2.99\n",
  );
  said = '';
  process.stdout.write = ((text: string) => (said += text) !== '') as typeof process.stdout.write;
});

afterEach(() => {
  process.stdout.write = write;
  rmSync(folder, { recursive: true, force: true });
});

function installed(more: Partial<InstallOptions> = {}) {
  said = '';
  install({
    ...{ json: true, dryRun: false, root, home, start: true, docker: true, replace: false },
    ...{ hostId: 'h4', vtep: '192.0.2.4', nats: 'nats://n1:4222,nats://n2:4222', token },
    creds: join(folder, 'join.creds'),
    ca: join(folder, 'ca.pem'),
    settings: join(folder, 'agent.env'),
    labels: { zone: 'a' },
    ...more,
  });
  return JSON.parse(said) as { steps: { path: string; action: string }[]; commands: string[] };
}

function uninstalled(more: { dryRun?: boolean; purge?: boolean } = {}) {
  said = '';
  uninstall({ json: true, dryRun: false, purge: false, root, ...more });
  return JSON.parse(said) as { removed: string[]; left: { path: string; reason: string }[] };
}

const everything = (): string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort();
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const actions = ({ steps }: ReturnType<typeof installed>) => steps.map(({ action }) => action);

describe('agent install', () => {
  it('writes settings, credential, token and an enabled unit that starts before the engine', () => {
    const { commands } = installed();
    expect(everything()).toEqual([
      '/etc/skein/agent-installed.json',
      '/etc/skein/agent.env',
      '/etc/skein/ca.pem',
      '/etc/skein/join.creds',
      '/etc/systemd/system/multi-user.target.wants/skein-agent.service',
      '/etc/systemd/system/skein-agent.service',
      '/var/lib/skein-agent/join-token',
    ]);
    const unit = read('/etc/systemd/system/skein-agent.service');
    expect(unit).toMatch(/^Before=docker\.service$/m);
    expect(unit).toContain(`ExecStart=${process.execPath} `);
    expect(unit).toContain(`${home}/dist/host-agent.js`);
    expect(unit).not.toContain('/opt/skein');
    expect(
      readlinkSync(join(root, '/etc/systemd/system/multi-user.target.wants/skein-agent.service')),
    ).toBe('/etc/systemd/system/skein-agent.service');
    expect(read('/var/lib/skein-agent/join-token')).toBe(`${token}\n`);
    for (const path of ['agent.env', 'join.creds']) {
      expect(statSync(join(root, '/etc/skein', path)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(join(root, '/var/lib/skein-agent')).mode & 0o777).toBe(0o700);
    // In another root nothing is started.
    expect(commands).toEqual([]);
  });

  it('gives the agent its own settings before those of the authority, and no token among them', () => {
    installed();
    expect(read('/etc/skein/agent.env').split('\n')).toEqual([
      'SKEIN_HOST_ID=h4',
      'SKEIN_HOST_NAME=h4',
      'SKEIN_VTEP=192.0.2.4',
      'SKEIN_NATS_URL=nats://n1:4222,nats://n2:4222',
      'SKEIN_NATS_CA=/etc/skein/ca.pem',
      'SKEIN_STATE_DIR=/var/lib/skein-agent',
      'SKEIN_HOST_LABELS=zone=a',
      'SKEIN_DOCKER_SOCKET=/run/docker.sock',
      'SKEIN_PLUGIN_SOCKET=/run/docker/plugins/skein.sock',
      'SKEIN_HOST_RESOLVER=true',
      "SKEIN_GOSSIP_KEYS='a2V5'",
      '',
    ]);
    installed({ docker: false });
    expect(read('/etc/skein/agent.env')).not.toMatch(/DOCKER|PLUGIN|RESOLVER/);
  });

  it('writes nothing twice, and what differs once more', () => {
    expect(new Set(actions(installed()))).toEqual(new Set(['write']));
    expect(new Set(actions(installed()))).toEqual(new Set(['keep']));
    const again = installed({ vtep: '192.0.2.5' });
    expect(again.steps.filter(({ action }) => action !== 'keep')).toEqual([
      { path: '/etc/skein/agent.env', action: 'replace' },
    ]);
  });

  it('only says it with --dry-run', () => {
    expect(new Set(actions(installed({ dryRun: true })))).toEqual(new Set(['write']));
    expect(everything()).toEqual([]);
  });

  it('leaves what others wrote as it is, unless it is told otherwise', () => {
    mkdirSync(join(root, 'etc/skein'), { recursive: true });
    writeFileSync(join(root, 'etc/skein/agent.env'), 'SKEIN_HOST_ID=by-hand\n');
    expect(() => installed()).toThrow(expect.objectContaining({ code: 'file_differs' }));
    expect(everything()).toEqual(['/etc/skein/agent.env']);
    installed({ replace: true });
    expect(read('/etc/skein/agent.env')).toContain('SKEIN_HOST_ID=h4');
  });

  it.each([
    ['host-id', { hostId: 'a b' }],
    ['vtep', { vtep: 'nowhere' }],
    ['nats', { nats: 'n1' }],
    ['token', { token: 'secret' }],
    ['creds', { creds: '/no/such/file' }],
    ['SKEIN_HOST_LABELS', { labels: { zone: "a'b" } }],
  ])('names a wrong %s', (field, wrong) => {
    expect(() => installed(wrong)).toThrow(
      expect.objectContaining({ code: 'invalid_request', field }),
    );
    expect(everything()).toEqual([]);
  });
});

describe('agent uninstall', () => {
  it('takes back exactly what was installed', () => {
    installed();
    const { removed, left } = uninstalled();
    expect(removed).toHaveLength(7);
    expect(left).toEqual([]);
    expect(everything()).toEqual([]);
    expect(existsSync(join(root, 'etc/skein'))).toBe(false);
    expect(lstatSync(join(root, 'etc/systemd/system')).isDirectory()).toBe(true);
  });

  it('keeps and names what was changed by hand, what the host is, and what containers use', () => {
    installed();
    writeFileSync(join(root, '/etc/skein/agent.env'), 'SKEIN_HOST_ID=changed\n');
    writeFileSync(join(root, '/var/lib/skein-agent/host.nk'), 'key');
    mkdirSync(join(root, 'run/netns'), { recursive: true });
    writeFileSync(join(root, 'run/netns/skein-4096'), '');
    writeFileSync(join(root, 'run/netns/other'), '');
    const dry = uninstalled({ dryRun: true });
    expect(existsSync(join(root, '/etc/skein/ca.pem'))).toBe(true);
    const { left } = uninstalled();
    expect(left).toEqual(dry.left);
    expect(left.map(({ path }) => path)).toEqual([
      '/etc/skein/agent.env',
      '/var/lib/skein-agent/host.nk',
      '/run/netns/skein-4096',
    ]);
    expect(everything()).toEqual([
      '/etc/skein/agent.env',
      '/run/netns/other',
      '/run/netns/skein-4096',
      '/var/lib/skein-agent/host.nk',
    ]);
  });

  it('takes the identity too with --purge', () => {
    installed();
    writeFileSync(join(root, '/var/lib/skein-agent/host.nk'), 'key');
    expect(uninstalled({ purge: true }).removed).toContain('/var/lib/skein-agent');
    expect(everything()).toEqual([]);
  });

  it('does not guess where nothing was installed', () => {
    expect(() => uninstalled()).toThrow(expect.objectContaining({ code: 'agent_not_installed' }));
  });
});

describe('the guide', () => {
  it('names the address that resolvers have', () => {
    expect(readFileSync(join(home, 'docs/install.md'), 'utf8')).toContain(resolverAddress);
  });
});
