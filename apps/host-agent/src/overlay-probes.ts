// The probe's socket inside a network's namespace. Knows nothing of what is said on it.

import { existsSync } from 'node:fs';
import type { OpenProbeSocket } from '@skein/agent';
import { bindSockets, closeSockets } from './names/bind-sockets';

/** Reached on probes' own addresses only. */
const probeUdpPort = 7_947;
const ipv6File = '/proc/net/if_inet6';

/**
 * Probes have IPv6 addresses; a kernel without it has none. Whether this namespace uses it tells nothing of a network's own, which
 * begins with the kernel's defaults: a container's often does not.
 */
export const hasIpv6 = (): boolean => existsSync(ipv6File);

export function probeSockets(pathOf: (netns: string) => string): OpenProbeSocket {
  return async ({ netns, address }, on) => {
    const place = { netns: pathOf(netns), addresses: [address], port: probeUdpPort };
    const bound = await bindSockets({ ...place, hasStreams: false });
    const [socket] = bound.datagrams;
    if (socket === undefined) throw new Error('no socket came');
    let isClosed = false;
    const close = (): void => {
      isClosed = true;
      closeSockets(bound);
    };
    socket.on('message', (frame, { address: from }) => on.frame(frame, from));
    socket.on('error', () => {
      close();
      on.gone();
    });
    return {
      send: (frame, to) => {
        if (!isClosed) socket.send(frame, probeUdpPort, to, () => undefined);
      },
      close,
    };
  };
}
