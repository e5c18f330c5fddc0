// One transfer by iperf3 between two places, with the processor time that it took; and the round-trip times
// of pings, alone or while a transfer runs.

import { createInterface } from 'node:readline';
import { readdirSync, readFileSync } from 'node:fs';
import { SkeinError } from '@skein/contracts';
import type { Sample } from '../figure';
import type { Place, Places } from '../docker/places';
import { ownProcessors } from './processors';

/** What is measured between: from `client` to `server`. */
export interface Way {
  readonly client: Place;
  readonly server: Place;
  /** Of the server, as the client reaches it. */
  readonly address: string;
}

export type Load = 'tcp-1' | 'tcp-8' | 'udp';

const port = '5201';
const listenLimitMs = 20_000;
const answerLimitMs = 60_000;
const flags: Readonly<Record<Load, readonly string[]>> = {
  'tcp-1': [],
  'tcp-8': ['-P', '8'],
  /** As many datagrams of 64 bytes as one sender can. */
  udp: ['-u', '-l', '64', '-b', '0'],
};

interface Sum {
  readonly bytes: number;
  readonly bits_per_second: number;
  readonly seconds: number;
  readonly packets?: number;
  readonly lost_packets?: number;
}

interface Result {
  readonly end: {
    readonly sum_received?: Sum;
    readonly sum: Sum;
    /** Of one processor. */
    readonly cpu_utilization_percent: {
      readonly host_total: number;
      readonly remote_total: number;
    };
  };
  readonly error?: string;
}

/** Processor time is what both programs spent, in the kernel too, and the kernel's threads for packets. */
export async function transfer(
  places: Places,
  { client, server, address }: Way,
  load: Load,
  seconds: number,
): Promise<Sample> {
  const serving = places.start(server, ['iperf3', '-s', '-1', '--forceflush', '-p', port]);
  try {
    await listening(serving.stdout);
    const pinned = ownProcessors();
    const where = pinned === null ? [] : ['-A', pinned.join()];
    const args = ['-c', address, '-p', port, '-t', String(seconds), '-J', ...where, ...flags[load]];
    const before = softirqMs();
    const text = await places.run(client, ['iperf3', ...args], seconds * 1_000 + 30_000);
    const softMs = softirqMs() - before;
    const { end, error } = JSON.parse(text) as Result;
    if (error !== undefined) throw new SkeinError('internal', `iperf3 to ${address}: ${error}`);
    const { host_total: here, remote_total: there } = end.cpu_utilization_percent;
    if (load === 'udp') {
      const { packets = 0, lost_packets: lost = 0, seconds: took } = end.sum;
      const spentUs = ((here + there) / 100) * took * 1e6 + softMs * 1_000;
      return {
        'packets that arrived': (packets - lost) / took,
        lost: (lost * 100) / packets,
        'processor time': spentUs / (packets - lost),
      };
    }
    const received = end.sum_received ?? end.sum;
    const spentMs = ((here + there) / 100) * received.seconds * 1_000 + softMs;
    return {
      throughput: received.bits_per_second / 1e9,
      'processor time': spentMs / ((received.bytes * 8) / 1e9),
    };
  } finally {
    serving.kill();
  }
}

function listening(output: NodeJS.ReadableStream | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new SkeinError('unavailable', 'iperf3 did not listen')),
      listenLimitMs,
    );
    createInterface({ input: output as NodeJS.ReadableStream }).on('line', (line) => {
      if (!line.includes('listening')) return;
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Kernel ticks are hundredths of a second on every Linux that Node runs on. */
const msPerTick = 10;

/** Of the kernel's threads that take over packets from whoever is interrupted too often. */
function softirqMs(): number {
  const ticks = softirqThreads().map((pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, each) => sum + each, 0) * msPerTick;
}

let knownThreads: readonly string[] | null = null;

function softirqThreads(): readonly string[] {
  knownThreads ??= readdirSync('/proc').filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('ksoftirqd/');
    } catch {
      return false;
    }
  });
  return knownThreads;
}

/** Resolves once the server answers the client; some overlays need a moment. */
export async function answered(places: Places, { client, address }: Way): Promise<void> {
  const deadline = performance.now() + answerLimitMs;
  for (;;) {
    const ping = places.run(client, ['ping', '-n', '-c', '1', '-W', '1', address]);
    const isThere = await ping.then(
      () => true,
      () => false,
    );
    if (isThere) return;
    if (performance.now() > deadline) {
      throw new SkeinError('unavailable', `${address} did not answer in ${answerLimitMs} ms`);
    }
  }
}

const pingEveryS = 0.005;

/** Milliseconds of each answered ping, in order. */
export async function roundTrips(places: Places, way: Way, seconds: number): Promise<number[]> {
  const count = String(Math.round(seconds / pingEveryS));
  const args = ['ping', '-n', '-i', String(pingEveryS), '-c', count, '-W', '1', way.address];
  const text = await places.run(way.client, args, seconds * 1_000 + 30_000);
  return [...text.matchAll(/time=([\d.]+) ms/g)].map(([, ms]) => Number(ms));
}

export function latencySample(times: readonly number[]): Sample {
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share: number): number => (sorted[Math.floor(sorted.length * share)] ?? 0) * 1_000;
  return { p50: at(0.5), p99: at(0.99) };
}
