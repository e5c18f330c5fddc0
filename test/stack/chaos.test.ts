// Clients attach and detach without end while processes are killed and stand still, in an order that a seed gives. Then all
// is healed, and the audit has nothing to say. SKEIN_CHAOS_SEED and SKEIN_CHAOS_SECONDS make other and longer runs.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '@skein/simulation';
import { Stack } from '../support/stack';
import { audit, calm } from './chaos-audit';
import { ChaosClient } from './chaos-clients';
import { faultText, inflict, nextFault } from './chaos-faults';
import { Journal } from './chaos-journal';

const seed = Number(process.env['SKEIN_CHAOS_SEED'] ?? 7);
const seconds = Number(process.env['SKEIN_CHAOS_SECONDS'] ?? 20);
const isTold = process.env['SKEIN_CHAOS_SECONDS'] !== undefined;
const networks = ['chaos-1', 'chaos-2'];
const hosts = ['h1', 'h2', 'h3'];

let stack: Stack;
const tell = (line: string): void => {
  if (isTold) process.stderr.write(`${new Date().toISOString().slice(11, 23)} ${line}\n`);
};

beforeAll(async () => {
  stack = await Stack.start();
  for (const [index, name] of networks.entries()) {
    const body = { name, subnets: [{ cidr: `10.77.${index + 1}.0/24` }] };
    const { status } = await stack.call('POST', '/v1/networks', body);
    expect(status).toBe(201);
  }
}, 60_000);

afterAll(async () => {
  await stack?.stop();
}, 30_000);

async function clientsOf(journal: Journal): Promise<ChaosClient[]> {
  const clients: ChaosClient[] = [];
  for (const [index, id] of ['ann', 'ben', 'cyd', 'dan'].entries()) {
    const containers = [];
    for (const part of ['x', 'y', 'z']) {
      const name = `${id}${part}`;
      containers.push({ name, ...(await stack.cluster.control.call('addContainer', { name })) });
    }
    const random = new Random(seed * 100 + index);
    clients.push(new ChaosClient({ stack, journal, random, id, networks, hosts, containers }));
  }
  return clients;
}

async function disturb(): Promise<string[]> {
  const random = new Random(seed);
  const until = performance.now() + seconds * 1_000;
  const inflicted: string[] = [];
  while (performance.now() < until) {
    const fault = nextFault(random);
    inflicted.push(faultText(fault));
    tell(faultText(fault));
    await inflict(stack, fault);
    await delay(random.between(50, 1_500));
  }
  return inflicted;
}

/** What the kernel and the history still owe is given a moment. */
async function auditInTime(journal: Journal): Promise<string[]> {
  const until = performance.now() + 12_000;
  for (;;) {
    const found = await audit(stack, journal).catch((thrown: unknown) => [String(thrown)]);
    if (found.length === 0 || performance.now() > until) return found;
    await delay(500);
  }
}

describe('chaos', () => {
  it(
    `leaves nothing wrong behind (seed ${seed})`,
    async () => {
      const journal = new Journal();
      const clients = await clientsOf(journal);
      const running = Promise.all(clients.map((client) => client.run()));
      const inflicted = await disturb();
      await delay(1_000);
      for (const client of clients) client.stop();
      await running;
      tell(`healing; ${JSON.stringify(journal.counts)}`);
      await calm(stack, 30_000);
      const found = await auditInTime(journal);
      tell(
        `audit: ${JSON.stringify(found, null, 1)}; ${inflicted.length} faults, live ${journal.live().length}`,
      );
      expect(found).toEqual([]);
      expect(journal.counts['attached']).toBeGreaterThan(20);
    },
    (seconds + 100) * 1_000,
  );
});
