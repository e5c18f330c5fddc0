// The commands of iproute2 that carry out one change, and where each is to be run. No command is run here.

import {
  bridgeName,
  everybody,
  probeDevice,
  probePort,
  probePrefix,
  vxlanName,
  type Change,
} from '@skein/vxlan';
import { line, rowLine, type BatchLine } from './batch';

/** Interfaces that Skein made in a network's namespace, so that all of them can be deleted by one command. */
export const interfaceGroup = '83';

/** The stages of a network's pipeline, in the order in which they run. */
export interface NetworkLines {
  /** In the namespace, before devices arrive: what goes first, the bridge, its gateway addresses. */
  readonly ground: BatchLine[];
  /** In the host's namespace, from where a VXLAN device takes its underlay, and an engine the end of a veth. */
  readonly host: BatchLine[];
  /** In each sandbox, by path. */
  readonly sandboxes: Map<string, BatchLine[]>;
  /** In the namespace: the devices that have arrived. */
  readonly ports: BatchLine[];
  readonly neighbors: BatchLine[];
  /** In the namespace, for `bridge`. */
  readonly rows: BatchLine[];
  /** In the namespace, last. */
  readonly withdrawn: BatchLine[];
}

type Of<Kind extends Change['kind'], Action extends Change['action'] = Change['action']> = Extract<
  Change,
  { kind: Kind; action: Action }
>;

/** `path` is the namespace's file, so that a device made elsewhere can be put into it. */
export function networkLines(changes: readonly Change[], path: string): NetworkLines {
  const lines: NetworkLines = {
    ground: [],
    host: [],
    sandboxes: new Map(),
    ports: [],
    neighbors: [],
    rows: [],
    withdrawn: [],
  };
  for (const change of changes) addLines(lines, change, path);
  return lines;
}

function addLines(lines: NetworkLines, change: Change, path: string): void {
  switch (change.kind) {
    case 'underlay':
    case 'vni':
    case 'member':
      throw new Error(`'${change.kind}' belongs to the host`);
    case 'detour':
    case 'guard':
    case 'filter':
    case 'source':
      throw new Error(`'${change.kind}' is not iproute2's`);
    case 'namespace':
      lines.ground.push(line(change, ['link', 'set', 'dev', 'lo', 'up']));
      return;
    case 'bridge':
      lines.ground.push(...bridgeLines(change));
      return;
    case 'gateway':
      lines.ground.push(gatewayLine(change));
      return;
    case 'vxlan':
      if (change.replaces) lines.ground.push(deviceGone(change, vxlanName));
      if (change.isMissing || change.replaces) lines.host.push(vxlanLine(change, path));
      lines.ports.push(...portLines(change, vxlanName, ['neigh_suppress', 'on']));
      return;
    case 'veth':
      if (change.action === 'remove') {
        lines.ground.push(deviceGone(change, change.veth));
        return;
      }
      if (change.replaces) lines.ground.push(deviceGone(change, change.veth));
      if (change.sandbox === null) lines.host.push(...sourceLines(change, path));
      else addToSandbox(lines, change.sandbox, vethLines(change, path));
      return;
    case 'port':
      lines.ports.push(...portLines(change, change.veth, ['neigh_suppress', 'off']));
      lines.ports.push(toldLine(change));
      return;
    case 'probe':
      lines.ground.push(...probeDeviceLines(change));
      lines.ports.push(...probePortLines(change));
      return;
    case 'interface':
      addToSandbox(lines, change.sandbox, interfaceLines(change));
      return;
    case 'neighbor':
      if (change.action === 'put') lines.neighbors.push(neighborLine(change));
      else lines.withdrawn.push(neighborLine(change));
      return;
    case 'flood':
      lines.rows.push(...floodLines(change));
      return;
    case 'fdb':
      if (isPlainRow(change)) lines.rows.push(plainRowLine(change));
      else lines.rows.push(...rowLines(change));
      return;
  }
}

function addToSandbox(lines: NetworkLines, sandbox: string, more: BatchLine[]): void {
  const known = lines.sandboxes.get(sandbox);
  if (known === undefined) lines.sandboxes.set(sandbox, more);
  else known.push(...more);
}

