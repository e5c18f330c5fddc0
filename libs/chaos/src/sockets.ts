// A UDP socket inside another network namespace: a short-lived child enters it, binds, and hands the socket over.

import { spawn } from 'node:child_process';
import type { Socket } from 'node:dgram';

const timeoutMs = 15_000;

/** The child's whole program. Both families on one socket; it takes addresses that come later. */
const program = `
const socket = require('dgram').createSocket({ type: 'udp6', ipv6Only: false });
socket.once('error', (error) => process.send({ fault: error.message }, () => process.exit(1)));
socket.bind(+process.argv[1], '::', () => {
  socket.setRecvBufferSize(1 << 20);
  process.send({}, socket, {}, () => process.disconnect());
  setTimeout(() => process.exit(0), 20).unref();
});
`;

/** Rejects if the namespace is gone. */
export function udpSocketIn(netns: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const node = [process.execPath, '--max-semi-space-size=1', '-e', program, '--', String(port)];
    const child = spawn('nsenter', [`--net=${netns}`, '--', ...node], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const timer = setTimeout(() => fail('no socket came'), timeoutMs);
    const fail = (message: string): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(message));
    };
    child.on('message', (message: { fault?: string }, handle) => {
      if (message.fault !== undefined) return fail(message.fault);
      clearTimeout(timer);
      resolve(handle as Socket);
    });
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => (code === 0 ? undefined : fail(`binding ended with ${code}`)));
  });
}
