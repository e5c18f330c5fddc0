// `ip:port` and `[ip]:port` as the protocol writes addresses, to and from what sockets want. Resolves no names.

import { isIP, isIPv6 } from 'node:net';

export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}

export function formatAddress({ host, port }: SocketAddress): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Null unless it is an IP address and a port from 1 to 65535. */
export function parseAddress(text: string): SocketAddress | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  return isIP(host) !== 0 && port >= 1 && port <= 65_535 ? { host, port } : null;
}
