// docker-compose up on a real engine: whole within a while, hosts that reach each other through their tunnels, a leader's
// container killed, hosts added, and nothing left at the end.

import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { until } from '@skein/chaos';
import { lackingForEngines } from '@skein/docker-engines';
import { machineSnapshot, type MachineSnapshot } from '../support/machine-snapshot';
import { home } from '../support/skein-command';
import { describeWherePossible } from '../support/where-possible';
import { ComposeProject } from './compose-project';

jest.setTimeout(300_000);

const lacking = lackingForEngines(undefined, ['docker-compose']);
const nameOfLeader = { m1: 'consensus-1', m2: 'consensus-2', m3: 'consensus-3' } as const;

describeWherePossible(lacking, 'docker-compose up', () => {
  let before: MachineSnapshot;
  let project: ComposeProject;

  /** Those that are not well. */
  const unwell = async (): Promise<string[]> =>
    (await project.containers())
      .filter(
        ({ service, health, state }) =>
          service !== 'init' && `${state} ${health}` !== 'running healthy',
      )
      .map(({ name, health, state }) => `${name} is ${state} ${health}`);

  const json = async (...args: readonly string[]) =>
    JSON.parse(await project.skein(...args, '--json'));

  /** A namespace on the nth host, attached; with the network's names. */
  async function attach(host: number, name: string): Promise<void> {
    const names = `mkdir -p /etc/netns/${name}; echo nameserver 10.0.0.1 > /etc/netns/${name}/resolv.conf`;
    await project.inside('agent', host, 'sh', '-c', `ip netns add ${name}; ${names}`);
    const where = ['--host', `agent-${host}`, '--netns', `/run/netns/${name}`];
    const { behind } = await json('attach', 'web', ...where, '--name', name);
    expect(behind).toEqual([]);
  }

  const ping = (host: number, from: string, to: string): Promise<string> =>
    project.inside('agent', host, 'ip', 'netns', 'exec', from, 'ping', '-c', '2', '-W', '5', to);

  beforeAll(async () => {
    before = machineSnapshot(home);
    project = await ComposeProject.prepare();
  });
  afterAll(() => project?.stop());

  it('brings everything up, and each is well', async () => {
    await project.compose('up', '-d');
    expect(await until(180_000, unwell)).toEqual([]);
    const services = (await project.containers()).map(({ service }) => service);
    expect(services.filter((name) => name === 'agent')).toHaveLength(3);
    expect(services).toHaveLength(15);
    const { members } = await json('cluster', 'status');
    expect(members).toHaveLength(3);
  });

  it('gives nobody more than it needs', async () => {
    const limits = await project.limits();
    expect([...limits.values()].every(({ isReadOnly }) => isReadOnly)).toBe(true);
    const { agent, ...others } = Object.fromEntries(limits);
    expect(new Set(Object.values(others).flatMap(({ adds }) => adds))).toEqual(new Set());
    expect(Object.values(others).every(({ user }) => user === '10001:0')).toBe(true);
    expect(agent?.adds.map((name) => name.replace('CAP_', '')).sort()).toEqual([
      'NET_ADMIN',
      'NET_BIND_SERVICE',
      'NET_RAW',
      'SYS_ADMIN',
    ]);
    const image = ['run', '--rm', '--entrypoint', 'find', 'skein'];
    const keys = await project.engine.client.run(
      ...image,
      '/authority',
      '/hand-out',
      '/keys',
      '-type',
      'f',
    );
    expect(keys).toBe('');
  });

  it('carries everything over TLS, each service as a user of its own', async () => {
    const users = new Set<string>();
    for (const server of ['nats-1', 'nats-2', 'nats-3']) {
      const ask = (path: string) =>
        project.inside(server, 1, 'wget', '-q', '-O', '-', `http://127.0.0.1:8222/${path}`);
      const { connections } = JSON.parse(await ask('connz?auth=1'));
      for (const { tls_version, name, name_tag } of connections) {
        expect({ name, tls_version }).toEqual({ name, tls_version: '1.3' });
        users.add(name_tag);
      }
      const { num_routes } = JSON.parse(await ask('routez'));
      expect(num_routes).toBeGreaterThanOrEqual(2);
    }
    expect([...users].sort()).toEqual(
      ['agent-1', 'agent-2', 'agent-3', 'consensus', 'gateway', 'ipam', 'registry'].sort(),
    );
  });

  it('attaches on two hosts, which reach each other by name', async () => {
    await json('network', 'create', 'web');
    await attach(1, 'aa');
    await attach(2, 'bb');
    expect(await ping(1, 'aa', 'bb')).toContain(' 0% packet loss');
    const matrix = until(60_000, async () => {
      const { findings } = await json('doctor');
      return findings.filter(({ state }: { state: string }) => state !== 'ok');
    });
    expect(await matrix).toEqual([]);
  });

  it("goes on when the leader's container is killed, and is whole again after the next up", async () => {
    const { leaderId } = await json('cluster', 'status');
    const leader = nameOfLeader[leaderId as keyof typeof nameOfLeader];
    await project.compose('kill', '-s', 'KILL', leader);
    expect(await ping(2, 'bb', 'aa')).toContain(' 0% packet loss');
    await attach(3, 'cc');
    expect(await ping(3, 'cc', 'aa')).toContain(' 0% packet loss');
    // Makes keys no second time, and a fourth host joins with the token of the first ones.
    await project.compose('up', '-d', '--scale', 'agent=4');
    expect(await until(180_000, unwell)).toEqual([]);
    const { hosts } = await json('host', 'list');
    const up = hosts.filter(({ state }: { state: string }) => state === 'up');
    expect(up.map(({ name }: { name: string }) => name).sort()).toEqual([
      'agent-1',
      'agent-2',
      'agent-3',
      'agent-4',
    ]);
    await attach(4, 'dd');
    expect(await ping(4, 'dd', 'aa')).toContain(' 0% packet loss');
  });

  it('leaves nothing after down', async () => {
    await project.compose('down', '-v');
    expect(await project.containers()).toEqual([]);
    const { client } = project.engine;
    expect(await client.run('volume', 'ls', '-q')).toBe('');
    const networks = await client.run('network', 'ls', '--format', '{{.Name}}');
    expect(networks.split('\n').sort()).toEqual(['bridge', 'host', 'none']);
    await project.stop();
    expect(machineSnapshot(home)).toEqual(before);
  });
});
