// Three etcd members with the settings that a user gets by default, measured through the `etcd3` client of Node.

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SkeinError } from '@skein/contracts';
import { ServiceProcess } from '@skein/local-cluster';
import type { Etcd3, IOptions } from 'etcd3';
import type { Memory, Peer, PeerClient } from './peer';
import { cpuMsOf, memoryOfAll } from './processes';

export interface EtcdPeerOptions {
  readonly dataDir: string;
  readonly etcd: string;
}

const clientPort = (at: number): number => 2379 + at * 10;
const peerPort = (at: number): number => clientPort(at) + 1;
const url = (port: number): string => `http://127.0.0.1:${port}`;
const wholeTimeoutMs = 60_000;

export class EtcdPeer implements Peer {
  readonly name = 'etcd';
  readonly members = ['e1', 'e2', 'e3'];
  private readonly processes = new Map<string, ServiceProcess>();
  /** A connection a member, so that one that is gone costs the others nothing. */
  private readonly doors = new Map<string, Etcd3>();
  private attempts = 0;

  constructor(private readonly options: EtcdPeerOptions) {}

  async start(): Promise<void> {
    const { dataDir } = this.options;
    mkdirSync(join(dataDir, 'logs'), { recursive: true });
    for (const [at, name] of this.members.entries()) {
      const spec = { name, command: this.command(name, at), env: {}, saysReady: false };
      const process = new ServiceProcess(spec, {
        logDir: join(dataDir, 'logs'),
        nsenter: '',
        httpFd: 0,
        onExit: () => undefined,
      });
      this.processes.set(name, process);
      this.doors.set(name, await connect(url(clientPort(at))));
    }
    await this.revive(this.members);
    await this.whole();
  }

  async stop(): Promise<void> {
    for (const door of this.doors.values()) door.close();
    await Promise.all([...this.processes.values()].map((process) => process.stop()));
    rmSync(this.options.dataDir, { recursive: true, force: true });
  }

  async leader(): Promise<string> {
    for (const [name, door] of this.doors) {
      const status = await door.maintenance.status(limited(1_000)).catch(() => undefined);
      if (status !== undefined && status.leader === status.header.member_id) return name;
    }
    throw new SkeinError('no_leader', 'No member of etcd leads');
  }

  async kill(member: string): Promise<void> {
    await this.processes.get(member)?.kill();
  }

  async revive(members: readonly string[]): Promise<void> {
    for (const member of members) this.processes.get(member)?.start();
  }

  async whole(): Promise<void> {
    const deadline = performance.now() + wholeTimeoutMs;
    while (!(await this.isWhole().catch(() => false))) {
      if (performance.now() > deadline) {
        throw new SkeinError('unavailable', 'The members of etcd did not come together');
      }
      await delay(50);
    }
  }

  /** Every member knows a leader and is near its index: other clients may write meanwhile. */
  private async isWhole(): Promise<boolean> {
    const doors = [...this.doors.values()];
    const all = await Promise.all(doors.map((door) => door.maintenance.status(limited(1_000))));
    const indices = all.map(({ raftIndex }) => Number(raftIndex));
    const known = all.every(({ leader }) => leader !== '0' && leader === all[0]?.leader);
    return known && Math.max(...indices) - Math.min(...indices) < 100;
  }

  async client(): Promise<PeerClient> {
    const at = this.members.indexOf(await this.leader());
    const etcd = await connect(url(clientPort(at)));
    return {
      put: async (key, value) => {
        await etcd.kv.put({ key: Buffer.from(key), value: Buffer.from(value) });
      },
      get: async (key) => {
        const { kvs } = await etcd.kv.range({ key: Buffer.from(key) });
        return kvs[0]?.value.toString();
      },
      putAll: async (keys, value) => {
        const put = (key: string) => ({
          request_put: { key: Buffer.from(key), value: Buffer.from(value) },
        });
        await etcd.kv.txn({ compare: [], success: keys.map(put), failure: [] });
      },
      watch: async (prefix, onValues) => {
        const watcher = await etcd.watch().prefix(prefix).create();
        watcher.on('data', ({ events }) => onValues(events.map(({ kv }) => kv.value.toString())));
        return () => void watcher.cancel().catch(() => undefined);
      },
      close: async () => etcd.close(),
    };
  }

  /** Members take turns, as a client that knows all of them would try them. */
  async attempt(timeoutMs: number, read = false): Promise<void> {
    this.attempts += 1;
    const doors = [...this.doors.values()];
    const door = doors[this.attempts % doors.length];
    const key = Buffer.from('bench/attempt');
    if (read) await door?.kv.range({ key }, limited(timeoutMs));
    else await door?.kv.put({ key, value: Buffer.from('x') }, limited(timeoutMs));
  }

  memory(): Memory {
    return memoryOfAll(this.pids());
  }

  cpuMs(): number {
    return cpuMsOf(this.pids());
  }

  private pids(): (number | null)[] {
    return [...this.processes.values()].map(({ pid }) => pid);
  }

  private command(name: string, at: number): string[] {
    const cluster = this.members.map((each, place) => `${each}=${url(peerPort(place))}`);
    return [
      this.options.etcd,
      ...['--name', name],
      ...['--data-dir', join(this.options.dataDir, name)],
      ...['--listen-client-urls', url(clientPort(at))],
      ...['--advertise-client-urls', url(clientPort(at))],
      ...['--listen-peer-urls', url(peerPort(at))],
      ...['--initial-advertise-peer-urls', url(peerPort(at))],
      ...['--initial-cluster', cluster.join(',')],
      ...['--initial-cluster-state', 'new'],
      ...['--logger', 'zap', '--log-level', 'warn'],
    ];
  }
}

function limited(timeoutMs: number): { deadline: number } {
  return { deadline: Date.now() + timeoutMs };
}

/** Without its retries and circuit breakers: what is retried, and when, is the measurement's to say. */
async function connect(host: string): Promise<Etcd3> {
  const { Etcd3: Client } = await import('etcd3');
  return new Client({ hosts: [host], faultHandling: { host: () => direct, global: direct } });
}

type Policy = NonNullable<NonNullable<IOptions['faultHandling']>['global']>;

const direct = {
  execute: async (call: (context: { signal: AbortSignal }) => unknown) => call({ signal: never }),
} as unknown as Policy;
const never = new AbortController().signal;
