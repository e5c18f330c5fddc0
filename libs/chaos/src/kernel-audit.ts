// Each host's kernel against the committed state: the overlays that should be there, each forwarding and neighbour row, and the
// addresses inside of every sandbox. Answers what differs, in words.

import type { EndpointRecord } from '@skein/contracts';
import { agentNetnsPrefix, type ControlClient } from '@skein/local-cluster';
import { probeOf } from '@skein/vxlan';
import type { Committed } from './committed';
import { addressesIn, fdbOf, namespaces, neighborsOf } from './kernel-view';
import { bare } from './ledger';

export async function kernelFaults(
  control: ControlClient,
  committed: Committed,
): Promise<string[]> {
  const names = await namespaces(control);
  const faults: string[] = [];
  for (const { id } of committed.hosts)
    faults.push(...(await hostFaults(control, committed, id, names)));
  faults.push(...(await sandboxFaults(control, committed, names)));
  return faults;
}

async function hostFaults(
  control: ControlClient,
  { endpoints, networks }: Committed,
  host: string,
  names: readonly string[],
): Promise<string[]> {
  const taking = new Set(
    endpoints.filter((one) => one.host === host).map(({ networkId }) => networkId),
  );
  const prefix = agentNetnsPrefix(host);
  const wanted = new Map(
    [...taking].map((id) => [`${prefix}${networks.get(id)?.vni}`, id] as const),
  );
  const found = names.filter((name) => name.startsWith(prefix));
  const faults = [
    ...differences([...wanted.keys()], found).map((text) => `${host}: overlay ${text}`),
  ];
  for (const [netns, networkId] of wanted) {
    if (!found.includes(netns)) continue;
    const remote = endpoints.filter((one) => one.networkId === networkId && one.host !== host);
    // Hosts probe each other inside the overlay where the kernel can; only of those that take part there may be rows.
    const probes = [...new Set(remote.map((one) => one.host))].map(probeOf);
    const isProbe = (mac: string) => probes.some((probe) => probe.mac === mac);
    const rows = (await fdbOf(control, netns)).filter(({ isRemote }) => isRemote);
    const fdb = rows.filter(({ mac }) => !isProbe(mac));
    const written = (await neighborsOf(control, netns)).filter(({ mac }) => !isProbe(mac));
    const macs = differences(
      remote.map(({ mac }) => mac),
      fdb.map(({ mac }) => mac),
    );
    const neighbors = differences(
      remote.flatMap(({ mac, addresses }) => addresses.map((each) => `${bare(each)} ${mac}`)),
      written.map(({ address, mac }) => `${address} ${mac}`),
    );
    faults.push(...macs.map((text) => `${host}: forwarding row in ${netns} ${text}`));
    faults.push(...neighbors.map((text) => `${host}: neighbour row in ${netns} ${text}`));
  }
  return faults;
}

/** No sandbox has what its endpoint does not hold; no address is in two. */
async function sandboxFaults(
  control: ControlClient,
  { endpoints }: Committed,
  names: readonly string[],
): Promise<string[]> {
  const bySandbox = new Map<string, EndpointRecord[]>();
  for (const one of endpoints) {
    const netns = one.sandbox?.netns.split('/').at(-1);
    if (netns !== undefined) bySandbox.set(netns, [...(bySandbox.get(netns) ?? []), one]);
  }
  const faults: string[] = [];
  for (const netns of names.filter((name) => name.startsWith('c-'))) {
    const wanted = (bySandbox.get(netns) ?? []).flatMap(({ addresses }) => addresses.map(bare));
    const found = await addressesIn(control, netns);
    faults.push(...differences(wanted, found).map((text) => `sandbox ${netns}: address ${text}`));
  }
  return faults;
}

function differences(wanted: readonly string[], found: readonly string[]): string[] {
  const [has, should] = [new Set(found), new Set(wanted)];
  return [
    ...[...should].filter((each) => !has.has(each)).map((each) => `${each} is missing`),
    ...[...has].filter((each) => !should.has(each)).map((each) => `${each} is on top`),
  ];
}
