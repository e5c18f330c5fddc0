// The systemd units: systemd takes them, what they start is in the folder that is installed, and what they set is a setting.

import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { home } from '../support/skein-command';
import { describeWherePossible } from '../support/where-possible';

const units = join(home, 'deploy/systemd');
const services = ['consensus', 'ipam', 'registry', 'gateway'];
const lacking =
  spawnSync('systemd-analyze', ['--version']).status === 0 ? null : 'systemd-analyze is missing';

const text = readdirSync(units, { recursive: true })
  .map(String)
  .filter((file) => /\.(service|conf)$/.test(file))
  .map((file) => readFileSync(join(units, file), 'utf8'))
  .join('\n');

describeWherePossible(lacking, 'systemd', () => {
  it('takes every unit', () => {
    const folder = mkdtempSync(join(tmpdir(), 'skein-units-'));
    try {
      cpSync(units, folder, { recursive: true });
      // A template is verified by its instances; a link is one.
      for (const name of services) {
        cpSync(join(folder, 'skein@.service'), join(folder, `skein@${name}.service`));
      }
      const paths = [...services.map((name) => `skein@${name}.service`), 'skein-agent.service'];
      const verify = ['verify', '--man=no', ...paths.map((name) => join(folder, name))];
      const env = { PATH: process.env['PATH'] };
      const { status, stderr } = spawnSync('systemd-analyze', verify, { env });
      // Other units of the machine are loaded along, and have faults of their own.
      const ours = stderr
        .toString()
        .split('\n')
        .filter((line) => line.includes('skein'));
      expect({ ours, status }).toEqual({ ours: [], status: 0 });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('the units', () => {
  it('start what an installed folder has', () => {
    const started = [...text.matchAll(/\/opt\/skein\/dist\/([\w%-]+)\.js/g)].map(([, app]) => app);
    const apps = started.flatMap((app) => (app === '%i' ? services : [app ?? '']));
    expect(apps.length).toBeGreaterThanOrEqual(6);
    expect(apps.filter((app) => !existsSync(join(home, 'dist', `${app}.js`)))).toEqual([]);
  });

  it('give the agent no mounts of its own, which would hide its namespaces from the machine', () => {
    const agent = readFileSync(join(units, 'skein-agent.service'), 'utf8');
    expect(agent).not.toMatch(
      /^(Private|Protect(System|Home|Kernel|Control)|ReadOnlyPaths|TemporaryFile)/m,
    );
  });
});
