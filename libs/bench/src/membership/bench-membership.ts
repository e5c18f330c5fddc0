// `bench membership`: how soon the death of a real agent among eight is suspected, and committed; whether one that only pauses
// is spared; and serf's agents, killed in turn with ours in the same run.

import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { SkeinError } from '@skein/contracts';
import { findProgram } from '@skein/local-cluster';
import { rowsOf, type FigureRow, type Measure, type Sample } from '../figure';
import { describeMachine, type Machine } from '../machine';
import { BenchStack, interruptible } from '../stack/bench-stack';
import type { HttpClient } from '../stack/http-client';
import { SerfPeer } from './serf-peer';

export interface MembershipOptions {
  readonly home: string;
  readonly path: string;
  readonly kills: number;
  readonly pauseMs: number;
  readonly preset: 'lan' | 'local';
  /** Path of serf; null: without a peer. */
  readonly serf: string | null;
  readonly progress: (text: string) => void;
}

export interface MembershipReport {
  readonly what: 'membership';
  readonly machine: Machine;
  readonly hosts: number;
  readonly preset: 'lan' | 'local';
  readonly kills: number;
  readonly pauseMs: number;
  readonly rows: readonly FigureRow[];
  readonly missed: number;
}

const hosts = 8;
/** Committed within this, in seconds. */
const goalS = 5;
const pollMs = 10;
const limitMs = 60_000;
/** For so long after it woke a host that paused could still be cut off. */
const afterPauseMs = 5_000;

const measures: Measure[] = [
  { name: 'suspected by the first', unit: 's' },
  { name: 'down (serf: failed, to the first)', unit: 's', goal: { of: 'value', atMost: goalS } },
  { name: 'failed, to the last', unit: 's' },
];
const pauseMeasures: Measure[] = [
  { name: 'cut off', unit: 'count', goal: { of: 'value', atMost: 0 } },
];

export async function benchMembership(options: MembershipOptions): Promise<MembershipReport> {
  const { home, path, preset, kills, pauseMs, serf, progress } = options;
  return interruptible(async (signal) => {
    const natsServer = findProgram('nats-server', home, path);
    const machine = describeMachine({ folder: home, natsServer, etcd: null });
    const stack = await BenchStack.start(
      { home, path, hosts, gossipPreset: preset, progress },
      signal,
    );
    const peer = serf === null ? null : await SerfPeer.start(serf, hosts);
    try {
      const rows = await new MembershipBench(stack, peer, options, signal).run();
      const missed = rows.filter(({ met }) => met === false).length;
      return { what: 'membership', machine, hosts, preset, kills, pauseMs, rows, missed };
    } finally {
      await peer?.stop();
      await stack.stop();
    }
  });
}

class MembershipBench {
  constructor(
    private readonly stack: BenchStack,
    private readonly peer: SerfPeer | null,
    private readonly options: MembershipOptions,
    private readonly signal: AbortSignal,
  ) {}

  async run(): Promise<FigureRow[]> {
    const { kills, pauseMs, progress } = this.options;
    const [client] = (await this.stack.connections(1)) as [HttpClient];
    const samples = { skein: [] as Sample[], peer: [] as Sample[] };
    const paused: Sample[] = [];
    try {
      // A host comes back a few times at most before it is held back for coming and going, so they take turns.
      for (let kill = 0; kill < kills; kill += 1) {
        const host = `h${(kill % hosts) + 1}`;
        this.signal.throwIfAborted();
        paused.push(await this.pause(client, host));
        samples.skein.push(await this.kill(client, host));
        if (this.peer !== null) samples.peer.push(await this.killPeer(kill % hosts));
        progress(`${kill + 1} of ${kills}: ${JSON.stringify(samples.skein.at(-1))}`);
      }
    } finally {
      client.close();
    }
    const title = `killed, 1 of ${hosts}`;
    return [
      ...rowsOf({ figure: 'kill', title }, measures, samples),
      ...rowsOf({ figure: 'pause', title: `paused for ${pauseMs / 1_000} s` }, pauseMeasures, {
        skein: paused,
        peer: [],
      }),
    ];
  }

  private async kill(client: HttpClient, host: string): Promise<Sample> {
    const { control } = this.stack.cluster;
    const killedAt = performance.now();
    const killedAtWall = Date.now();
    await control.call('kill', { process: `agent-${host}` });
    await this.until(client, host, 'down');
    const downMs = performance.now() - killedAt;
    const suspectedAt = await this.suspectedAt(host, killedAtWall);
    await control.call('start', { process: `agent-${host}` });
    await this.until(client, host, 'up');
    return {
      'down (serf: failed, to the first)': downMs / 1_000,
      ...(suspectedAt === null
        ? {}
        : { 'suspected by the first': (suspectedAt - killedAtWall) / 1_000 }),
    };
  }

  private async pause(client: HttpClient, host: string): Promise<Sample> {
    const { control } = this.stack.cluster;
    const process = `agent-${host}`;
    await control.call('signal', { process, signal: 'SIGSTOP' });
    const wokeAt = performance.now() + this.options.pauseMs;
    let isAwake = false;
    let wasDown = false;
    while (performance.now() < wokeAt + afterPauseMs) {
      if (!isAwake && performance.now() >= wokeAt) {
        await control.call('signal', { process, signal: 'SIGCONT' });
        isAwake = true;
      }
      wasDown ||= (await stateOf(client, host)) === 'down';
      await delay(pollMs);
    }
    await this.until(client, host, 'up');
    return { 'cut off': wasDown ? 1 : 0 };
  }

  private async killPeer(index: number): Promise<Sample> {
    const peer = this.peer as SerfPeer;
    const { suspectMs, firstMs, lastMs } = await peer.kill(index);
    await peer.startAgain(index);
    return {
      'suspected by the first': suspectMs / 1_000,
      'down (serf: failed, to the first)': firstMs / 1_000,
      'failed, to the last': lastMs / 1_000,
    };
  }

  private async until(client: HttpClient, host: string, state: 'up' | 'down'): Promise<void> {
    const deadline = performance.now() + limitMs;
    while ((await stateOf(client, host)) !== state) {
      this.signal.throwIfAborted();
      if (performance.now() > deadline) {
        throw new SkeinError('unavailable', `${host} was not ${state} within ${limitMs} ms`);
      }
      await delay(pollMs);
    }
  }

  /** When the first of the others logged its suspicion; null if none did. */
  private async suspectedAt(host: string, since: number): Promise<number | null> {
    let first: number | null = null;
    for (let index = 1; index <= hosts; index += 1) {
      if (`h${index}` === host) continue;
      const log = join(this.stack.cluster.record.dataDir, 'logs', `agent-h${index}.log`);
      for await (const line of createInterface({ input: createReadStream(log) })) {
        if (!line.includes('"memberSuspect"')) continue;
        const { time, member } = JSON.parse(line) as { time: string; member: string };
        const at = Date.parse(time);
        if (member === host && at >= since && (first === null || at < first)) first = at;
      }
    }
    return first;
  }
}

async function stateOf(client: HttpClient, host: string): Promise<string | undefined> {
  const { status, body } = await client.request('GET', `/v1/hosts/${host}`);
  return status === 200 ? (JSON.parse(body) as { state: string }).state : undefined;
}
