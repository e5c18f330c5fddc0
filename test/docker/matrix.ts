// Three Docker engines that know nothing of each other, and networks of the cluster on them: what people do with docker works across
// hosts, and what must be refused is. The tests build on each other: one cluster serves them all.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { until } from '@skein/chaos';
import { imageName, lackingForEngines } from '@skein/docker-engines';
import { describeWherePossible } from '../support/where-possible';
import { DockerStack, type HostId } from './docker-stack';
import { heldAmiss, hundredRuns, notReached } from './hundred-runs';
import { ownEngine, type TestedEngine } from './tested-engine';
import { capture } from './wire';

const web = '10.80.0.0/24';
const timeoutMs = 120_000;

export function describeMatrix(title: string, engine: TestedEngine = ownEngine()): void {
  const lacking = engine.lacking ?? lackingForEngines(engine.path, ['docker-compose', 'tcpdump']);
  describeWherePossible(lacking, title, () => matrix(engine));
}

function matrix({ path, major }: TestedEngine): void {
  let docker: DockerStack;
  let vni: number;

  beforeAll(async () => {
    docker = await DockerStack.start(path);
    ({ vni } = await docker.network('web', web));
  }, 180_000);

  afterAll(async () => {
    await docker?.stop();
  }, 60_000);

  const on = (...more: string[]) => ['--network', 'web', ...more];
  const gone = (address: string) =>
    until(30_000, async () => {
      const held = await docker.addresses('web');
      return held.includes(address) ? [`${address} is held still`] : [];
    });

  if (major !== null)
    it('the engines are of the release that is meant', async () => {
      for (const engine of Object.values(docker.engines)) {
        const version = await engine.run('version', '-f', '{{.Server.Version}}');
        expect(version).toMatch(new RegExp(`^${major}\\.`));
      }
    });

  it(
    'containers of two hosts reach each other',
    async () => {
      await docker.run('h1', 'one', ...on());
      await docker.run('h2', 'two', ...on());
      const one = await docker.addressOf('h1', 'one', 'web');
      const two = await docker.addressOf('h2', 'two', 'web');
      expect(one).toMatch(/^10\.80\.0\.\d+$/);
      expect(two).not.toBe(one);
      expect(await docker.unreached('h1', 'one', two)).toEqual([]);
      expect(await docker.unreached('h2', 'two', one)).toEqual([]);
      expect((await docker.addresses('web')).toSorted()).toEqual([one, two].toSorted());
    },
    timeoutMs,
  );

  it(
    'a container finds one of another host by its name and by its alias',
    async () => {
      await docker.run('h2', 'named', ...on('--network-alias', 'shop'));
      const address = await docker.addressOf('h2', 'named', 'web');
      for (const name of ['named', 'shop', 'named.web']) {
        const amiss = await until(30_000, async () => {
          const { stdout } = await docker.engines.h1.try('exec', 'one', 'nslookup', name);
          return stdout.includes(`Address: ${address}\n`) ? [] : [stdout];
        });
        expect(amiss).toEqual([]);
      }
      await docker.engines.h2.run('rm', '-f', 'named');
    },
    timeoutMs,
  );

  it(
    'the wire carries their VNI between the two hosts, and nothing to a third',
    async () => {
      const two = await docker.addressOf('h2', 'two', 'web');
      const ping = ['exec', 'one', 'ping', '-c', '5', '-i', '0.2', '-W', '2', two];
      const seen = await capture(docker, ['h2', 'h3'], async () => {
        await docker.engines.h1.run(...ping);
      });
      expect(seen.h2.vnis).toEqual([vni]);
      expect(seen.h2.packets).toBeGreaterThan(1);
      expect(seen.h3).toEqual({ vnis: [], packets: 0 });
    },
    timeoutMs,
  );

  it(
    'a container that is stopped gives its address back, and is reached again once it is started',
    async () => {
      const before = await docker.addressOf('h2', 'two', 'web');
      await docker.engines.h2.run('stop', '-t', '2', 'two');
      expect(await gone(before)).toEqual([]);
      await docker.engines.h2.run('start', 'two');
      const after = await docker.addressOf('h2', 'two', 'web');
      expect(await docker.unreached('h1', 'one', after)).toEqual([]);
    },
    timeoutMs,
  );

  it(
    'a container that runs is connected and disconnected',
    async () => {
      await docker.run('h3', 'three');
      await docker.engines.h3.run('network', 'connect', 'web', 'three');
      const three = await docker.addressOf('h3', 'three', 'web');
      expect(await docker.unreached('h1', 'one', three)).toEqual([]);
      await docker.engines.h3.run('network', 'disconnect', 'web', 'three');
      expect(await gone(three)).toEqual([]);
      await docker.engines.h3.run('rm', '-f', 'three');
    },
    timeoutMs,
  );

  it(
    'a wished address and MAC are given once, and refused to another host',
    async () => {
      const wished = ['--ip', '10.80.0.77', '--mac-address', '02:42:0a:50:00:4d'];
      await docker.run('h3', 'wished', ...on(...wished));
      const shown = await docker.engines.h3.run('exec', 'wished', 'ip', 'addr', 'show', 'eth0');
      expect(shown).toContain('10.80.0.77/24');
      expect(shown).toContain('02:42:0a:50:00:4d');
      expect(await docker.unreached('h1', 'one', '10.80.0.77')).toEqual([]);
      const second = await docker.tryRun('h1', 'second', ...on('--ip', '10.80.0.77'));
      expect(second.code).not.toBe(0);
      expect(second.stderr).toContain('address_taken');
      const sameMac = await docker.tryRun('h1', 'same-mac', ...on(...wished.slice(2)));
      expect(sameMac.code).not.toBe(0);
      await docker.engines.h1.try('rm', '-f', 'second', 'same-mac');
      await docker.engines.h3.run('rm', '-f', 'wished');
      expect(await gone('10.80.0.77')).toEqual([]);
    },
    timeoutMs,
  );

  it(
    'a port that is published is answered on the host, and the container is on the network all the same',
    async () => {
      const server = ['httpd', '-f', '-p', '80', '-h', '/etc'];
      const published = ['-p', '8088:80', ...on(), imageName];
      await docker.engines.h2.run(
        'run',
        '-d',
        '--init',
        '--name',
        'shown',
        ...published,
        ...server,
      );
      const shown = await docker.addressOf('h2', 'shown', 'web');
      expect(await docker.unreached('h1', 'one', shown)).toEqual([]);
      const { body: host } = await docker.stack.call('GET', '/v1/hosts/h2');
      const fetch = (at: string) => ['busybox', 'wget', '-q', '-O', '-', `http://${at}/hostname`];
      const own = await docker.engines.h2.run('exec', 'shown', 'cat', '/etc/hostname');
      const argv = fetch(`${host.vtep}:8088`);
      const answered = await docker.stack.cluster.control.call('run', { netns: 'host-h1', argv });
      expect([answered.code, answered.stdout.trim()]).toEqual([0, own]);
      expect(await docker.engines.h1.run('exec', 'one', ...fetch(shown).slice(1))).toBe(own);
      await docker.engines.h2.run('rm', '-f', 'shown');
      expect(await gone(shown)).toEqual([]);
    },
    timeoutMs,
  );

  // From 25 on, one run can name several networks, each with what is wished on it.
  if ((major ?? 0) >= 25)
    it(
      'a run with two networks has an address and a MAC of its own on each',
      async () => {
        await docker.network('more', '10.83.0.0/24');
        const web = 'name=web,ip=10.80.0.90,mac-address=02:42:0a:50:00:5a,alias=both';
        const more = 'name=more,ip=10.83.0.90,mac-address=02:42:0a:53:00:5a';
        await docker.run('h3', 'many', '--network', web, '--network', more);
        await docker.run('h1', 'other', '--network', 'more');
        const shown = await docker.engines.h3.run('exec', 'many', 'ip', 'addr');
        for (const each of [
          '10.80.0.90/24',
          '02:42:0a:50:00:5a',
          '10.83.0.90/24',
          '02:42:0a:53:00:5a',
        ])
          expect(shown).toContain(each);
        expect(await docker.unreached('h1', 'one', '10.80.0.90')).toEqual([]);
        expect(await docker.unreached('h1', 'one', 'both')).toEqual([]);
        expect(await docker.unreached('h1', 'other', '10.83.0.90')).toEqual([]);
        await docker.engines.h3.run('rm', '-f', 'many');
        await docker.engines.h1.run('rm', '-f', 'other');
        expect(await gone('10.80.0.90')).toEqual([]);
      },
      timeoutMs,
    );

  it(
    'a plain namespace and containers of compose are on the same network',
    async () => {
      const { netns } = await docker.stack.cluster.control.call('addContainer', { name: 'plain' });
      const made = await docker.stack.call('POST', '/v1/networks/web/endpoints', {
        host: 'h3',
        name: 'plain',
        sandbox: { netns },
      });
      expect(made.status).toBe(201);
      const plain = String(made.body.addresses[0]).split('/')[0] ?? '';
      expect(await docker.unreached('h1', 'one', plain)).toEqual([]);
      const folder = mkdtempSync(join(tmpdir(), 'skein-compose-'));
      const service = { image: imageName, command: 'sleep 86400', init: true, networks: ['web'] };
      const file = {
        version: '3.7',
        services: { app: service },
        networks: { web: { external: true } },
      };
      writeFileSync(join(folder, 'docker-compose.yml'), JSON.stringify(file));
      try {
        const up = await docker.engines.h2.compose(folder, '-p', 'shop', 'up', '-d');
        expect([up.code, up.stderr]).toEqual([0, expect.anything()]);
        // Compose 1 writes shop_app_1, Compose 2 shop-app-1.
        const container = await docker.engines.h2.run('ps', '-q', '--filter', 'name=shop.app.1');
        const app = await docker.addressOf('h2', container, 'web');
        expect(await docker.unreached('h1', 'one', app)).toEqual([]);
        const ping = ['ping', '-c', '1', '-W', '2', app];
        const from = await docker.stack.cluster.control.call('run', {
          container: 'plain',
          argv: ping,
        });
        expect(from.code).toBe(0);
        expect(
          (await docker.engines.h2.compose(folder, '-p', 'shop', 'down', '-t', '2')).code,
        ).toBe(0);
        expect(await gone(app)).toEqual([]);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
      await docker.stack.call('DELETE', '/v1/networks/web/endpoints/plain');
    },
    timeoutMs,
  );

  it(
    'an internal network has no way out, and one that is not attachable takes no container',
    async () => {
      await docker.network('vault', '10.81.0.0/24', { internal: true });
      await docker.run('h1', 'kept-in', '--network', 'vault');
      const routes = await docker.engines.h1.run('exec', 'kept-in', 'ip', 'route');
      expect(routes).toContain('10.81.0.0/24');
      expect(routes).not.toContain('default');
      await docker.engines.h1.run('rm', '-f', 'kept-in');
      await docker.network('closed', '10.82.0.0/24', { attachable: false });
      const made = await docker.object('h1', 'closed', '10.82.0.0/24');
      const ran = await docker.tryRun('h1', 'outside', '--network', 'closed');
      expect([made.code, ran.code]).not.toContain(0);
      expect(await docker.addresses('closed')).toEqual([]);
      await docker.engines.h1.try('rm', '-f', 'outside');
    },
    timeoutMs,
  );

  it(
    'an agent that is killed is not missed by containers, and serves the next after its return',
    async () => {
      const { control } = docker.stack.cluster;
      const two = await docker.addressOf('h2', 'two', 'web');
      await control.call('kill', { process: 'agent-h1' });
      expect(await docker.unreached('h1', 'one', two)).toEqual([]);
      await control.call('start', { process: 'agent-h1' });
      await docker.run('h1', 'after-agent', ...on());
      expect(await docker.unreached('h1', 'after-agent', two)).toEqual([]);
      await docker.engines.h1.run('rm', '-f', 'after-agent');
    },
    timeoutMs,
  );

  it(
    'an engine that is killed and started again releases what it had, and goes on',
    async () => {
      const { control } = docker.stack.cluster;
      const lost = await docker.addressOf('h2', 'two', 'web');
      await control.call('kill', { process: 'engine-h2' });
      await control.call('start', { process: 'engine-h2' });
      expect(await gone(lost)).toEqual([]);
      await docker.engines.h2.run('start', 'two');
      const two = await docker.addressOf('h2', 'two', 'web');
      expect(await docker.unreached('h1', 'one', two)).toEqual([]);
    },
    timeoutMs,
  );

  it(
    'a hundred runs with an engine and an agent killed meanwhile leave no address behind and none twice',
    async () => {
      const { control } = docker.stack.cluster;
      const again = (process: string) => async () => {
        await control.call('kill', { process });
        await control.call('start', { process });
      };
      const disturb = new Map([
        [25, again('engine-h2')],
        [60, again('agent-h1')],
      ]);
      const { succeeded, failed } = await hundredRuns(docker, 'web', disturb);
      expect(succeeded).toBeGreaterThan(50);
      expect(await heldAmiss(docker, 'web', failed)).toEqual([]);
      expect(await notReached(docker, 'web', { host: 'h1', name: 'one' })).toEqual([]);
    },
    3 * timeoutMs,
  );

  it(
    'nothing is held once all containers are gone, and the network can be deleted',
    async () => {
      await Promise.all(
        (['h1', 'h2', 'h3'] as HostId[]).map(async (host) => {
          const all = await docker.engines[host].run('ps', '-aq');
          if (all !== '') await docker.engines[host].run('rm', '-f', ...all.split('\n'));
        }),
      );
      // What could not be released at once is found half a minute later, when the agents look for it.
      const left = await until(150_000, async () => docker.addresses('web'));
      expect(left).toEqual([]);
      const prefixed = async () => {
        const { names } = await docker.stack.cluster.control.call('netnsList', {});
        return names.filter((name) => name.startsWith('sk-'));
      };
      expect(await until(30_000, prefixed)).toEqual([]);
      expect((await docker.stack.call('DELETE', '/v1/networks/web')).status).toBeLessThan(300);
    },
    3 * timeoutMs,
  );
}
