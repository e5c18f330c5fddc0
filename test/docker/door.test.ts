// The Docker door on real engines: containers of plain `docker run` on networks that span hosts, with addresses that are held once in
// the cluster and names that every host knows; and nothing left of them, whatever ended them.

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { until } from '@skein/chaos';
import { imageName, lackingForEngines } from '@skein/docker-engines';
import { Client } from 'undici';
import { describeWherePossible } from '../support/where-possible';
import { DockerStack, hostIds, type HostId } from './docker-stack';

interface Endpoint {
  readonly id: string;
  readonly name: string;
  readonly aliases: string[];
  readonly service?: string;
  readonly host: string;
  readonly addresses: string[];
  readonly mac: string;
}

describeWherePossible(lackingForEngines(), 'the Docker door', () => {
  let docker: DockerStack;

  const engine = (host: HostId) => docker.engines[host];
  const run = (host: HostId, ...args: string[]) =>
    engine(host).run('run', '-d', '--init', ...args, imageName, 'sleep', '1000');
  const endpoints = async (network: string): Promise<Endpoint[]> => {
    const { body } = await docker.stack.call('GET', `/v1/networks/${network}/endpoints`);
    return body.endpoints;
  };
  const create = async (body: object): Promise<void> => {
    const { status } = await docker.stack.call('POST', '/v1/networks', body);
    expect(status).toBe(201);
  };
  /** Empty once the engines of these hosts have the network object. */
  const lacking = (hosts: readonly HostId[], network: string) =>
    until(15_000, async () => {
      const found = await Promise.all(
        hosts.map(async (host) => ({
          host,
          ...(await engine(host).try('network', 'inspect', network)),
        })),
      );
      return found.filter(({ code }) => code !== 0).map(({ host }) => host);
    });
  const reaches = async (host: HostId, container: string, address: string): Promise<boolean> => {
    const ping = ['ping', '-c', '1', '-W', '2', address];
    return (await engine(host).try('exec', container, ...ping)).code === 0;
  };
  /** By the engine's API: today's command asks engines of its own day only. Answers the refusal, if there was one. */
  const started = async (host: HostId, name: string, mac: string): Promise<string> => {
    const api = new Client('http://docker', { socketPath: engine(host).socket });
    const headers = { 'content-type': 'application/json' };
    const post = async (path: string, body?: object): Promise<string> => {
      const answer = await api.request({
        ...{
          method: 'POST',
          path,
          headers,
          body: body === undefined ? null : JSON.stringify(body),
        },
      });
      const text = await answer.body.text();
      return answer.statusCode < 300 ? '' : text;
    };
    const Cmd = ['sleep', '1000'];
    const spec = { Image: imageName, Cmd, MacAddress: mac, HostConfig: { NetworkMode: 'web' } };
    const refused =
      (await post(`/containers/create?name=${name}`, spec)) ||
      (await post(`/containers/${name}/start`));
    await api.close();
    return refused;
  };
  const plain = (endpoint: Endpoint | undefined) => endpoint?.addresses[0]?.split('/')[0] ?? '';
  const named = async (network: string, name: string) =>
    (await endpoints(network)).find((each) => each.name === name);
  /** Empty once all of these are names of endpoints. */
  const unnamed = (network: string, ...names: string[]) =>
    until(10_000, async () => {
      const found = (await endpoints(network)).map(({ name }) => name);
      return names.filter((name) => !found.includes(name));
    });
  const left = (network: string) =>
    until(15_000, async () => (await endpoints(network)).map(({ name }) => name));

  beforeAll(async () => {
    docker = await DockerStack.start();
    await create({ name: 'web', subnets: [{ cidr: '10.77.0.0/24' }] });
  }, 120_000);

  afterAll(async () => {
    await docker?.stop();
  }, 60_000);

  it('every engine has the network without being told', async () => {
    expect(await lacking(hostIds, 'web')).toEqual([]);
  }, 30_000);

  it('containers of two hosts reach each other, under names that are known', async () => {
    await run('h1', '--name', 'one_a', '--network', 'web', '--network-alias', 'front');
    await run('h2', '--name', 'two', '--network', 'web', '--ip', '10.77.0.50');
    expect(await reaches('h1', 'one_a', '10.77.0.50')).toBe(true);
    expect(await unnamed('web', 'one-a', 'two')).toEqual([]);
    expect(await named('web', 'one-a')).toMatchObject({ host: 'h1', aliases: ['front'] });
    expect(await named('web', 'two')).toMatchObject({ host: 'h2', addresses: ['10.77.0.50/24'] });
  }, 60_000);

  it('an address that a container has is refused to another one, elsewhere too', async () => {
    const args = ['run', '-d', '--name', 'late', '--network', 'web', '--ip', '10.77.0.50'];
    const refused = await engine('h3').try(...args, imageName, 'sleep', '9');
    expect(refused.stderr).toContain('address_taken');
    await engine('h3').run('rm', '-f', 'late');
  }, 30_000);

  it('a MAC of choice is the endpoint’s, and is refused to a second one', async () => {
    const mac = '02:42:0a:4d:00:c8';
    expect(await started('h3', 'chosen', mac)).toBe('');
    expect(await unnamed('web', 'chosen')).toEqual([]);
    expect((await named('web', 'chosen'))?.mac).toBe(mac);
    expect(await reaches('h1', 'one_a', plain(await named('web', 'chosen')))).toBe(true);
    expect(await started('h3', 'again', mac)).toContain('mac_taken');
    expect(await started('h2', 'elsewhere', mac)).toContain('mac_taken');
    await engine('h3').run('rm', '-f', 'again');
    await engine('h2').run('rm', '-f', 'elsewhere');
    expect(await reaches('h1', 'one_a', plain(await named('web', 'chosen')))).toBe(true);
    await engine('h3').run('rm', '-f', 'chosen');
  }, 60_000);

  it('networks are connected to and disconnected from while a container runs', async () => {
    await create({ name: 'side', subnets: [{ cidr: '10.78.0.0/24' }] });
    expect(await lacking(['h1', 'h2'], 'side')).toEqual([]);
    await engine('h1').run('network', 'connect', 'side', 'one_a');
    await engine('h2').run('network', 'connect', '--alias', 'other', 'side', 'two');
    expect(await unnamed('side', 'one-a', 'two')).toEqual([]);
    expect(await reaches('h1', 'one_a', plain(await named('side', 'two')))).toBe(true);
    await engine('h1').run('network', 'disconnect', 'side', 'one_a');
    await engine('h2').run('network', 'disconnect', 'side', 'two');
    expect(await left('side')).toEqual([]);
    expect(await reaches('h1', 'one_a', '10.77.0.50')).toBe(true);
  }, 60_000);

  it('a network that one engine declares is one for all', async () => {
    const own = ['network', 'create', '-d', 'skein', '--subnet', '10.79.0.0/24'];
    await engine('h2').run(...own, '-o', 'skein.network=declared', 'declared');
    expect(await lacking(hostIds, 'declared')).toEqual([]);
    await run('h1', '--name', 'd1', '--network', 'declared');
    await run('h3', '--name', 'd3', '--network', 'declared');
    expect(await unnamed('declared', 'd1', 'd3')).toEqual([]);
    expect(await reaches('h1', 'd1', plain(await named('declared', 'd3')))).toBe(true);
    const other = ['network', 'create', '-d', 'skein', '--subnet', '10.80.0.0/24'];
    const refused = await engine('h3').try(...other, '-o', 'skein.network=declared', 'differs');
    expect(refused.stderr).toContain('network_differs');
    await engine('h1').run('rm', '-f', 'd1');
    await engine('h3').run('rm', '-f', 'd3');
    expect(await left('declared')).toEqual([]);
  }, 60_000);

  it('an internal network leads nowhere else, and one that is not attachable is not there', async () => {
    await create({ name: 'inner', internal: true, subnets: [{ cidr: '10.81.0.0/24' }] });
    await create({ name: 'closed', attachable: false, subnets: [{ cidr: '10.82.0.0/24' }] });
    expect(await lacking(['h1'], 'inner')).toEqual([]);
    await run('h1', '--name', 'i1', '--network', 'inner');
    expect(await engine('h1').run('exec', 'i1', 'ip', 'route')).not.toContain('default');
    await engine('h1').run('rm', '-f', 'i1');
    expect((await engine('h1').try('network', 'inspect', 'closed')).code).not.toBe(0);
    const asked = ['network', 'create', '-d', 'skein', '--ipam-driver', 'skein'];
    const options = ['--ipam-opt', 'net=closed', '-o', 'net=closed', '--subnet', '10.82.0.0/24'];
    expect((await engine('h1').try(...asked, ...options, 'mine')).stderr).toContain(
      'network_not_found',
    );
  }, 60_000);

  it('a killed agent and a killed engine lose no container, and what they left is released', async () => {
    const { control } = docker.stack.cluster;
    await control.call('kill', { process: 'agent-h1' });
    expect(await reaches('h1', 'one_a', '10.77.0.50')).toBe(true);
    await control.call('start', { process: 'agent-h1' });
    await run('h1', '--name', 'after', '--network', 'web');
    expect(await reaches('h1', 'after', '10.77.0.50')).toBe(true);
    await control.call('kill', { process: 'engine-h2' });
    await control.call('start', { process: 'engine-h2' });
    expect(await unnamed('web', 'one-a', 'after')).toEqual([]);
    await engine('h1').run('rm', '-f', 'after', 'one_a');
    await engine('h2').run('rm', '-f', 'two');
    expect(await left('web')).toEqual([]);
  }, 120_000);

  it('a network that is deleted leaves the engines', async () => {
    const { status } = await docker.stack.call('DELETE', '/v1/networks/web');
    expect(status).toBe(200);
    const there = await until(15_000, async () => {
      const found = await Promise.all(
        hostIds.map(async (host) => ({
          host,
          ...(await engine(host).try('network', 'inspect', 'web')),
        })),
      );
      return found.filter(({ code }) => code === 0).map(({ host }) => host);
    });
    expect(there).toEqual([]);
  }, 30_000);
});
