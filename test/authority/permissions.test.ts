// What NATS itself lets each credential say and hear: a real server, real credentials, and every conversation and event that
// there is, so that a new one is covered the day it is written.

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  createAuthorityKeys,
  createHostKey,
  hostInboxPrefix,
  hostSigningOf,
  inboxPrefixOf,
  serverConfiguration,
  signHost,
  userCredentials,
  type UserName,
} from '@skein/authority';
import * as contracts from '@skein/contracts';
import type { Contract, EventContract } from '@skein/contracts';
import { parseCredentials, type NatsCredentials } from '@skein/messaging';
import { startNatsServer, type NatsServer } from '../support/nats-server';
import { Attacker } from './attacker';

jest.setTimeout(60_000);

const keys = createAuthorityKeys();
const all = Object.values(contracts) as unknown[];
const conversations = all.filter(
  (each): each is Contract => typeof (each as Contract)?.servedSubject === 'function',
);
const events = all.filter(
  (each): each is EventContract => typeof (each as EventContract)?.subjectOf === 'function',
);
/** Asked by whoever has no credential yet. */
const atTheDoor: readonly Contract[] = [contracts.joinContract, contracts.renewCredentialContract];

let server: NatsServer;
let h1: Attacker;
const opened: Attacker[] = [];

async function open(credentials: NatsCredentials, inboxPrefix: string): Promise<Attacker> {
  const attacker = await Attacker.connect({ servers: server.url, credentials, inboxPrefix });
  opened.push(attacker);
  return attacker;
}

async function openHost(id: string, ttlMs = 60_000): Promise<Attacker> {
  const { seed, publicKey } = createHostKey();
  const nowMs = Date.now();
  const jwt = await signHost(hostSigningOf(keys, ttlMs), { id, publicKey, nowMs });
  return open({ jwt: () => jwt, seed }, hostInboxPrefix(id));
}

async function openUser(name: UserName): Promise<Attacker> {
  return open(parseCredentials(await userCredentials(keys, name)), inboxPrefixOf(name));
}

const hasToken = ({ speaker, perInstance }: Contract): boolean =>
  speaker !== undefined || perInstance === true;

beforeAll(async () => {
  server = await startNatsServer({ config: await serverConfiguration(keys) });
  h1 = await openHost('h1');
});
afterAll(async () => {
  await Promise.all(opened.map((attacker) => attacker.close()));
  await server?.stop();
});

describe("a host's credential", () => {
  it('sees every conversation and event there is', () => {
    expect(conversations.length).toBeGreaterThan(45);
    expect(events.length).toBeGreaterThan(8);
    expect(conversations.filter(({ speaker }) => speaker !== undefined).length).toBeGreaterThan(1);
  });

  it.each(conversations.map((each) => [nameOf(each), each] as const))(
    '%s: asks as itself alone, and serves itself alone',
    async (_, contract) => {
      const isOwnQuestion = contract.speaker !== undefined && contract.service === 'registry';
      const isOwnService = contract.perInstance === true && contract.service === 'host-agent';
      if (!hasToken(contract)) {
        expect(await h1.maySay(contract.subject())).toBe(false);
        expect(await h1.mayHear(contract.subject())).toBe(false);
        return;
      }
      expect(await h1.maySay(contract.subject('h2'))).toBe(false);
      expect(await h1.mayHear(contract.subject('h2'))).toBe(false);
      expect(await h1.mayHear(contract.subject('h1').replace('.h1.', '.*.'))).toBe(false);
      expect(await h1.maySay(contract.subject('h1'))).toBe(isOwnQuestion);
      expect(await h1.mayHear(contract.subject('h1'))).toBe(isOwnService);
    },
  );

  it.each(events.map((each) => [`${each.noun}.${each.verb}`, each] as const))(
    'event %s: tells of itself alone, and hears of nobody',
    async (_, event) => {
      const of = (host: string) => event.subject.replace('*', host);
      expect(await h1.mayHear(event.subject)).toBe(false);
      if (event.speaker === undefined) return expect(await h1.maySay(event.subject)).toBe(false);
      expect(await h1.maySay(of('h2'))).toBe(false);
      expect(await h1.mayHear(of('h1'))).toBe(false);
      expect(await h1.maySay(of('h1'))).toBe(true);
    },
  );

  it.each([
    '>',
    '*.>',
    'skein.>',
    'skein.v1.>',
    'skein.v1.*.h1.*',
    'skein.v1.host-agent.>',
    'skein.v1.registry.>',
    'skein.v1.event.>',
    'skein.v1.watch.>',
    'skein.raft.>',
    '_INBOX.>',
    '_INBOX.host.>',
    '_INBOX.host.h2.>',
    '_INBOX.registry.>',
    '_INBOX.join.>',
    '$SRV.>',
    '$SRV.PING.registry',
    '$SYS.>',
  ])('does not hear %s', async (subject) => expect(await h1.mayHear(subject)).toBe(false));

  it.each([
    'skein.raft.local.m1',
    'skein.v1.watch.registry-1.1',
    '_INBOX.host.h2.x',
    '_INBOX.registry.x',
    '_INBOX.x',
    '$SRV.PING',
    '$SYS.REQ.SERVER.PING',
    'skein.v1.registry.h1.heartbeat.h2',
    'skein.v1.registry',
  ])('does not speak on %s', async (subject) => expect(await h1.maySay(subject)).toBe(false));

  it('hears what is asked of it, answers once, and not what was asked of another', async () => {
    const registry = await openUser('registry');
    const h2 = await openHost('h2');
    const subject = contracts.programContract.subject('h2');
    const inbox = `${inboxPrefixOf('registry')}.answer`;
    expect(await registry.mayHear(inbox)).toBe(true);
    expect(await h2.mayHear(subject)).toBe(true);
    registry.connection.publish(subject, '{}', { reply: inbox });
    await registry.connection.flush();
    await until(() => h2.heard.length > 0);
    expect(await h1.maySay(inbox, 'forged')).toBe(false);
    expect(await h2.maySay(inbox, 'true')).toBe(true);
    expect(await h2.maySay(inbox, 'again')).toBe(false);
    await until(() => registry.heard.length > 0);
    expect(registry.heard.map((message) => message.string())).toEqual(['"true"']);
    expect(h1.heard).toEqual([]);
  });

  it('holds for its time, and no longer', async () => {
    const ended = await openHost('h3', 2_000).then(
      (host) => host.connection.closed(),
      (refused: unknown) => refused,
    );
    expect(String(ended)).toMatch(/expired/i);
  });

  it('is no good with the wrong key, or signed by nobody that counts', async () => {
    const { publicKey } = createHostKey();
    const sign = (authority: typeof keys) =>
      signHost(hostSigningOf(authority, 60_000), { id: 'h1', publicKey, nowMs: Date.now() });
    const stolen = await sign(keys);
    const attempt = open({ jwt: () => stolen, seed: createHostKey().seed }, '_INBOX.x');
    await expect(attempt).rejects.toThrow(/authorization/i);
    const own = createHostKey();
    const forged = await signHost(
      { ...hostSigningOf(createAuthorityKeys(), 60_000), account: hostSigningOf(keys, 0).account },
      { id: 'h1', publicKey: own.publicKey, nowMs: Date.now() },
    );
    await expect(open({ jwt: () => forged, seed: own.seed }, '_INBOX.x')).rejects.toThrow(
      /authorization/i,
    );
  });
});

