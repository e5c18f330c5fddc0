// Many `docker run` on three hosts at once, as when a stack of services comes up: how long until all run, how long each took, and
// how many of them do not answer one that was there before.

import type { Measure, Sample } from '../figure';
import { type EngineHost, engineHosts, type EngineStack } from './engine-stack';
import type { Overlay } from './overlay';

export const manyMeasures: readonly Measure[] = [
  { name: 'until all run', unit: 's' },
  { name: 'docker run, p50', unit: 'ms' },
  { name: 'docker run, worst', unit: 'ms' },
  { name: 'not reached', unit: 'count', goal: { of: 'value', atMost: 0 } },
];

/** Of each engine. */
const atOnce = 2;

export async function runMany(
  stack: EngineStack,
  overlay: Overlay,
  count: number,
): Promise<Sample> {
  const onlooker = overlay.crossesHosts
    ? await stack.container('h1', 'many-onlooker', '--network', overlay.network)
    : null;
  const names = Array.from({ length: count }, (_, at) => `many-${at + 1}`);
  const hostOf = (at: number): EngineHost => engineHosts[at % engineHosts.length] ?? 'h1';
  const startedAt = performance.now();
  const times: number[] = [];
  const lanes = engineHosts.flatMap((host) => {
    const mine = names.filter((_, at) => hostOf(at) === host);
    return Array.from({ length: atOnce }, async () => {
      for (let name = mine.shift(); name !== undefined; name = mine.shift()) {
        const before = performance.now();
        await stack.container(host, name, '--network', overlay.network);
        times.push(performance.now() - before);
      }
    });
  });
  await Promise.all(lanes);
  const untilAllRun = (performance.now() - startedAt) / 1_000;
  const missing: Sample = onlooker === null ? {} : { 'not reached': await notReached() };
  for (const host of engineHosts) {
    const mine = names.filter((_, at) => hostOf(at) === host);
    await stack.engines[host].run('rm', '-f', ...mine);
  }
  if (onlooker !== null) await stack.engines.h1.run('rm', '-f', 'many-onlooker');
  const sorted = times.toSorted((one, other) => one - other);
  return {
    'until all run': untilAllRun,
    'docker run, p50': sorted[sorted.length >> 1] ?? 0,
    'docker run, worst': sorted.at(-1) ?? 0,
    ...missing,
  };

  async function notReached(): Promise<number> {
    const format = `{{(index .NetworkSettings.Networks "${overlay.network}").IPAddress}}`;
    const addresses: string[] = [];
    for (const host of engineHosts) {
      const mine = names.filter((_, at) => hostOf(at) === host);
      const text = await stack.engines[host].run('inspect', '-f', format, ...mine);
      addresses.push(...text.split('\n'));
    }
    const each = 'for a in "$@"; do ping -n -c 1 -W 1 "$a" >/dev/null || echo "$a"; done';
    const argv = ['sh', '-c', each, 'sh', ...addresses];
    const place = { at: 'process', pid: onlooker ?? 0 } as const;
    const text = await stack.places.run(place, argv, 240_000);
    return text.split('\n').filter((line) => line !== '').length;
  }
}
