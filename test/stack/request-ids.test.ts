// One request is found again by its id in the log of every process that had a part in it, also where several travelled in one message.

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Stack } from '../support/stack';

let stack: Stack;

beforeAll(async () => {
  stack = await Stack.start({ logLevel: 'debug' });
  await stack.call('POST', '/v1/networks', { name: 'web' });
  // From the second on each host is told of changes, not of the whole.
  for (const host of ['h1', 'h2']) await attach(host, `first-${host}`, 'before');
}, 60_000);

afterAll(() => stack?.stop(), 30_000);

async function attach(host: string, name: string, requestId: string): Promise<void> {
  const headers = { 'x-request-id': requestId };
  const body = { host, name };
  const { status } = await stack.call('POST', '/v1/networks/web/endpoints', body, headers);
  expect(status).toBe(201);
}

interface Line {
  readonly requestId?: string;
  readonly alsoFor?: readonly string[];
  readonly subject?: string;
}

/** Subjects under which a process has answered for this request, by process; the gateway answers over HTTP. */
function found(requestId: string): Record<string, string[]> {
  const folder = join(stack.cluster.record.dataDir, 'logs');
  const logs = readdirSync(folder).map((file): [string, string[]] => {
    const text = readFileSync(join(folder, file), 'utf8');
    const lines = text
      .split('\n')
      .filter((line) => line.startsWith('{') && line.includes(requestId));
    const own = lines
      .map((line) => JSON.parse(line) as Line)
      .filter((line) => line.requestId === requestId || line.alsoFor?.includes(requestId) === true)
      .map(({ subject = 'HTTP' }) => subject.replace(/^skein\.v1\./, ''));
    return [file.replace('.log', ''), [...new Set(own)].sort()];
  });
  return Object.fromEntries(logs.filter(([, subjects]) => subjects.length > 0));
}

async function leader(): Promise<string> {
  return (await stack.call('GET', '/v1/cluster')).body.leaderId as string;
}

/** What the logs have to show of an attach, once all has been written. */
async function expectEverywhere(requestId: string): Promise<void> {
  const expected = ['agent-h1', 'agent-h2', `consensus-${await leader()}`, 'gateway'];
  const all = [...expected, 'ipam', 'registry'].sort();
  for (let patience = 60; patience > 0; patience -= 1) {
    if (Object.keys(found(requestId)).length >= all.length) break;
    await delay(50);
  }
  const seen = found(requestId);
  expect([requestId, Object.keys(seen).sort()]).toEqual([requestId, all]);
  expect(seen['gateway']).toEqual(['HTTP']);
  expect(seen['ipam']).toEqual([expect.stringMatching(/^ipam\..*allocate/)]);
  expect(seen['agent-h2']).toEqual(['host-agent.h2.program']);
}

it('an attach alone', async () => {
  await attach('h1', 'alone', 'people-ask-1');
  await expectEverywhere('people-ask-1');
}, 30_000);

it('attaches that come at once, each of them', async () => {
  const ids = Array.from({ length: 12 }, (_, at) => `together-${at + 100}`);
  await Promise.all(ids.map((id, at) => attach(at % 2 === 0 ? 'h1' : 'h2', id, id)));
  for (const id of ids) await expectEverywhere(id);
}, 30_000);
