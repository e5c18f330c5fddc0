// A local cluster is of use once its hosts have reported for duty, which takes a moment after their agents run.

import { setTimeout as delay } from 'node:timers/promises';
import { SkeinError } from '@skein/contracts';

const timeoutMs = 20_000;

/** Resolves when `count` hosts are up; throws `unavailable` saying how many are. */
export async function hostsUp(
  url: string,
  token: string,
  count: number,
  signal?: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const up = await countUp(url, token);
    if (up === count) return;
    if (performance.now() > deadline) {
      throw new SkeinError('unavailable', `${up} of ${count} hosts came up in ${timeoutMs} ms`);
    }
    signal?.throwIfAborted();
    await delay(50);
  }
}

async function countUp(url: string, token: string): Promise<number> {
  const response = await fetch(`${url}/v1/hosts?limit=1000`, {
    headers: { authorization: `Bearer ${token}` },
  });
  if (!response.ok) return 0;
  const { hosts } = (await response.json()) as { hosts: { state: string }[] };
  return hosts.filter((host) => host.state === 'up').length;
}
