// Real engines on the hosts of a local cluster: they run containers side by side, come back after kill -9, and leave nothing.

import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { until } from '@skein/chaos';
import { imageName, lackingForEngines } from '@skein/docker-engines';
import { machineSnapshot, type MachineSnapshot } from '../support/machine-snapshot';
import { home } from '../support/skein-command';
import { describeWherePossible } from '../support/where-possible';
import { DockerStack, hostIds } from './docker-stack';

describeWherePossible(lackingForEngines(), 'engines of a local cluster', () => {
  let before: MachineSnapshot;
  let docker: DockerStack;

  beforeAll(async () => {
    before = machineSnapshot(home);
    docker = await DockerStack.start();
  }, 120_000);

  afterAll(async () => {
    await docker?.stop();
  }, 60_000);

  it('each runs containers of its own', async () => {
    for (const host of hostIds) {
      const engine = docker.engines[host];
      await engine.run('run', '-d', '--init', '--name', 'same-name', imageName, 'sleep', '1000');
      expect(await engine.run('ps', '--format', '{{.Names}}')).toBe('same-name');
    }
  }, 60_000);

  it('one that is killed comes back with what it knew', async () => {
    const { control } = docker.stack.cluster;
    await control.call('kill', { process: 'engine-h1' });
    expect((await docker.engines.h1.try('ps')).code).not.toBe(0);
    expect((await docker.engines.h2.try('ps')).code).toBe(0);
    await control.call('start', { process: 'engine-h1' });
    expect(await docker.engines.h1.run('ps', '-a', '--format', '{{.Names}}')).toBe('same-name');
  }, 60_000);

  it('nothing is left of them', async () => {
    const groups = await docker.controlGroups();
    expect(groups).not.toEqual([]);
    await docker.stop();
    expect(await until(10_000, async () => groups.filter((group) => existsSync(group)))).toEqual(
      [],
    );
    expect(machineSnapshot(home)).toEqual(before);
  }, 60_000);

  it('nothing is left of them when their cluster is killed', async () => {
    docker = await DockerStack.start();
    await docker.engines.h2.run('run', '-d', imageName, 'sleep', '1000');
    const groups = await docker.controlGroups();
    process.kill(docker.stack.cluster.record.supervisor.pid, 'SIGKILL');
    expect(await until(10_000, async () => groups.filter((group) => existsSync(group)))).toEqual(
      [],
    );
    await docker.stop();
    expect(machineSnapshot(home)).toEqual(before);
  }, 120_000);
});
