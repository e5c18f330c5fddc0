// `docker network connect` as a person waits for it, and how long after it the container answers from another host: an onlooker
// there sends a ping every 2 ms from before the command is given.

import { setTimeout as delay } from 'node:timers/promises';
import { SkeinError } from '@skein/contracts';
import type { Measure, Sample } from '../figure';
import type { EngineHost, EngineStack } from './engine-stack';
import { onlookerOf, type Overlay } from './overlay';

export const connectMeasures = (goalMs: number | null): readonly Measure[] => [
  {
    name: 'connect',
    unit: 'ms',
    ...(goalMs === null ? {} : { goal: { of: 'value', atMost: goalMs } as const }),
  },
  { name: 'first ping after it', unit: 'ms', goal: { of: 'value', atMost: 10 } },
];
export const worstMeasures: readonly Measure[] = [
  { name: 'first ping after it, worst', unit: 'ms', goal: { of: 'value', atMost: 50 } },
];

const pingEveryS = '0.002';
/** An address that nobody had yet is asked for again this soon, so that the onlooker's own kernel does not sleep over it. */
const askAgainMs = 4;
const answerLimitMs = 20_000;

interface Stage {
  readonly overlay: Overlay;
  /** Where a container is connected and disconnected again and again. */
  readonly host: EngineHost;
  readonly target: string;
  readonly onlooker: number;
  nextAddress: number;
}

/**
 * `warm`: another container of the host is on the network throughout. `cold`: none is. `lone`: as warm, but the container has no
 * other network, so that the engine plugs it into a bridge of its own besides, as the way out. Others have what `docker run` gives
 * them.
 */
export type ConnectKind = 'warm' | 'cold' | 'lone';

const firstAddress: Readonly<Record<ConnectKind, number>> = { warm: 40, cold: 110, lone: 180 };

export class ConnectBench {
  readonly #stages: Stage[] = [];

  constructor(private readonly stack: EngineStack) {}

  async prepare(overlay: Overlay, kind: ConnectKind): Promise<void> {
    const host = kind === 'cold' ? 'h3' : 'h2';
    const of = `${overlay.network}-${kind}`;
    const on = ['--network', overlay.network];
    const watching = onlookerOf(overlay, host);
    // On a bridge of one host the onlooker itself makes the network warm, as every such network is.
    if (kind !== 'cold') await this.stack.container(host, `${of}-neighbor`, ...on);
    const onlooker = await this.stack.container(watching, `${of}-onlooker`, ...on);
    const file = '/proc/sys/net/ipv4/neigh/eth0/retrans_time_ms';
    const quick = ['sh', '-c', `echo ${askAgainMs} > ${file}`];
    await this.stack.places.run({ at: 'process', pid: onlooker }, quick);
    const target = `${of}-target`;
    if (kind === 'lone') {
      await this.stack.container(host, target);
      await this.stack.engines[host].run('network', 'disconnect', 'none', target);
    } else await this.stack.container(host, target, '--network', 'bridge');
    const nextAddress = firstAddress[kind];
    this.#stages.push({ overlay, host, target, onlooker, nextAddress });
  }

  /** One connect of each overlay. */
  async round(keep: (name: Overlay['name'], sample: Sample) => void): Promise<void> {
    for (const stage of this.#stages) keep(stage.overlay.name, await this.#connect(stage));
  }

  async #connect(stage: Stage): Promise<Sample> {
    const { overlay, host, target } = stage;
    const engine = this.stack.engines[host];
    const address = `${overlay.prefix}.${(stage.nextAddress += 1)}`;
    const watch = this.#watch(stage.onlooker, address);
    // The onlooker is at work before the command is given.
    await delay(100);
    const { code, stderr, tookMs } = await engine.try(
      ...['network', 'connect', '--ip', address, overlay.network, target],
    );
    const connectedAt = Date.now();
    if (code !== 0) {
      await watch.end();
      throw new SkeinError('internal', `docker network connect, ${overlay.name}: ${stderr.trim()}`);
    }
    await this.#answered(stage.onlooker, address);
    const firstAt = firstAnswer(await watch.end());
    await engine.run('network', 'disconnect', overlay.network, target);
    return { connect: tookMs, 'first ping after it': Math.max(0, firstAt - connectedAt) };
  }

  #watch(onlooker: number, address: string): { end: () => Promise<string> } {
    const { control } = this.stack.stack.cluster;
    const tag = `onlooker-${address}`;
    const ping = ['ping', '-n', '-D', '-i', pingEveryS, address];
    const argv = ['nsenter', '--target', String(onlooker), '--net', '--', ...ping];
    const watching = control.call('run', { world: true, argv, tag, timeoutMs: 60_000 });
    return {
      end: async () => {
        await control.call('interrupt', { tag });
        return (await watching).stdout;
      },
    };
  }

  /** Looks apart from the onlooker, whose output comes when it ends. */
  async #answered(onlooker: number, address: string): Promise<void> {
    const deadline = performance.now() + answerLimitMs;
    const ping = ['ping', '-n', '-c', '1', '-W', '1', address];
    while (performance.now() < deadline) {
      const there = await this.stack.places.run({ at: 'process', pid: onlooker }, ping).then(
        () => true,
        () => false,
      );
      if (there) return;
    }
    throw new SkeinError('unavailable', `${address} did not answer in ${answerLimitMs} ms`);
  }
}

/** Wall-clock milliseconds. */
function firstAnswer(text: string): number {
  const found = /^\[(\d+\.\d+)\] \d+ bytes from /m.exec(text)?.[1];
  if (found === undefined) throw new SkeinError('internal', 'the onlooker saw no answer');
  return Number(found) * 1_000;
}
