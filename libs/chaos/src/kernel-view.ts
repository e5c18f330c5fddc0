// A host's kernel as `ip` and `bridge` show it, read past the agent: the overlays' namespaces, forwarding and neighbour rows, and
// the addresses inside of sandboxes.

import type { ControlClient } from '@skein/local-cluster';

export interface FdbRow {
  readonly mac: string;
  readonly device: string;
  readonly isRemote: boolean;
}

export interface NeighborRow {
  readonly address: string;
  readonly mac: string;
  readonly device: string;
}

interface FdbJson {
  readonly mac: string;
  readonly ifname: string;
  readonly flags?: readonly string[];
  readonly dst?: string;
  readonly state?: string;
}

interface NeighborJson {
  readonly dst: string;
  readonly dev: string;
  readonly lladdr?: string;
  readonly state: readonly string[];
}

async function json<T>(control: ControlClient, argv: string[], netns: string): Promise<T[]> {
  const { code, stdout, stderr } = await control.call('run', { netns, argv });
  if (code !== 0) throw new Error(`${argv.join(' ')} in ${netns}: ${stderr.trim() || code}`);
  return stdout.trim() === '' ? [] : (JSON.parse(stdout) as T[]);
}

export async function fdbOf(control: ControlClient, netns: string): Promise<FdbRow[]> {
  const rows = await json<FdbJson>(control, ['bridge', '-j', 'fdb', 'show'], netns);
  return rows.map(({ mac, ifname, dst }) => ({
    mac,
    device: ifname,
    isRemote: dst !== undefined,
  }));
}

/** Those that were written, not learnt. */
export async function neighborsOf(control: ControlClient, netns: string): Promise<NeighborRow[]> {
  const rows = await json<NeighborJson>(control, ['ip', '-j', 'neigh', 'show'], netns);
  return rows.flatMap(({ dst, dev, lladdr, state }) =>
    lladdr !== undefined && (state.includes('PERMANENT') || state.includes('NOARP'))
      ? [{ address: dst, mac: lladdr, device: dev }]
      : [],
  );
}

/** Addresses of a namespace that somebody could be reached by. */
export async function addressesIn(control: ControlClient, netns: string): Promise<string[]> {
  const links = await json<{ ifname: string; addr_info: { local: string; scope: string }[] }>(
    control,
    ['ip', '-j', 'addr', 'show'],
    netns,
  );
  return links
    .filter(({ ifname }) => ifname !== 'lo')
    .flatMap(({ addr_info }) => addr_info)
    .filter(({ scope }) => scope === 'global')
    .map(({ local }) => local);
}

export async function namespaces(control: ControlClient): Promise<string[]> {
  return (await control.call('netnsList', {})).names;
}
