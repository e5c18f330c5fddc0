// Keys change while members gossip on real sockets: nobody is lost meanwhile, and who has only the old key is outside then.

import { afterEach, describe, expect, it } from '@jest/globals';
import { swimConfig, type SwimEvent } from '@skein/swim';
import { SwimUdp, type SwimUdpOptions } from './swim-udp';

const oldKey = new Uint8Array(32).fill(1);
const newKey = new Uint8Array(32).fill(2);
const started: SwimUdp[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((member) => member.stop()));
});

async function start(name: string, options: Partial<SwimUdpOptions>): Promise<SwimUdp> {
  const member = await SwimUdp.start({
    name,
    bind: { host: '127.0.0.1', port: 0 },
    bootId: `boot-of-${name}`,
    // Patient: a test machine that stands still for a moment must not look like a lost member.
    config: swimConfig('local', { suspicionMultiplier: 20 }),
    ...options,
  });
  started.push(member);
  return member;
}

async function startFour(options: Partial<SwimUdpOptions>): Promise<SwimUdp[]> {
  const seed = await start('a', options);
  const join = [seed.self.address];
  const others = await Promise.all(
    ['b', 'c', 'd'].map((name) => start(name, { ...options, join })),
  );
  const members = [seed, ...others];
  await Promise.all(members.map((each) => heard(each, () => each.members().length === 4)));
  return members;
}

/** Resolves when the condition holds; looks again after each event. */
async function heard(member: SwimUdp, holds: () => boolean): Promise<void> {
  if (holds()) return;
  await new Promise<void>((resolve) => {
    const unlisten = member.onEvent(() => {
      if (!holds()) return;
      unlisten();
      resolve();
    });
  });
}

/** What each tells of itself reaches all others. */
async function allHearAll(members: readonly SwimUdp[], word: string): Promise<void> {
  for (const member of members) member.updateTags({ word });
  const hasHeard = (member: SwimUdp): boolean =>
    member.members().filter(({ meta }) => meta.tags['word'] === word).length === members.length;
  await Promise.all(members.map((member) => heard(member, () => hasHeard(member))));
}

describe('gossip keys', () => {
  it('are added, used and removed on a running cluster; who missed it is no longer heard', async () => {
    const members = await startFour({ keys: [oldKey] });
    const events: SwimEvent['kind'][] = [];
    for (const member of members) member.onEvent(({ kind }) => events.push(kind));
    const refused = members.map((member) => member.stats().refused.unknownKey ?? 0);
    for (const keys of [[oldKey, newKey], [newKey, oldKey], [newKey]]) {
      // One after the other, with gossip in between under both rings.
      for (const [index, member] of members.entries()) {
        member.setKeys(keys);
        await allHearAll(members, `${keys.length}-${keys[0]?.[0]}-${index}`);
      }
    }
    expect(members.map((member) => member.stats().refused.unknownKey ?? 0)).toEqual(refused);
    expect(events).not.toContain('memberDead');

    const [first] = members as [SwimUdp, ...SwimUdp[]];
    const late = await start('late', { keys: [oldKey], join: [first.self.address] });
    await allHearAll(members, 'after');
    expect(first.members().map(({ name }) => name)).not.toContain(late.self.name);
    expect(late.members()).toHaveLength(1);
  }, 30_000);

  it('are turned on in a cluster that gossips in the clear', async () => {
    const members = await startFour({});
    const steps = [
      { isAccepted: true, isSent: true },
      { isAccepted: true, isSent: false },
      { isAccepted: false, isSent: false },
    ];
    for (const [step, plaintext] of steps.entries()) {
      for (const [index, member] of members.entries()) {
        member.setKeys([newKey], plaintext);
        await allHearAll(members, `${step}-${index}`);
      }
    }
    expect(members.map((member) => member.stats().refused)).toEqual([{}, {}, {}, {}]);
  }, 30_000);

  it('of another length are refused, and the ring stays as it was', async () => {
    const members = await startFour({ keys: [oldKey] });
    expect(() => members[0]?.setKeys([new Uint8Array(20)])).toThrow(RangeError);
    await allHearAll(members, 'still here');
  });
});
