// A process that stands between each replica and the NATS server, and can hold back what goes either way. What is held arrives
// late when the link heals, or never, as the test says. It knows bytes, not messages; its parent tells it what to do.

import { connect, createServer, type Socket } from 'node:net';

export interface LinkOrder {
  readonly kind: 'open' | 'set';
  readonly link: string;
  /** Whether bytes towards the server, and from it, go through. */
  readonly up: boolean;
  readonly down: boolean;
  /** Ends the connections that stand: what they held is lost. */
  readonly drop: boolean;
}

export interface LinkOpened {
  readonly link: string;
  readonly port: number;
}

interface Link {
  up: boolean;
  down: boolean;
  readonly pairs: Set<{ near: Socket; far: Socket }>;
}

const serverPort = Number(process.env['SKEIN_TEST_NATS_PORT']);
const links = new Map<string, Link>();

function flow({ up, down, pairs }: Link): void {
  for (const { near, far } of pairs) {
    pass(near, far, up);
    pass(far, near, down);
  }
}

/** Invariant: at most one pipe. A second one beside it would send every byte twice. */
function pass(from: Socket, to: Socket, isOpen: boolean): void {
  from.unpipe(to);
  if (isOpen) from.pipe(to, { end: false });
  else from.pause();
}

function open(name: string): void {
  const link: Link = { up: true, down: true, pairs: new Set() };
  links.set(name, link);
  const server = createServer((near) => {
    const far = connect({ host: '127.0.0.1', port: serverPort });
    const pair = { near, far };
    link.pairs.add(pair);
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        link.pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
      socket.on('end', () => socket.destroy());
    }
    flow({ ...link, pairs: new Set([pair]) });
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    process.send?.({ link: name, port } satisfies LinkOpened);
  });
}

function set({ link: name, up, down, drop }: LinkOrder): void {
  const link = links.get(name);
  if (link === undefined) return;
  link.up = up;
  link.down = down;
  if (drop) for (const { near, far } of link.pairs) [near, far].forEach((each) => each.destroy());
  flow(link);
}

process.on('message', (order: LinkOrder) => {
  if (order.kind === 'open') open(order.link);
  else set(order);
});
process.on('disconnect', () => process.exit(0));
