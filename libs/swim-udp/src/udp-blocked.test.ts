// A way that lets streams through and no datagrams, on real sockets: the member lives, and is told of as blocked.

import { createSocket, type Socket } from 'node:dgram';
import { connect, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { swimConfig, type SwimEvent } from '@skein/swim';
import { parseAddress } from './socket-address';
import { SwimUdp, type SwimUdpOptions } from './swim-udp';

const started: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((each) => each.stop()));
});

async function start(name: string, options: Partial<SwimUdpOptions> = {}): Promise<SwimUdp> {
  const config = swimConfig('local');
  const bind = { host: '127.0.0.1', port: 0 };
  const member = await SwimUdp.start({ name, bind, bootId: `boot-of-${name}`, config, ...options });
  started.push(member);
  return member;
}

/** An address before a member's own: streams pass always, datagrams while `passes`. */
class Front {
  passes = false;
  behind = 0;
  readonly #server: Server;
  readonly #socket: Socket;
  readonly #senders = new Map<number, Socket>();

  constructor() {
    this.#server = createServer({ allowHalfOpen: true }, (stream) => {
      const onward = connect({ port: this.behind, host: '127.0.0.1', allowHalfOpen: true });
      stream.on('error', () => onward.destroy());
      onward.on('error', () => stream.destroy());
      stream.pipe(onward).pipe(stream);
    });
    this.#socket = createSocket('udp4');
    this.#socket.on('message', (packet, { address, port }) => {
      if (this.passes) this.#onward(port, address).send(packet, this.behind, '127.0.0.1');
    });
  }

  /** A socket of its own for each sender, so that answers find back. */
  #onward(port: number, address: string): Socket {
    const known = this.#senders.get(port);
    if (known !== undefined) return known;
    const socket = createSocket('udp4');
    socket.on('message', (answer) => this.#socket.send(answer, port, address));
    this.#senders.set(port, socket);
    return socket;
  }

  async open(): Promise<string> {
    await new Promise<void>((done) => this.#socket.bind(0, '127.0.0.1', done));
    const { port } = this.#socket.address();
    await new Promise<void>((done) => this.#server.listen(port, '127.0.0.1', done));
    return `127.0.0.1:${port}`;
  }

  async stop(): Promise<void> {
    for (const socket of [this.#socket, ...this.#senders.values()]) {
      await new Promise<void>((done) => socket.close(done));
    }
    await new Promise<void>((done) => this.#server.close(() => done()));
  }
}

async function nextEvent(member: SwimUdp, kind: SwimEvent['kind'], name: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const unlisten = member.onEvent((event) => {
      if (event.kind !== kind || !('member' in event) || event.member.name !== name) return;
      unlisten();
      resolve();
    });
  });
}

describe('a member that no datagram reaches', () => {
  it('is alive by its streams, and called blocked until datagrams pass again', async () => {
    const front = new Front();
    const address = await front.open();
    started.push(front);
    const a = await start('a');
    const c = await start('c', { join: [a.self.address] });
    const told = Promise.all([a, c].map((each) => nextEvent(each, 'memberStreamOnly', 'b')));
    const dead: string[] = [];
    for (const each of [a, c]) each.onEvent(({ kind }) => kind === 'memberDead' && dead.push(kind));
    const port = await freePort();
    front.behind = port;
    const bind = { host: '127.0.0.1', port };
    await start('b', { bind, advertise: address, join: [a.self.address] });
    await told;
    const seenBy = (each: SwimUdp) => each.members().find(({ name }) => name === 'b');
    expect(seenBy(a)).toMatchObject({ reach: { isUdpBlocked: true, rttMs: null } });
    expect(a.members().find(({ name }) => name === 'c')?.reach.isUdpBlocked).toBe(false);

    const mended = nextEvent(a, 'memberDatagramsPass', 'b');
    front.passes = true;
    await mended;
    expect(seenBy(a)?.reach.isUdpBlocked).toBe(false);
    expect(dead).toEqual([]);
  }, 20_000);

  it('is told apart from one whose round trips are measured', async () => {
    const rtts: number[] = [];
    const a = await start('a', {
      onTrace: (trace) => {
        if (trace.kind === 'probeAcked' && trace.way === 'direct') rtts.push(trace.rttMs);
      },
    });
    const b = await start('b', { join: [a.self.address] });
    await nextEvent(a, 'memberAlive', 'b');
    for (let word = 0; rtts.length === 0; word += 1) {
      b.updateTags({ word: String(word) });
      await nextEvent(a, 'memberUpdated', 'b');
    }
    const reach = a.members().find(({ name }) => name === 'b')?.reach;
    expect(reach?.rttMs).toBeGreaterThan(0);
    expect(reach?.rttMs).toBeLessThanOrEqual(Math.max(...rtts));
    expect(reach?.isUdpBlocked).toBe(false);
  });
});

/** Asked of the system and given back: b must know its port before it is bound. */
async function freePort(): Promise<number> {
  const probe = await start('probe');
  const port = parseAddress(probe.self.address)?.port ?? 0;
  await probe.stop();
  return port;
}
