// How fast what is written reaches those who watch: so many watchers of one prefix, writes as fast as they are answered, until
// every watcher has seen every write.

import { createHistogram } from 'node:perf_hooks';
import type { Measure, Sample } from './figure';
import type { Peer } from './peer';

export const watcherCounts = [1, 100, 1_000] as const;

export const watchMeasures: readonly Measure[] = [
  { name: 'events', unit: 'per second' },
  { name: 'p50', unit: 'ms' },
  { name: 'p99', unit: 'ms' },
];

const writers = 4;
/** A few watchers see no more than what these make in a second or two. */
const mostWrites = 1_000;
const deliveryLimitMs = 60_000;

/** About `deliveries` are to be made in all; times are from the sending of a write to its arrival at a watcher. */
export async function measureWatches(
  peer: Peer,
  watchers: number,
  deliveries: number,
): Promise<Sample> {
  const writes = Math.min(mostWrites, Math.max(20, Math.ceil(deliveries / watchers)));
  const wanted = writes * watchers;
  const client = await peer.client();
  const histogram = createHistogram();
  let seen = 0;
  let done: () => void = () => undefined;
  const allSeen = new Promise<void>((resolve) => (done = resolve));
  const onValues = (values: readonly string[]): void => {
    const now = performance.now();
    for (const value of values) {
      histogram.record(Math.max(1, Math.round((now - Number(value.trimEnd())) * 1_000)));
    }
    seen += values.length;
    if (seen >= wanted) done();
  };
  const prefix = `watched/${watchers}/`;
  const opened = Array.from({ length: watchers }, () => client.watch(prefix, onValues));
  const closers = await Promise.all(opened);
  try {
    const startedAt = performance.now();
    let next = 0;
    const writer = async (): Promise<void> => {
      while (next < writes) {
        const key = `${prefix}${(next += 1) % 100}`;
        await client.put(key, String(performance.now()).padEnd(200));
      }
    };
    await Promise.all(Array.from({ length: writers }, writer));
    await within(allSeen, deliveryLimitMs, () => `${seen} of ${wanted} events were delivered`);
    const seconds = (performance.now() - startedAt) / 1_000;
    return {
      events: Math.round(wanted / seconds),
      p50: histogram.percentile(50) / 1_000,
      p99: histogram.percentile(99) / 1_000,
    };
  } finally {
    for (const close of closers) close();
    await client.close();
  }
}

async function within(work: Promise<void>, ms: number, describe: () => string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${describe()} in ${ms} ms`)), ms);
  });
  try {
    await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
