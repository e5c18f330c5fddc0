// What agents find out about each other by gossip, on real hosts: the time that a round trip takes, and an underlay that lets
// gossip's streams through and its datagrams not.

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { agentStatusContract } from '@skein/contracts';
import { Stack } from '../support/stack';

let stack: Stack;

beforeAll(async () => {
  stack = await Stack.start();
}, 60_000);

afterAll(() => stack?.stop(), 30_000);

interface Member {
  readonly host: string;
  readonly state: string;
  readonly rttMs?: number;
  readonly udpBlocked?: true;
}

async function membersOf(host: string): Promise<Member[]> {
  const answer = await stack.nats.request(agentStatusContract.subject(host), '{}');
  return answer.json<{ members: Member[] }>().members;
}

async function until<T>(ask: () => Promise<T>, holds: (found: T) => boolean): Promise<T> {
  for (let patience = 300; ; patience -= 1) {
    const found = await ask();
    if (holds(found)) return found;
    if (patience === 0) throw new Error(`waited in vain: ${JSON.stringify(found)}`);
    await delay(100);
  }
}

/** Whether datagrams of gossip come in at h3. */
async function gossipPasses(passes: boolean): Promise<void> {
  const chain =
    'chain in { type filter hook prerouting priority -300; udp dport 7946 drop; udp sport 7946 drop; }';
  const lines = ['table inet fault', 'delete table inet fault'];
  if (!passes) lines.push(`table inet fault { ${chain}\n}`);
  const argv = ['nft', `${lines.join('\n')}\n`];
  const { code, stderr } = await stack.cluster.control.call('run', { netns: 'host-h3', argv });
  expect(`${code} ${stderr}`).toBe('0 ');
}

const blocked = async (host: string): Promise<readonly string[] | undefined> =>
  (await stack.call('GET', `/v1/hosts/${host}`)).body.udpBlockedFrom;

it('measures round trips to every member', async () => {
  const measured = (members: Member[]): boolean =>
    members.filter(({ rttMs }) => rttMs !== undefined && rttMs > 0).length === 2;
  const members = await until(() => membersOf('h1'), measured);
  expect(members.map(({ host }) => host).sort()).toEqual(['h1', 'h2', 'h3']);
}, 60_000);

it('keeps a host up to which only streams get through, and says so until datagrams do', async () => {
  await gossipPasses(false);
  await until(
    () => blocked('h3'),
    (from) => from?.join() === 'h1,h2',
  );
  const [h3] = (await membersOf('h1')).filter(({ host }) => host === 'h3');
  expect(h3).toMatchObject({ state: 'alive', udpBlocked: true });
  expect((await stack.call('GET', '/v1/hosts/h3')).body.state).toBe('up');
  await gossipPasses(true);
  await until(
    () => blocked('h3'),
    (from) => from === undefined,
  );
}, 90_000);