function deviceGone(change: Change, device: string): BatchLine {
  return line(change, ['link', 'del', 'dev', device], { mayFail: true });
}

function bridgeLines(change: Of<'bridge'>): BatchLine[] {
  const set = ['link', 'set', 'dev', bridgeName];
  const mac = change.mac === undefined ? [] : ['address', change.mac];
  return [
    ...(change.isMissing
      ? [line(change, ['link', 'add', 'name', bridgeName, 'type', 'bridge'])]
      : []),
    line(change, [...set, 'addrgenmode', 'none', 'group', interfaceGroup]),
    line(change, [...set, ...mac, 'mtu', String(change.mtu), 'up']),
  ];
}

function gatewayLine(change: Of<'gateway'>): BatchLine {
  const { address } = change;
  if (change.action === 'remove') {
    return line(change, ['addr', 'del', address, 'dev', bridgeName], { mayFail: true });
  }
  return line(change, ['addr', 'replace', address, 'dev', bridgeName, ...withoutDad(address)]);
}

/** Addresses are unique by the store's word: duplicate address detection would only make an IPv6 one wait. */
function withoutDad(address: string): string[] {
  return address.includes(':') ? ['nodad'] : [];
}

function vxlanLine(change: Of<'vxlan'>, path: string): BatchLine {
  const { vni, local, vxlanPort, mtu } = change;
  const head = ['link', 'add', 'name', vxlanName, 'netns', path, 'mtu', String(mtu)];
  const kind = ['type', 'vxlan', 'id', String(vni), 'local', local, 'dstport', String(vxlanPort)];
  return line(change, [...head, ...kind, 'nolearning']);
}

function portLines(
  change: Of<'vxlan' | 'port' | 'probe'>,
  device: string,
  flags: readonly string[],
): BatchLine[] {
  const set = ['link', 'set', 'dev', device];
  const slave = ['type', 'bridge_slave', 'learning', 'off', 'flood', 'off', ...flags];
  const basics = ['addrgenmode', 'none', 'group', interfaceGroup, 'mtu', String(change.mtu)];
  return [
    line(change, [...set, ...basics, 'master', bridgeName]),
    line(change, [...set, ...slave]),
    line(change, [...set, 'up']),
  ];
}

/**
 * The bridge forwards through a port once the kernel has told it that the link is there. For a veth whose two ends happen to have
 * the same interface index that is put off by up to a second, and the container's first frames are lost. Whoever asks for a link
 * is answered after it was told (Linux 6.8, `rtnl_getlink`).
 */
function toldLine(change: Of<'port'>): BatchLine {
  return line(change, ['link', 'show', 'dev', change.veth], { mayFail: true });
}

/** Made anew, whatever is there: the rows through it follow. */
function probeDeviceLines(change: Of<'probe'>): BatchLine[] {
  const { mac } = change;
  const mtu = ['mtu', String(change.mtu)];
  return [
    deviceGone(change, probePort),
    line(change, [
      ...['link', 'add', 'name', probeDevice, 'address', mac, ...mtu],
      ...['type', 'veth', 'peer', 'name', probePort, ...mtu],
    ]),
  ];
}

function probePortLines(change: Of<'probe'>): BatchLine[] {
  const { address } = change;
  const prefixLength = probePrefix.slice(probePrefix.indexOf('/'));
  return [
    // The kernel answers ARP for the gateways on every interface of the namespace: this one is not to be asked.
    ...portLines(change, probePort, ['neigh_suppress', 'off', 'bcast_flood', 'off']),
    line(change, ['link', 'set', 'dev', probeDevice, 'addrgenmode', 'none']),
    line(change, ['addr', 'replace', `${address}${prefixLength}`, 'dev', probeDevice, 'nodad']),
    line(change, ['link', 'set', 'dev', probeDevice, 'up']),
  ];
}

