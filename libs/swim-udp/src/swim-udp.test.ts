// Real sockets on loopback: join, sudden death, return, leave, garbage.

import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { isLive, swimConfig, type MemberState, type SwimEvent } from '@skein/swim';
import { parseAddress } from './socket-address';
import { SwimUdp, type SwimUdpOptions } from './swim-udp';

const started: SwimUdp[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((member) => member.stop()));
});

async function start(name: string, options: Partial<SwimUdpOptions> = {}): Promise<SwimUdp> {
  const member = await SwimUdp.start({
    name,
    bind: { host: '127.0.0.1', port: 0 },
    bootId: `boot-of-${name}`,
    config: swimConfig('local'),
    ...options,
  });
  started.push(member);
  return member;
}

async function startCluster(names: readonly string[]): Promise<SwimUdp[]> {
  const [first, ...others] = names;
  const seed = await start(first as string);
  const join = [seed.self.address];
  const members = [seed, ...(await Promise.all(others.map((name) => start(name, { join }))))];
  await Promise.all(
    members.map((member) => until(member, () => liveNames(member) === names.length)),
  );
  return members;
}

function liveNames(member: SwimUdp): number {
  return member.members().filter(isLive).length;
}

/** Resolves when the condition holds; looks again after each event. */
async function until(member: SwimUdp, holds: () => boolean): Promise<void> {
  if (holds()) return;
  await new Promise<void>((resolve) => {
    const unlisten = member.onEvent(() => {
      if (!holds()) return;
      unlisten();
      resolve();
    });
  });
}

function stateOf(member: SwimUdp, name: string): MemberState | undefined {
  return member.members().find((other) => other.name === name)?.state;
}

describe('swim over UDP', () => {
  it('declares a member dead that vanished, and takes it back with a higher incarnation', async () => {
    const [a, b, c, d, e] = (await startCluster(['a', 'b', 'c', 'd', 'e'])) as [
      SwimUdp,
      SwimUdp,
      SwimUdp,
      SwimUdp,
      SwimUdp,
    ];
    const address = e.self.address;
    await e.stop();
    const others = [a, b, c, d];
    await Promise.all(others.map((member) => until(member, () => stateOf(member, 'e') === 'dead')));

    const bind = parseAddress(address);
    if (bind === null) throw new Error('unreachable');
    const again = await start('e', { bind, bootId: 'next boot', join: [a.self.address] });
    await Promise.all(
      others.map((member) => until(member, () => stateOf(member, 'e') === 'alive')),
    );
    expect(again.self.incarnation).toBeGreaterThan(1);
    for (const member of others) {
      const seen = member.members().find((other) => other.name === 'e');
      expect(seen).toMatchObject({ ...again.self, state: 'alive' });
    }
  }, 20_000);

  it('tells of a leave, which is no death', async () => {
    const [a, b, c] = (await startCluster(['a', 'b', 'c'])) as [SwimUdp, SwimUdp, SwimUdp];
    const events: SwimEvent['kind'][] = [];
    a.onEvent((event) => events.push(event.kind));
    await c.leave();
    await c.stop();
    await Promise.all([a, b].map((member) => until(member, () => stateOf(member, 'c') === 'left')));
    expect(events).toContain('memberLeft');
    expect(events).not.toContain('memberSuspect');
  });

  it('spreads new tags', async () => {
    const [a, b] = (await startCluster(['a', 'b'])) as [SwimUdp, SwimUdp];
    a.updateTags({ zone: 'north' });
    const zone = () => b.members().find((member) => member.name === 'a')?.meta.tags['zone'];
    await until(b, () => zone() === 'north');
    expect(zone()).toBe('north');
  });

  it('counts garbage and lives on', async () => {
    const [a, b] = (await startCluster(['a', 'b'])) as [SwimUdp, SwimUdp];
    const to = parseAddress(a.self.address);
    if (to === null) throw new Error('unreachable');
    const socket = createSocket('udp4');
    for (const garbage of ['', 'GET / HTTP/1.1', '\x51\x01garbage']) {
      await new Promise((sent) => socket.send(garbage, to.port, to.host, sent));
    }
    await new Promise<void>((closed) => socket.close(closed));
    await new Promise<void>((closed) => {
      const stream = connect(to.port, to.host, () => stream.end('\xff\xff\xff\xff too long'));
      stream.on('error', () => undefined);
      stream.on('close', () => closed());
      stream.resume();
    });
    // What b says after the garbage has come in after it.
    b.updateTags({ after: 'garbage' });
    await until(a, () => a.members().some((member) => member.meta.tags['after'] !== undefined));
    expect(a.stats().refused).toMatchObject({ truncated: 1, unknownFrameKind: 1 });
    expect(stateOf(a, 'b')).toBe('alive');
  });

  it('keeps out whoever has no key of the ring', async () => {
    const oldKey = new Uint8Array(32).fill(1);
    const newKey = new Uint8Array(32).fill(2);
    const a = await start('a', { keys: [oldKey] });
    const join = [a.self.address];
    await start('stranger', { join });
    await start('other', { join, keys: [newKey] });
    const b = await start('b', { join, keys: [newKey, oldKey], plaintext: { isAccepted: true } });
    const c = await start('c', { join, keys: [oldKey, newKey] });
    await until(c, () => liveNames(c) >= 2);
    await until(a, () => stateOf(a, 'c') === 'alive');
    expect(stateOf(a, 'stranger')).toBeUndefined();
    expect(stateOf(a, 'other')).toBeUndefined();
    // b seals with a key that a lacks: c understands it, a does not.
    b.join([c.self.address]);
    await until(c, () => stateOf(c, 'b') === 'alive');
    expect(a.stats().refused).toMatchObject({ plaintext: expect.any(Number) });
    expect(a.stats().refused).toMatchObject({ unknownKey: expect.any(Number) });
  });

  it('refuses what is no address, and a port that is taken', async () => {
    const a = await start('a');
    expect(() => a.join(['somewhere'])).toThrow(RangeError);
    const bind = parseAddress(a.self.address) ?? undefined;
    await expect(start('b', { bind })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('stops twice, and is silent then', async () => {
    const [a, b] = (await startCluster(['a', 'b'])) as [SwimUdp, SwimUdp];
    await b.stop();
    const { packetsOut } = b.stats();
    b.join([a.self.address]);
    await b.leave();
    expect(b.stats().packetsOut).toBe(packetsOut);
    await expect(b.stop()).resolves.toBeUndefined();
  });
});
