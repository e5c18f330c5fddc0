// A local cluster is of use once its hosts have reported for duty, which takes a moment after their agents run.

import { setTimeout as delay } from 'node:timers/promises';
import { SkeinError } from '@skein/contracts';
import { Api, type HostAnswer } from '../demo/api';

const timeoutMs = 20_000;

/** Resolves when `count` hosts are up; throws `unavailable` saying how many are. */
export async function hostsUp(
  cluster: { url: string; token: string },
  count: number,
): Promise<void> {
  const api = new Api(cluster.url, cluster.token);
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const { status, body } = await api.call<{ hosts: HostAnswer[] }>('GET', '/v1/hosts');
    const up = status === 200 ? body.hosts.filter((host) => host.state === 'up').length : 0;
    if (up === count) return;
    if (performance.now() > deadline) {
      throw new SkeinError('unavailable', `${up} of ${count} hosts came up in ${timeoutMs} ms`);
    }
    await delay(50);
  }
}
