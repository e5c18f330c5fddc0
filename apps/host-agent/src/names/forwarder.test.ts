// Real sockets on loopback: a forwarder before name servers that behave and some that don't.

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import packet from 'dns-packet';
import { Forwarder, withLength } from './forwarder';

const servers: (Socket | Server)[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

type React = (message: Buffer, reply: (answer: Buffer) => void) => void;

async function datagramServer(react: React): Promise<number> {
  const socket = createSocket('udp4');
  servers.push(socket);
  socket.on('message', (message, { port, address }) => {
    react(message, (answer) => socket.send(answer, port, address, () => undefined));
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket.address().port;
}

async function streamServer(react: React): Promise<number> {
  const server = createServer((stream) => {
    stream.on('error', () => undefined);
    stream.once('data', (part) =>
      react(part.subarray(2), (answer) => stream.write(withLength(answer))),
    );
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const question = (id = 7, name = 'Example.com') =>
  packet.encode({
    type: 'query',
    id,
    flags: packet.RECURSION_DESIRED,
    questions: [{ type: 'A', name }],
  });
const answerTo = (message: Buffer, data = '192.0.2.1', code = 0) => {
  const { id, questions = [] } = packet.decode(message);
  const name = questions[0]?.name ?? '';
  return packet.encode({
    type: 'response',
    id: id ?? 0,
    flags: code,
    questions,
    answers: code === 0 ? [{ type: 'A', name, data }] : [],
  });
};
const forwarder = (port: number, names = ['127.0.0.1'], timeoutMs = 2_000) =>
  new Forwarder({ servers: () => names, port, timeoutMs });
const dataOf = (answer: Buffer | null) => {
  if (answer === null) return null;
  const { id, answers = [] } = packet.decode(answer);
  return [id, ...answers.map((record) => (record as { data: unknown }).data)];
};

describe('forwarder', () => {
  it.each([
    ['datagram', datagramServer],
    ['stream', streamServer],
  ] as const)(
    'asks by %s with an id of its own, and gives the answer the client’s',
    async (via, serve) => {
      const ids: number[] = [];
      const port = await serve((message, reply) => {
        ids.push(message.readUInt16BE(0));
        reply(answerTo(message));
      });
      const own = forwarder(port);
      for (const id of [7, 8, 9]) {
        expect(dataOf(await own.ask(question(id), via))).toEqual([id, '192.0.2.1']);
      }
      expect(ids).not.toEqual([7, 8, 9]);
    },
  );

  it('takes no answer with another id, nor to another question', async () => {
    const port = await datagramServer((message, reply) => {
      const forged = answerTo(message, '192.0.2.66');
      forged.writeUInt16BE((message.readUInt16BE(0) + 1) & 0xffff, 0);
      reply(forged);
      const other = Buffer.from(question(message.readUInt16BE(0), 'sxample.com'));
      reply(answerTo(other, '192.0.2.66'));
      reply(message);
      reply(Buffer.from('x'));
      reply(answerTo(message));
    });
    expect(dataOf(await forwarder(port).ask(question(), 'datagram'))).toEqual([7, '192.0.2.1']);
  });

  it('asks the next server where one fails, and tells the refusal if all do', async () => {
    const asked: string[] = [];
    const port = await datagramServer((message, reply) => {
      asked.push('one');
      reply(answerTo(message, '', 2));
    });
    const answer = await forwarder(port, ['127.0.0.1', '127.0.0.1']).ask(question(), 'datagram');
    expect(asked).toHaveLength(2);
    expect(packet.decode(answer as Buffer)).toMatchObject({ id: 7, rcode: 'SERVFAIL' });
  });

  it('answers nothing where nobody is, or nobody is known', async () => {
    const port = await datagramServer(() => undefined);
    expect(await forwarder(port, ['127.0.0.1'], 50).ask(question(), 'datagram')).toBeNull();
    expect(await forwarder(1).ask(question(), 'stream')).toBeNull();
    expect(await forwarder(port, []).ask(question(), 'datagram')).toBeNull();
  });

  it('asks once for all that wait for the same', async () => {
    let asked = 0;
    const port = await datagramServer((message, reply) => {
      asked += 1;
      setImmediate(() => reply(answerTo(message)));
    });
    const own = forwarder(port);
    const answers = await Promise.all([1, 2, 3].map((id) => own.ask(question(id), 'datagram')));
    expect(answers.map(dataOf)).toEqual([1, 2, 3].map((id) => [id, '192.0.2.1']));
    expect(asked).toBe(1);
  });

  it('breaks a loop: a question that comes back is not asked again', async () => {
    let asked = 0;
    const own: Forwarder = forwarder(
      await datagramServer((message, reply) => {
        asked += 1;
        const as = Buffer.from(message);
        if (asked % 2 === 0) as.writeUInt16BE(message.readUInt16BE(0) ^ 1, 0);
        void own.ask(as, 'datagram').then((answer) => answer !== null && reply(answer));
      }),
      ['127.0.0.1', '127.0.0.1'],
      100,
    );
    expect(await own.ask(question(), 'datagram')).toBeNull();
    expect(asked).toBe(2);
  });

  it('has no more than so many under way', async () => {
    const port = await datagramServer(() => undefined);
    const own = forwarder(port, ['127.0.0.1'], 300);
    const waiting = Array.from({ length: 256 }, (_, index) =>
      own.ask(question(1, `n${index}.example`), 'datagram'),
    );
    const late = own
      .ask(question(1, 'late.example'), 'datagram')
      .then((answer) => ['late', answer]);
    expect(await Promise.race([late, ...waiting])).toEqual(['late', null]);
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([null]));
  });
});
