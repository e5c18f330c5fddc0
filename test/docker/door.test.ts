// The Docker door on real engines: containers of plain `docker run` on a network that spans hosts, with addresses that are held once
// in the cluster, and nothing left of them.

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { until } from '@skein/chaos';
import { imageName, lackingForEngines } from '@skein/docker-engines';
import { describeWherePossible } from '../support/where-possible';
import { DockerStack, hostIds, type HostId } from './docker-stack';

describeWherePossible(lackingForEngines(), 'the Docker door', () => {
  let docker: DockerStack;

  const engine = (host: HostId) => docker.engines[host];
  const run = (host: HostId, ...args: string[]) =>
    engine(host).run('run', '-d', '--init', ...args, imageName, 'sleep', '1000');
  const addresses = async (network: string): Promise<string[]> => {
    const { body } = await docker.stack.call('GET', `/v1/networks/${network}/endpoints`);
    return body.endpoints.flatMap((each: { addresses: string[] }) => each.addresses);
  };

  beforeAll(async () => {
    docker = await DockerStack.start();
    const { status } = await docker.stack.call('POST', '/v1/networks', {
      name: 'web',
      subnets: [{ cidr: '10.77.0.0/24' }],
    });
    expect(status).toBe(201);
    for (const host of hostIds) {
      await engine(host).run(
        ...['network', 'create', '-d', 'skein', '--ipam-driver', 'skein', '--ipam-opt', 'net=web'],
        ...['-o', 'net=web', '--subnet', '10.77.0.0/24', 'web'],
      );
    }
  }, 120_000);

  afterAll(async () => {
    await docker?.stop();
  }, 60_000);

  it('containers of two hosts reach each other', async () => {
    await run('h1', '--name', 'a1', '--network', 'web');
    await run('h2', '--name', 'b1', '--network', 'web', '--ip', '10.77.0.50');
    const ping = await engine('h1').try('exec', 'a1', 'ping', '-c', '1', '-W', '2', '10.77.0.50');
    expect(ping.stdout + ping.stderr).toContain('1 packets received');
    expect((await addresses('web')).sort()).toEqual(['10.77.0.2/24', '10.77.0.50/24']);
  }, 60_000);

  it('an address is released with its container', async () => {
    await engine('h1').run('rm', '-f', 'a1');
    await engine('h2').run('rm', '-f', 'b1');
    expect(await until(10_000, () => addresses('web'))).toEqual([]);
  }, 60_000);
});