describe('who has no credential yet', () => {
  it.each(conversations.map((each) => [nameOf(each), each] as const))(
    '%s: may knock, and nothing else',
    async (_, contract) => {
      const join = await userOf('join');
      const subject = contract.subject(hasToken(contract) ? 'h1' : undefined);
      expect(await join.maySay(subject)).toBe(atTheDoor.includes(contract));
      expect(
        await join.mayHear(contract.servedSubject(hasToken(contract) ? 'h1' : undefined)),
      ).toBe(false);
    },
  );

  it('hears answers to those at the door, which are of no use without their keys', async () => {
    const join = await userOf('join');
    expect(await join.mayHear('_INBOX.join.x')).toBe(true);
    for (const subject of ['_INBOX.>', '_INBOX.host.h1.x', '>', 'skein.v1.event.>']) {
      expect(await join.mayHear(subject)).toBe(false);
    }
    for (const { subject } of events) expect(await join.maySay(subject)).toBe(false);
  });
});

describe('a service', () => {
  it.each([
    ['ipam', 'hear', 'skein.v1.host-agent.h1.program'],
    ['ipam', 'hear', 'skein.v1.registry.join'],
    ['ipam', 'say', 'skein.v1.host-agent.h1.program'],
    ['ipam', 'say', 'skein.v1.event.host.down'],
    ['registry', 'hear', 'skein.v1.store.put'],
    ['registry', 'hear', '_INBOX.gateway.x'],
    ['registry', 'say', 'skein.raft.local.m1'],
    ['registry', 'say', 'skein.v1.watch.registry-1.1'],
    ['gateway', 'hear', 'skein.v1.registry.join'],
    ['gateway', 'say', 'skein.v1.host-agent.h1.program'],
    ['gateway', 'say', 'skein.v1.registry.h1.heartbeat'],
    ['gateway', 'say', 'skein.v1.event.host.down'],
    ['consensus', 'hear', 'skein.v1.registry.join'],
    ['consensus', 'hear', 'skein.v1.host-agent.h1.program'],
  ] as const)('%s does not %s %s', async (name, act, subject) => {
    const user = await userOf(name);
    const may = act === 'hear' ? user.mayHear(subject) : user.maySay(subject);
    expect(await may).toBe(false);
  });
});

const users = new Map<UserName, Promise<Attacker>>();

function userOf(name: UserName): Promise<Attacker> {
  const known = users.get(name) ?? openUser(name);
  users.set(name, known);
  return known;
}

function nameOf({ service, verb, perInstance }: Contract): string {
  return `${service}.${perInstance === true ? '<instance>.' : ''}${verb}`;
}

async function until(holds: () => boolean): Promise<void> {
  const limit = Date.now() + 5_000;
  while (!holds()) {
    if (Date.now() > limit) throw new Error('it did not come');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
