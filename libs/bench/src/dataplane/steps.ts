// From a bare veth pair to Skein's own path, one layer at a time, each built by hand beside the others on the same underlay: what
// the next layer costs is the difference between two lines. Knows nothing of how a transfer is measured.

import type { Place } from '../docker/places';
import type { Way } from './transfer';

export interface Step {
  readonly step: string;
  readonly title: string;
  readonly way: Way;
  /** Commands for the private world, run once. */
  readonly build: readonly string[];
}

const hosts = [1, 2] as const;
type Side = (typeof hosts)[number];
const other = (side: Side): Side => (side === 1 ? 2 : 1);
const hostNetns = (side: Side): string => `host-h${side}`;
const vtep = (side: Side): string => `192.0.2.${side}`;
const mtu = 1_450;

interface Stage {
  readonly at: number;
  /** The VXLAN device lives in the host's own namespace. */
  readonly inHost?: true;
  /** Between the device and the address: a bridge, and a veth pair into a sandbox. */
  readonly bridged?: true;
  /** Known rows only: nothing is learned, flooded, or asked of the other side. */
  readonly quiet?: true;
}

const mac = (at: number, side: Side): string => `02:be:00:00:${hex(at)}:${hex(side)}`;
const hex = (value: number): string => value.toString(16).padStart(2, '0');
const address = (at: number, side: Side): string => `10.250.${at}.${side}`;

function nameOf(stage: Stage, side: Side): string {
  return stage.inHost === true ? hostNetns(side) : `step${stage.at}-${side}`;
}

/** Where the address is. */
function endOf(stage: Stage, side: Side): string {
  return stage.bridged === true ? `step${stage.at}-${side}-in` : nameOf(stage, side);
}

function buildSide(stage: Stage, side: Side): string[] {
  const { at, inHost, bridged, quiet } = stage;
  const netns = nameOf(stage, side);
  const end = endOf(stage, side);
  const host = hostNetns(side);
  const device = `bench${at}`;
  const there = inHost === true ? '' : `netns ${netns} `;
  const learning = quiet === true ? ' nolearning' : '';
  const kind = `type vxlan id ${9_000_000 + at} local ${vtep(side)} dstport 4789${learning}`;
  const lines = [
    ...(inHost === true ? [] : [`ip netns add ${netns}`]),
    ...(end === netns ? [] : [`ip netns add ${end}`, `ip -n ${end} link set lo up`]),
    `ip -n ${host} link add ${device} ${there}mtu ${mtu} ${kind}`,
  ];
  const to = `dst ${vtep(other(side))}`;
  const far = mac(at, other(side));
  const flag = quiet === true ? 'self master static' : 'self permanent';
  if (bridged !== true) {
    lines.push(`ip -n ${netns} link set ${device} address ${mac(at, side)}`);
    lines.push(`bridge -n ${netns} fdb replace ${far} dev ${device} self permanent ${to}`);
    lines.push(...addressed(netns, device, stage, side));
    return lines;
  }
  lines.push(`ip -n ${netns} link add br0 mtu ${mtu} type bridge`);
  lines.push(`ip -n ${netns} link set ${device} master br0 up`, `ip -n ${netns} link set br0 up`);
  const near = `link add eth0 address ${mac(at, side)} mtu ${mtu} type veth`;
  lines.push(`ip -n ${end} ${near} peer name v${at} mtu ${mtu} netns ${netns}`);
  lines.push(`ip -n ${netns} link set v${at} master br0 up`);
  if (quiet === true) {
    const slave = 'type bridge_slave learning off flood off';
    lines.push(`ip -n ${netns} link set ${device} ${slave} neigh_suppress on`);
    lines.push(`ip -n ${netns} link set v${at} ${slave}`);
    lines.push(`bridge -n ${netns} fdb replace ${mac(at, side)} dev v${at} master static`);
  }
  lines.push(`bridge -n ${netns} fdb replace ${far} dev ${device} ${flag} ${to}`);
  lines.push(...addressed(end, 'eth0', stage, side));
  return lines;
}

/** The other side's MAC is known, so that no step waits for an answer that another does not need. */
function addressed(netns: string, device: string, { at }: Stage, side: Side): string[] {
  const neighbor = `${address(at, other(side))} lladdr ${mac(at, other(side))}`;
  return [
    `ip -n ${netns} addr add ${address(at, side)}/24 dev ${device}`,
    `ip -n ${netns} link set ${device} up`,
    `ip -n ${netns} neigh replace ${neighbor} dev ${device} nud permanent`,
  ];
}

function stepOf(step: string, title: string, stage: Stage): Step {
  const place = (side: Side): Place => ({ at: 'netns', name: endOf(stage, side) });
  return {
    step,
    title,
    way: { client: place(1), server: place(2), address: address(stage.at, 2) },
    build: hosts.flatMap((side) => buildSide(stage, side)),
  };
}

const bare: Step = {
  step: 'veth',
  title: 'bare veth between the hosts',
  way: {
    client: { at: 'netns', name: hostNetns(1) },
    server: { at: 'netns', name: hostNetns(2) },
    address: vtep(2),
  },
  build: [],
};

export const steps: readonly Step[] = [
  bare,
  stepOf('vxlan', '+ VXLAN', { at: 1, inHost: true }),
  stepOf('namespace', '+ a namespace of its own', { at: 2 }),
  stepOf('bridge', '+ bridge and veth into a sandbox', { at: 3, bridged: true }),
  stepOf('rows', '+ known rows only', { at: 4, bridged: true, quiet: true }),
];
