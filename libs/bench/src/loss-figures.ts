// What a loss costs: the leader killed, time until the next write is acknowledged; all members killed with much in the store,
// time until they serve again; and what the store holds in memory.

import { setTimeout as delay } from 'node:timers/promises';
import { benchValue } from './calls';
import type { Measure, Sample } from './figure';
import { spreadOf } from './spread';
import type { Peer } from './peer';

export const failoverMeasures: readonly Measure[] = [
  { name: 'median', unit: 'ms', goal: { of: 'value', atMost: 600 } },
  { name: 'worst', unit: 'ms', goal: { of: 'value', atMost: 1_000 } },
];

export const keysMeasures: readonly Measure[] = [
  { name: 'loading', unit: 's' },
  { name: 'RSS a member', unit: 'MiB' },
  { name: 'PSS a member', unit: 'MiB' },
  { name: 'restart to first read', unit: 's' },
  { name: 'restart to first write', unit: 's' },
];

const attemptEveryMs = 20;
const attemptTimeoutMs = 10_000;
const settleMs = 700;
const serveLimitMs = 300_000;

/** One kill a sample of the returned list, in milliseconds. */
export async function killLeaders(
  peer: Peer,
  kills: number,
  progress: (kill: number, ms: number) => void,
): Promise<number[]> {
  const times: number[] = [];
  for (let kill = 1; kill <= kills; kill += 1) {
    await peer.whole();
    // Whole is not yet quiet: members that just came back may still be busy with it.
    await delay(settleMs);
    const leader = await peer.leader();
    const killedAt = performance.now();
    await peer.kill(leader);
    await firstSuccess(() => peer.attempt(attemptTimeoutMs));
    const ms = performance.now() - killedAt;
    times.push(ms);
    progress(kill, ms);
    await peer.revive([leader]);
  }
  await peer.whole();
  return times;
}

export function failoverSample(times: readonly number[]): Sample {
  const spread = spreadOf(times);
  return { median: spread?.median ?? 0, worst: spread?.most ?? 0 };
}

/** Fills the store with `count` keys, kills every member at once and lets them come back. */
export async function measureKeys(
  peer: Peer,
  count: number,
  progress: (done: number) => void,
): Promise<Sample> {
  const loadedAfter = await load(peer, count, progress);
  await peer.whole();
  await delay(settleMs);
  const { residentKib, proportionalKib } = peer.memory();
  await Promise.all(peer.members.map((member) => peer.kill(member)));
  const startedAt = performance.now();
  const revived = peer.revive(peer.members);
  await firstSuccess(() => peer.attempt(attemptTimeoutMs, true));
  const readMs = performance.now() - startedAt;
  await firstSuccess(() => peer.attempt(attemptTimeoutMs));
  const writeMs = performance.now() - startedAt;
  await revived;
  return {
    loading: loadedAfter / 1_000,
    'RSS a member': residentKib / 1_024 / peer.members.length,
    'PSS a member': proportionalKib / 1_024 / peer.members.length,
    'restart to first read': readMs / 1_000,
    'restart to first write': writeMs / 1_000,
  };
}

async function load(peer: Peer, count: number, progress: (done: number) => void): Promise<number> {
  const keysAtOnce = 100;
  const loaders = 16;
  const client = await peer.client();
  const startedAt = performance.now();
  let next = 0;
  const loader = async (): Promise<void> => {
    while (next < count) {
      const from = next;
      next += keysAtOnce;
      const keys = Array.from({ length: keysAtOnce }, (_, at) => `many/${from + at}`);
      await client.putAll(keys, benchValue);
      if (from % 100_000 === 0) progress(from);
    }
  };
  await Promise.all(Array.from({ length: loaders }, loader));
  await client.close();
  return performance.now() - startedAt;
}

/** Attempts go out at a fixed pace, without waiting for earlier ones: none that hangs holds up the next. */
async function firstSuccess(attempt: () => Promise<void>): Promise<void> {
  const limit = performance.now() + serveLimitMs;
  let isDone = false;
  const attempts = new Set<Promise<void>>();
  await new Promise<void>((resolve, reject) => {
    const once = (): void => {
      const one = attempt().then(
        () => {
          isDone = true;
          clearInterval(timer);
          resolve();
        },
        () => undefined,
      );
      attempts.add(one);
      void one.finally(() => attempts.delete(one));
    };
    const timer = setInterval(() => {
      if (performance.now() > limit) {
        clearInterval(timer);
        reject(new Error(`no answer in ${serveLimitMs} ms`));
      } else if (!isDone && attempts.size < 64) once();
    }, attemptEveryMs);
    once();
  });
}
