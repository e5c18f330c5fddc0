// The supervisor's end of the control socket. Decodes, asks the handler, encodes; a bad line gets a typed error.

import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { SkeinError } from '@skein/contracts';
import type { z } from 'zod';
import { type ControlHandlers, type ControlMethod, controlMethods } from './control-protocol';

interface Line {
  readonly id: number;
  readonly method: ControlMethod;
  readonly params: unknown;
}

export function serveControl(path: string, handlers: ControlHandlers): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    createInterface({ input: socket }).on('line', (line) => {
      void answer(line, handlers).then((reply) => write(socket, reply));
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve(server));
  });
}

function write(socket: Socket, reply: object): void {
  if (!socket.destroyed) socket.write(`${JSON.stringify(reply)}\n`);
}

async function answer(text: string, handlers: ControlHandlers): Promise<object> {
  let id = 0;
  try {
    const line = JSON.parse(text) as Line;
    id = line.id;
    const method = controlMethods[line.method];
    if (method === undefined) throw new SkeinError('invalid_request', `no method '${line.method}'`);
    const params = method.params.safeParse(line.params);
    if (!params.success) throw misfit(params.error);
    const handler = handlers[line.method] as (params: unknown) => Promise<unknown>;
    return { id, result: await handler(params.data) };
  } catch (error) {
    return { id, error: SkeinError.from(error).toBody() };
  }
}

function misfit({ issues }: z.ZodError): SkeinError {
  const told = issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  const field = issues[0]?.path.join('.') ?? '';
  return new SkeinError('invalid_request', told.join('; '), field === '' ? {} : { field });
}