/** What an earlier life left there is of no use any more. */
function sourceLines(change: Of<'veth', 'put'>, path: string): BatchLine[] {
  const { interface: name, mac, veth } = change;
  const mtu = ['mtu', String(change.mtu)];
  const near = ['link', 'add', 'name', name, 'address', mac, ...mtu];
  const far = ['type', 'veth', 'peer', 'name', veth, ...mtu, 'netns', path];
  return [deviceGone(change, name), line(change, [...near, ...far])];
}

function vethLines(change: Of<'veth', 'put'>, path: string): BatchLine[] {
  const { interface: name, mac, veth } = change;
  const mtu = ['mtu', String(change.mtu)];
  const near = ['link', 'add', 'name', name, 'address', mac, ...mtu];
  const far = ['type', 'veth', 'peer', 'name', veth, ...mtu, 'netns', path];
  return [
    line(change, ['link', 'set', 'dev', 'lo', 'up']),
    line(change, [...near, ...far]),
    ...addressLines(change, name),
  ];
}

function interfaceLines(change: Of<'interface'>): BatchLine[] {
  const { interface: name, mac } = change;
  const set = ['link', 'set', 'dev', name];
  return [
    ...(mac === undefined ? [] : [line(change, [...set, 'down'])]),
    line(change, [
      ...set,
      'mtu',
      String(change.mtu),
      ...(mac === undefined ? [] : ['address', mac]),
    ]),
    ...addressLines(change, name),
  ];
}

function addressLines(change: Of<'veth', 'put'> | Of<'interface'>, name: string): BatchLine[] {
  return [
    ...change.addresses.map((address) =>
      line(change, ['addr', 'replace', address, 'dev', name, ...withoutDad(address)]),
    ),
    line(change, ['link', 'set', 'dev', name, 'up']),
    ...change.routes.map((to) => line(change, ['route', 'replace', to, 'dev', name])),
  ];
}

function neighborLine(change: Of<'neighbor'>): BatchLine {
  const { address } = change;
  if (change.action === 'remove') {
    return line(change, ['neigh', 'del', address, 'dev', bridgeName], { mayFail: true });
  }
  const { mac } = change;
  const text = `neigh replace ${address} lladdr ${mac} dev ${bridgeName} nud permanent`;
  return rowLine(change, text, address, mac);
}

type PlainRow = Of<'fdb', 'put'> & { readonly vtep: string };

/** To another host, with nothing in its way: nearly all rows are so. */
function isPlainRow(change: Of<'fdb'>): change is PlainRow {
  return change.action === 'put' && change.vtep !== null && !change.replaces;
}

function plainRowLine(change: PlainRow): BatchLine {
  const { mac, port, vtep } = change;
  const text = `fdb replace ${mac} dev ${port} self master static dst ${vtep}`;
  return rowLine(change, text, mac, port, vtep);
}

/** One row a VTEP. One to be removed may be somebody else's, which says more, or names a group. */
function floodLines(change: Of<'flood'>): BatchLine[] {
  const named = change.vtep.split(' ');
  const target = named[0] === 'nhid' ? named : ['dst', ...named];
  const words = [everybody, 'dev', vxlanName, ...target, 'self'];
  const gone = line(change, ['fdb', 'del', ...words], { mayFail: true });
  if (change.action === 'remove') return [gone];
  return [gone, line(change, ['fdb', 'append', ...words, 'permanent'])];
}

function rowLines(change: Of<'fdb'>): BatchLine[] {
  const { mac } = change;
  const vxlanGone = line(change, ['fdb', 'del', mac, 'dev', vxlanName, 'self'], { mayFail: true });
  if (change.action === 'remove') {
    const onPort = ['fdb', 'del', mac, 'dev', change.port ?? vxlanName, 'master'];
    return [
      ...(change.port === null ? [] : [line(change, onPort, { mayFail: true })]),
      ...(change.onVxlan ? [vxlanGone] : []),
    ];
  }
  const put = ['fdb', 'replace', mac, 'dev', change.port];
  return [
    ...(change.replaces ? [vxlanGone] : []),
    change.vtep === null
      ? line(change, [...put, 'master', 'static'])
      : line(change, [...put, 'self', 'master', 'static', 'dst', change.vtep]),
  ];
}
