// What the host itself routes, so that no network is made of it: the main table, both families, without its default route and
// without what belongs to every host.

import { cidr, cidrText, containsCidr, parseAddress, parseCidr, type Cidr } from '@skein/ip';
import { parseArrays } from './parse';
import { runCommand } from './run-command';

/** More would not help anybody: a host with a full table of the internet routes everything. */
export const maxHostRoutes = 256;

/** Loopback, link-local, multicast: no network can have them anyway. */
const ofEveryHost = ['127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', 'fe80::/10', 'ff00::/8'].map(
  cidr,
);

/** Canonical prefixes, each once; null if the kernel could not be asked. */
export async function hostRoutes(): Promise<string[] | null> {
  const input = 'route show table main\n';
  const read = await Promise.all(
    ['-4', '-6'].map((family) => runCommand(['ip', '-j', family, '-batch', '-'], input)),
  );
  if (read.some(({ exitCode }) => exitCode !== 0)) return null;
  return routesOf(read.flatMap(({ stdout }) => parseArrays(stdout)));
}

/** Of what `ip -j route` prints. */
export function routesOf(items: readonly Readonly<Record<string, unknown>>[]): string[] {
  const found = new Set<string>();
  for (const { dst, type } of items) {
    if (typeof dst !== 'string' || (type !== undefined && type !== 'unicast')) continue;
    const prefix = prefixOf(dst);
    if (prefix === null || prefix.prefixLength === 0) continue;
    if (ofEveryHost.some((one) => containsCidr(one, prefix))) continue;
    found.add(cidrText(prefix));
  }
  return [...found].sort().slice(0, maxHostRoutes);
}

function prefixOf(text: string): Cidr | null {
  if (text.includes('/')) {
    const parsed = parseCidr(text);
    return parsed.ok ? parsed.value : null;
  }
  const parsed = parseAddress(text);
  if (!parsed.ok) return null;
  const { family, value } = parsed.value;
  return { family, value, prefixLength: family === 4 ? 32 : 128 };
}
