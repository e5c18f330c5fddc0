// Rates from counters that were read twice. Pure: a counter that went back began anew, and says nothing until it is read again.

import type { Traffic } from '@skein/contracts';

export interface Rate {
  readonly framesPerSecond: number;
  readonly bitsPerSecond: number;
}

/** By `${networkId} ${from} ${to}`, from the first host to the second. */
export type Rates = ReadonlyMap<string, Rate>;

type Way = Traffic['ways'][number];

export const wayKey = (networkId: string, from: string, to: string): string =>
  `${networkId} ${from} ${to}`;

export function ratesOf(former: Traffic | undefined, now: Traffic): Rates {
  const before = new Map(
    former?.ways.map((way) => [wayKey(way.networkId, way.from, way.to), way] as const),
  );
  return new Map(
    now.ways.flatMap((way): [string, Rate][] => {
      const key = wayKey(way.networkId, way.from, way.to);
      const rate = rateOf(before.get(key), way);
      return rate === undefined ? [] : [[key, rate]];
    }),
  );
}

function rateOf(former: Way | undefined, now: Way): Rate | undefined {
  if (former === undefined || now.at <= former.at || now.frames < former.frames) return undefined;
  const seconds = (now.at - former.at) / 1_000;
  return {
    framesPerSecond: (now.frames - former.frames) / seconds,
    bitsPerSecond: (8 * (now.bytes - former.bytes)) / seconds,
  };
}

/** Both directions of a tunnel together; undefined if neither is known. */
export function tunnelRate(
  rates: Rates,
  { networkId, from, to }: { networkId: string; from: string; to: string },
): Rate | undefined {
  const both = [wayKey(networkId, from, to), wayKey(networkId, to, from)].flatMap(
    (key) => rates.get(key) ?? [],
  );
  if (both.length === 0) return undefined;
  const sum = (of: (rate: Rate) => number) => both.reduce((total, rate) => total + of(rate), 0);
  return {
    framesPerSecond: sum(({ framesPerSecond }) => framesPerSecond),
    bitsPerSecond: sum(({ bitsPerSecond }) => bitsPerSecond),
  };
}

export function rateText({ bitsPerSecond }: Rate): string {
  const steps = [
    [1e9, 'Gbit/s'],
    [1e6, 'Mbit/s'],
    [1e3, 'kbit/s'],
  ] as const;
  for (const [least, unit] of steps) {
    const value = bitsPerSecond / least;
    if (value >= 1) return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
  }
  return `${Math.round(bitsPerSecond)} bit/s`;
}
