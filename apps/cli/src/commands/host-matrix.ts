// skein host matrix: which host reaches which inside the overlay.

import pc from 'picocolors';
import type { Json } from '../client/api';
import type { Session } from '../session';

const colours: Readonly<Record<string, (text: string) => string>> = {
  ok: pc.green,
  damaged: pc.red,
  small: pc.yellow,
  none: pc.red,
};

export async function matrix({ api, out }: Session) {
  const found = await api.get('/v1/reachability');
  out.show(found, () => {
    const { hosts, pairs } = found;
    const cells = new Map<string, Json>(
      pairs.map((pair: Json) => [`${pair.from} ${pair.to}`, pair]),
    );
    const rows = hosts.map((from: Json) => [
      from.name,
      ...hosts.map((to: Json) => cell(from, to, cells.get(`${from.id} ${to.id}`))),
    ]);
    const heads = ['from \\ to', ...hosts.map((host: Json) => host.name)];
    const shown = out.table(
      heads,
      rows,
      'no hosts; each host registers itself when its agent starts',
    );
    const faulty = pairs.filter(({ state }: Json) => state !== 'ok');
    return [shown, ...faulty.map((pair: Json) => sentence(pair, hosts))].join('\n');
  });
}

function cell(from: Json, to: Json, pair: Json | undefined): string {
  if (from.id === to.id) return pc.dim('–');
  if (pair === undefined) return pc.dim('·');
  const time = pair.rttMs === undefined ? '' : ` ${pair.rttMs.toFixed(1)} ms`;
  return (colours[pair.state] ?? pc.red)(`${pair.state}${time}`);
}

const troubles: Readonly<Record<string, string>> = {
  damaged: 'frames come changed: look for checksum offloading on the way',
  small:
    'only small frames get through: the underlay carries less than its MTU says; set a lower `mtu`',
  none: 'nothing gets through: look at the underlay and its filters for the VXLAN port (UDP)',
};

/** What is wrong between two hosts, and where to look. */
export function sentence(pair: Json, hosts: readonly Json[]): string {
  const name = (id: string) => hosts.find((host) => host.id === id)?.name ?? id;
  const trouble = pair.mtu === undefined ? troubles[pair.state] : measured(pair.mtu);
  return `${name(pair.from)} → ${name(pair.to)} on ${pair.network}: ${trouble ?? pair.state}`;
}

/** Networks without an MTU of their own get it from the agents by themselves. */
function measured(mtu: number): string {
  return `an MTU of ${mtu} gets through and more does not: mend the underlay, or make the network with --mtu ${mtu}`;
}
