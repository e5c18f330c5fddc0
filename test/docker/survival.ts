// What machines go through while containers live on them: engines that restart without their containers, hosts that are started
// anew, an underlay that carries less; and networks of both address families. The tests build on each other.

import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { until } from '@skein/chaos';
import { engineCommand, enginePaths, lackingForEngines } from '@skein/docker-engines';
import { describeWherePossible } from '../support/where-possible';
import { DockerStack, type HostId } from './docker-stack';
import { ownEngine, type TestedEngine } from './tested-engine';

const timeoutMs = 120_000;

export function describeSurvival(title: string, engine: TestedEngine = ownEngine()): void {
  const lacking = engine.lacking ?? lackingForEngines(engine.path);
  describeWherePossible(lacking, title, () => survival(engine));
}

function survival({ path, major }: TestedEngine): void {
  let docker: DockerStack;

  beforeAll(async () => {
    docker = await DockerStack.start(path);
    await docker.network('web', '10.84.0.0/24');
  }, 180_000);

  afterAll(async () => {
    await docker?.stop();
  }, 60_000);

  const control = () => docker.stack.cluster.control;
  const addressOf = (host: HostId, name: string) => docker.addressOf(host, name, 'web');
  /** An engine finds what it left where its mounts are: with the containers that live on. */
  const restartBeside = async (host: HostId, pid: string) => {
    const { body } = await docker.stack.call('GET', '/v1/cluster');
    const { dataDir } = docker.stack.cluster.record;
    const programs = { unshare: 'unshare', mount: 'mount' };
    const cgroupParent = `/skein-${body.clusterId}`;
    const command = engineCommand({ dataDir, host, programs, cgroupParent });
    const script = [
      `shim=$(sed -n 's/^PPid:[[:space:]]*//p' /proc/${pid}/status)`,
      `rm -f ${enginePaths(dataDir, host).execRoot}/containerd/containerd.pid`,
      `exec nsenter --net=/run/netns/host-${host} --mount=/proc/$shim/ns/mnt -- "$@"`,
    ].join(' && ');
    const argv = ['sh', '-c', script, 'sh', ...command.slice(command.indexOf('dockerd'))];
    const running = control().call('run', { world: true, argv, tag: 'engine', timeoutMs: 600_000 });
    running.catch(() => undefined);
    const silent = await until(30_000, async () => {
      const { code, stderr } = await docker.engines[host].try('ps');
      return code === 0 ? [] : [stderr];
    });
    expect(silent).toEqual([]);
  };
  const holders = async () => (await docker.addresses('web')).toSorted();

  it(
    'a network of both families, by address and by name',
    async () => {
      const subnets = [{ cidr: '10.85.0.0/24' }, { cidr: 'fd00:85::/64' }];
      await docker.network('both', '10.85.0.0/24', { subnets });
      const on = ['--network', 'both'];
      await docker.run('h1', 'b1', ...on);
      await docker.run('h2', 'b2', ...on);
      await docker.run('h3', 'b3', ...on, '--ip', '10.85.0.77', '--ip6', 'fd00:85::77');
      const six = '{{(index .NetworkSettings.Networks "both").GlobalIPv6Address}}';
      const second = await docker.engines.h2.run('inspect', '-f', six, 'b2');
      expect(second).toMatch(/^fd00:85::/);
      expect(await docker.engines.h3.run('inspect', '-f', six, 'b3')).toBe('fd00:85::77');
      for (const address of [second, 'fd00:85::77', '10.85.0.77']) {
        expect(await docker.unreached('h1', 'b1', address)).toEqual([]);
      }
      expect(await docker.unreached('h1', 'b1', 'b2')).toEqual([]);
      const held = (await docker.endpoints('both')).map(({ addresses }) => addresses.length);
      expect(held).toEqual([2, 2, 2]);
      const taken = await docker.tryRun('h1', 'b4', ...on, '--ip6', 'fd00:85::77');
      expect(taken.stderr).toContain('address_taken');
      await docker.engines.h1.run('rm', '-f', 'b1', 'b4');
      await docker.engines.h2.run('rm', '-f', 'b2');
      await docker.engines.h3.run('rm', '-f', 'b3');
      expect(await until(30_000, async () => docker.addresses('both'))).toEqual([]);
    },
    timeoutMs,
  );

  // An engine before it wants an IPv4 subnet of each network.
  if ((major ?? 0) >= 28)
    it(
      'a network of IPv6 alone, by address and by name',
      async () => {
        await docker.network('six', 'fd00:86::/64');
        // The address at which all resolvers answer is one of IPv4.
        await docker.run('h1', 's1', '--network', 'six', '--dns', 'fd00:86::1');
        await docker.run('h2', 's2', '--network', 'six');
        const six = '{{(index .NetworkSettings.Networks "six").GlobalIPv6Address}}';
        const second = await docker.engines.h2.run('inspect', '-f', six, 's2');
        expect(second).toMatch(/^fd00:86::/);
        expect(await docker.unreached('h1', 's1', second)).toEqual([]);
        expect(await docker.unreached('h1', 's1', 's2')).toEqual([]);
        const held = (await docker.endpoints('six')).map(({ addresses }) => addresses.length);
        expect(held).toEqual([1, 1]);
        await docker.engines.h1.run('rm', '-f', 's1');
        await docker.engines.h2.run('rm', '-f', 's2');
        expect(await until(30_000, async () => docker.addresses('six'))).toEqual([]);
      },
      timeoutMs,
    );

  it(
    'an engine that restarts without them, and gives back what it has once they end',
    async () => {
      const { settings } = enginePaths(docker.stack.cluster.record.dataDir, 'h2');
      const known = JSON.parse(readFileSync(settings, 'utf8')) as object;
      await control().call('stop', { process: 'engine-h2' });
      writeFileSync(settings, JSON.stringify({ ...known, 'live-restore': true }));
      await control().call('start', { process: 'engine-h2' });
      await docker.run('h1', 'one', '--network', 'web');
      await docker.run('h2', 'two', '--network', 'web');
      const [one, two] = [await addressOf('h1', 'one'), await addressOf('h2', 'two')];
      expect(await docker.unreached('h1', 'one', two)).toEqual([]);
      const pid = await docker.engines.h2.run('inspect', '-f', '{{.State.Pid}}', 'two');
      await control().call('kill', { process: 'engine-h2' });
      expect(await docker.unreached('h1', 'one', two)).toEqual([]);
      await restartBeside('h2', pid);
      expect(await docker.engines.h2.run('inspect', '-f', '{{.State.Running}}', 'two')).toBe(
        'true',
      );
      expect(await addressOf('h2', 'two')).toBe(two);
      expect(await docker.unreached('h2', 'two', one)).toEqual([]);
      expect(await holders()).toEqual([one, two].toSorted());
      // Nobody gets what a container that lives has, and the engine knows what to give back.
      const taken = await docker.tryRun('h3', 'rival', '--network', 'web', '--ip', two);
      expect(taken.stderr).toContain('address_taken');
      await docker.engines.h3.run('rm', '-f', 'rival');
      await docker.engines.h2.run('rm', '-f', 'two');
      expect(
        await until(30_000, async () => (await holders()).filter((held) => held !== one)),
      ).toEqual([]);
    },
    timeoutMs,
  );

  it(
    'a host that is started anew: what it held is free, and what starts again is reached again',
    async () => {
      await docker.run('h3', 'three', '--network', 'web');
      const before = await addressOf('h3', 'three');
      expect(await docker.unreached('h1', 'one', before)).toEqual([]);
      await control().call('kill', { process: 'engine-h3' });
      await control().call('rebootHost', { host: 'h3' });
      await control().call('start', { process: 'agent-h3' });
      const kept = await until(60_000, async () =>
        (await docker.endpoints('web')).filter(({ host }) => host === 'h3').map(({ id }) => id),
      );
      expect(kept).toEqual([]);
      await docker.run('h1', 'heir', '--network', 'web', '--ip', before);
      await control().call('start', { process: 'engine-h3' });
      await docker.engines.h3.run('start', 'three');
      const after = await addressOf('h3', 'three');
      expect(after).not.toBe(before);
      expect(await docker.unreached('h1', 'one', after)).toEqual([]);
      expect(await docker.unreached('h3', 'three', before)).toEqual([]);
      const one = await addressOf('h1', 'one');
      expect(await holders()).toEqual([one, before, after].toSorted());
    },
    timeoutMs,
  );

  it(
    'an underlay that carries less: interfaces of running containers get what goes through',
    async () => {
      const mtuIn = async (host: HostId, name: string) => {
        const file = '/sys/class/net/eth0/mtu';
        return Number(await docker.engines[host].run('exec', name, 'cat', file));
      };
      expect(await mtuIn('h1', 'one')).toBe(1450);
      // A frame that is too large is lost, and nobody is told.
      const lossy = [
        'table inet lossy {',
        '  chain input { type filter hook input priority 0; udp dport 4789 meta length > 1400 drop; }',
        '}',
      ].join('\n');
      const argv = ['nft', lossy];
      expect((await control().call('run', { netns: 'host-h3', argv })).code).toBe(0);
      const wrong = await until(100_000, async () => {
        const found = [await mtuIn('h1', 'one'), await mtuIn('h3', 'three')];
        return found.filter((mtu) => mtu > 1350).map(String);
      });
      expect(wrong).toEqual([]);
      const three = await addressOf('h3', 'three');
      const full = ['exec', 'one', 'ping', '-c', '2', '-W', '2', '-s', '1300', three];
      expect((await docker.engines.h1.try(...full)).code).toBe(0);
    },
    2 * timeoutMs,
  );
}
