// Serf agents on loopback, to be killed beside ours: what each says on its standard output, with the time at which it came.
// Knows nothing of what is measured.

import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { SkeinError } from '@skein/contracts';
import { freePorts } from './free-ports';

const joinTimeoutMs = 30_000;
const failureTimeoutMs = 60_000;

interface Agent {
  readonly name: string;
  readonly child: ChildProcess;
  readonly lines: { readonly at: number; readonly text: string }[];
}

export class SerfPeer {
  readonly #serf: string;
  readonly #ports: readonly (readonly [gossip: number, rpc: number])[];
  readonly #agents = new Map<string, Agent>();

  private constructor(serf: string, ports: readonly (readonly [number, number])[]) {
    this.#serf = serf;
    this.#ports = ports;
  }

  static async start(serf: string, count: number): Promise<SerfPeer> {
    const ports = await freePorts(2 * count);
    const pairs = Array.from(
      { length: count },
      (_, index) => [ports[2 * index] ?? 0, ports[2 * index + 1] ?? 0] as const,
    );
    const peer = new SerfPeer(serf, pairs);
    for (let index = 0; index < count; index += 1) peer.#spawn(index);
    await peer.#allKnowAll();
    return peer;
  }

  /** Kills one and answers, in milliseconds from then, when the first suspected it, and when the first and the last called it failed. */
  async kill(index: number): Promise<{ suspectMs: number; firstMs: number; lastMs: number }> {
    const { name, child } = this.#agent(index);
    const killedAt = performance.now();
    child.kill('SIGKILL');
    this.#agents.delete(name);
    const others = [...this.#agents.values()];
    const deadline = killedAt + failureTimeoutMs;
    const firstOf = (agent: Agent, sign: string): number | undefined =>
      agent.lines.find(({ at, text }) => at > killedAt && text.includes(sign))?.at;
    const failed = (): number[] =>
      others.flatMap((agent) => firstOf(agent, `EventMemberFailed: ${name}`) ?? []);
    while (failed().length < others.length) {
      if (performance.now() > deadline) throw new SkeinError('unavailable', 'serf missed a death');
      await delay(20);
    }
    const suspected = others.flatMap((agent) => firstOf(agent, `Suspect ${name} has failed`) ?? []);
    const times = failed();
    return {
      suspectMs: Math.min(...suspected) - killedAt,
      firstMs: Math.min(...times) - killedAt,
      lastMs: Math.max(...times) - killedAt,
    };
  }

  async startAgain(index: number): Promise<void> {
    this.#spawn(index);
    await this.#allKnowAll();
  }

  async stop(): Promise<void> {
    const children = [...this.#agents.values()].map(({ child }) => child);
    const ended = children.map((child) => new Promise((done) => child.once('exit', done)));
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(ended);
  }

  #agent(index: number): Agent {
    const agent = this.#agents.get(`s${index}`);
    if (agent === undefined) throw new Error(`s${index} does not run`);
    return agent;
  }

  #spawn(index: number): void {
    const name = `s${index}`;
    const [gossip = 0, rpc = 0] = this.#ports[index] ?? [];
    const [seed = 0] = this.#ports[index === 0 ? 1 : 0] ?? [];
    const args = ['agent', `-node=${name}`, `-bind=127.0.0.1:${gossip}`];
    args.push(`-rpc-addr=127.0.0.1:${rpc}`, '-log-level=debug', '-profile=lan');
    args.push(`-retry-join=127.0.0.1:${seed}`, '-retry-interval=1s');
    const child = spawn(this.#serf, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const stop = (): void => void child.kill('SIGKILL');
    process.once('exit', stop);
    child.once('exit', () => process.off('exit', stop));
    const agent: Agent = { name, child, lines: [] };
    createInterface({ input: child.stdout }).on('line', (text) => {
      agent.lines.push({ at: performance.now(), text });
    });
    this.#agents.set(name, agent);
  }

  /** By the last word of each about each other. */
  async #allKnowAll(): Promise<void> {
    const deadline = performance.now() + joinTimeoutMs;
    const knows = (agent: Agent, name: string): boolean => {
      const last = agent.lines.findLast(
        ({ text }) =>
          text.includes(`EventMemberJoin: ${name} `) ||
          text.includes(`EventMemberFailed: ${name} `),
      );
      return last?.text.includes('EventMemberJoin') ?? false;
    };
    const agents = [...this.#agents.values()];
    while (!agents.every((agent) => agents.every(({ name }) => knows(agent, name)))) {
      if (performance.now() > deadline) throw new SkeinError('unavailable', 'serf did not join');
      await delay(50);
    }
  }
}
