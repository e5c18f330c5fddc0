// skein host traffic: what passes between hosts inside the overlay, from two looks at what the receiving kernels have counted.

import { setTimeout as delay } from 'node:timers/promises';
import type { Traffic } from '@skein/contracts';
import type { Json } from '../client/api';
import { formatBytes } from '../output/units';
import type { Session } from '../session';

type Way = Traffic['ways'][number];

export interface WayRate extends Omit<Way, 'at'> {
  readonly framesPerSecond: number;
  readonly bytesPerSecond: number;
}

const defaultSeconds = 2;

export async function traffic({ api, out }: Session, { seconds }: { seconds?: number }) {
  const look = (): Promise<Traffic> => api.get('/v1/traffic') as Promise<Traffic>;
  const forSeconds = Math.max(1, seconds ?? defaultSeconds);
  const [networks, before] = await Promise.all([api.list('/v1/networks', 'networks'), look()]);
  await out.progress(`counting for ${forSeconds} s`, delay(forSeconds * 1_000));
  const after = await look();
  const ways = ratesBetween(before, after);
  const names = new Map<string, string>(networks.map(({ id, name }: Json) => [id, name]));
  out.show({ ways, silent: after.silent }, () => {
    const rows = ways.map((way) => [
      way.from,
      way.to,
      names.get(way.networkId) ?? way.networkId,
      way.framesPerSecond.toFixed(1),
      `${formatBytes(way.bytesPerSecond)}/s`,
      way.frames,
    ]);
    const head = ['from', 'to', 'network', 'frames/s', 'on the underlay', 'frames so far'];
    const table = out.table(head, rows, 'no two hosts share a network');
    if (after.silent.length === 0) return table;
    return `${table}\nwithout an answer, so that what came to them is not known: ${after.silent.join(', ')}`;
  });
}

/** Most first. A counter that went back began anew: what it has is all that is known. */
export function ratesBetween(before: Traffic, after: Traffic): WayRate[] {
  const keyOf = ({ networkId, from, to }: Way): string => `${networkId} ${from} ${to}`;
  const former = new Map(before.ways.map((way) => [keyOf(way), way]));
  return after.ways
    .flatMap((way): WayRate[] => {
      const then = former.get(keyOf(way));
      if (then === undefined || way.at <= then.at || way.frames < then.frames) return [];
      const elapsed = (way.at - then.at) / 1_000;
      const { at: _at, ...rest } = way;
      return [
        {
          ...rest,
          framesPerSecond: (way.frames - then.frames) / elapsed,
          bytesPerSecond: (way.bytes - then.bytes) / elapsed,
        },
      ];
    })
    .sort((a, b) => b.bytesPerSecond - a.bytesPerSecond);
}
