// The servers that a host itself asks, from the text of its resolv.conf (resolv.conf(5)). Knows no file.

import { formatAddress, parseAddress } from '@skein/ip';

/** As many as resolvers take (MAXNS of resolv.h). */
export const maxNameservers = 3;

/** In order, each once; `own` are this host's resolvers, which would ask themselves. Lines that can't be read are passed over. */
export function nameserversOf(text: string, own: ReadonlySet<string>): string[] {
  const found = new Set<string>();
  for (const line of text.split('\n')) {
    const named = /^\s*nameserver\s+(\S+)/.exec(line)?.[1];
    const parsed = named === undefined ? undefined : parseAddress(named);
    if (parsed?.ok !== true) continue;
    const server = formatAddress(parsed.value);
    if (!own.has(server)) found.add(server);
  }
  return [...found].slice(0, maxNameservers);
}
