// Sockets inside another network namespace: a short-lived child enters it, binds, and hands the sockets over. Knows nothing of
// what is said on them.

import { spawn } from 'node:child_process';
import type { Socket } from 'node:dgram';
import type { Server } from 'node:net';

export interface BoundSockets {
  readonly datagrams: readonly Socket[];
  readonly streams: readonly Server[];
}

export interface BindRequest {
  /** Path of the namespace's file. */
  readonly netns: string;
  readonly addresses: readonly string[];
  readonly port: number;
  /** Whether TCP is served beside UDP. Default true. */
  readonly hasStreams?: boolean;
}

const bindTimeoutMs = 5_000;

/** The child's whole program: it must not need a file, since the agent is one bundle. */
const program = `
const [port, kinds, ...addresses] = process.argv.slice(1);
const fail = (error) => { process.send({ fault: error.message }, () => process.exit(1)); };
const hand = (kind, handle) => new Promise((done) => process.send({ kind }, handle, {}, done));
(async () => {
  for (const address of addresses) {
    const type = address.includes(':') ? 'udp6' : 'udp4';
    const socket = require('dgram').createSocket(type);
    await new Promise((done, no) => { socket.once('error', no); socket.bind(+port, address, done); });
    await hand('datagrams', socket);
    if (kinds === 'datagrams') continue;
    const server = require('net').createServer();
    await new Promise((done, no) => { server.once('error', no); server.listen(+port, address, done); });
    await hand('streams', server);
  }
  process.send({ kind: 'done' }, () => process.disconnect());
  setTimeout(() => process.exit(0), 50).unref();
})().catch(fail);
`;

/** Rejects if the namespace is gone, an address is not there or the port is taken: nothing is left open then. */
export function bindSockets(request: BindRequest): Promise<BoundSockets> {
  const { netns, addresses, port, hasStreams = true } = request;
  return new Promise((resolve, reject) => {
    const datagrams: Socket[] = [];
    const streams: Server[] = [];
    const args = [
      `--net=${netns}`,
      '--',
      process.execPath,
      '--max-semi-space-size=1',
      '-e',
      program,
    ];
    const child = spawn(
      'nsenter',
      [...args, '--', String(port), hasStreams ? 'all' : 'datagrams', ...addresses],
      {
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      },
    );
    let isSettled = false;
    const settle = (fault: Error | null): void => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      if (fault === null) {
        resolve({ datagrams, streams });
        return;
      }
      child.kill('SIGKILL');
      closeSockets({ datagrams, streams });
      reject(fault);
    };
    const timer = setTimeout(() => settle(new Error('the sockets did not come')), bindTimeoutMs);
    child.on('message', (message: { kind?: string; fault?: string }, handle) => {
      if (message.kind === 'datagrams') datagrams.push(handle as Socket);
      else if (message.kind === 'streams') streams.push(handle as Server);
      else settle(message.fault === undefined ? null : new Error(message.fault));
    });
    child.on('error', settle);
    child.on('exit', (code) => settle(new Error(`the binding process ended with ${code}`)));
  });
}

export function closeSockets({ datagrams, streams }: BoundSockets): void {
  for (const socket of datagrams) quietly(() => socket.close());
  for (const server of streams) quietly(() => server.close());
}

/** A socket that failed may be closed already. */
function quietly(close: () => unknown): void {
  try {
    close();
  } catch {
    return;
  }
}
