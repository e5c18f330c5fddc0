// The story of an overlay on the real kernel, told from inside a private world: two hosts on an underlay, containers as bare
// namespaces. Prints what it observed; overlay.test.ts says what it should have been.

import { execFileSync, fork, type ChildProcess } from 'node:child_process';
import { vethName, type OverlayShare } from '@skein/vxlan';
import type { HostReply, HostRequest } from './overlay-host';

function sh(script: string): string {
  return execFileSync('/bin/bash', ['-ec', script], { encoding: 'utf8' }).trim();
}

const containers = ['a', 'b', 'c', 'd'];
sh(`mount -t tmpfs tmpfs /run; mkdir -p /run/netns; ip link set lo up
  ip link add underlay type bridge; ip link set underlay up
  for h in 1 2; do
    ip netns add h$h; ip link add u$h type veth peer name eth0 netns h$h
    ip link set u$h master underlay up; ip -n h$h link set lo up; ip -n h$h link set eth0 up
    ip -n h$h addr add 192.0.2.$h/24 dev eth0
  done
  for c in ${containers.join(' ')}; do ip netns add $c; done`);

class Host {
  readonly #child: ChildProcess;

  constructor(readonly name: string) {
    this.#child = fork(
      new URL('./overlay-host.mjs', import.meta.url).pathname,
      [name, `192.0.2.${name.slice(1)}`],
      { execPath: 'nsenter', execArgv: [`--net=/run/netns/${name}`, '--', process.execPath] },
    );
  }

  ask(
    verb: HostRequest['verb'],
    share: OverlayShare,
    alsoSandboxes?: string[],
  ): Promise<HostReply> {
    return new Promise((resolve, reject) => {
      this.#child.once('message', (answer: { reply?: HostReply; fault?: string }) => {
        if (answer.reply !== undefined) resolve(answer.reply);
        else reject(new Error(answer.fault));
      });
      this.#child.send({ verb, share, ...(alsoSandboxes === undefined ? {} : { alsoSandboxes }) });
    });
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}

const hosts = [
  { id: 'h1', vtep: '192.0.2.1' },
  { id: 'h2', vtep: '192.0.2.2' },
];
const subnets = [
  { cidr: '10.1.0.0/24', gateway: '10.1.0.1' },
  { cidr: '10.2.0.0/24', gateway: '10.2.0.1' },
  { cidr: 'fd00:1::/64', gateway: 'fd00:1::1' },
];
const web = { id: 'web', vni: 100, mtu: 1450, subnets };
/** The same addresses again: another network is another world. */
const twin = { id: 'twin', vni: 101, mtu: 1450, subnets };

function endpoint(number: number, networkId: string, host: string, sandbox?: string, net = 1) {
  return {
    id: `${networkId}-${number}`,
    networkId,
    host,
    addresses: [`10.${net}.0.${number}/24`, `fd00:1::${number}/64`],
    mac: `02:42:0a:0${net}:00:0${number}`,
    ...(sandbox === undefined ? {} : { sandbox: { netns: `/run/netns/${sandbox}` } }),
  };
}

const a = endpoint(5, 'web', 'h1', 'a');
const b = endpoint(6, 'web', 'h2', 'b', 2);
const c = endpoint(5, 'twin', 'h2', 'c');
const d = endpoint(6, 'twin', 'h1', 'd', 2);
const shareOf = (endpoints: OverlayShare['endpoints']): OverlayShare => ({
  hosts,
  networks: [web, twin].filter(({ id }) => endpoints.some((item) => item.networkId === id)),
  endpoints,
});

/** Sends a datagram from one container to another and waits for it to come back. */
function roundTrip(from: string, to: string, address: string, bytes: number): string {
  const type = address.includes(':') ? 'udp6' : 'udp4';
  const echo = `const s=require('dgram').createSocket('${type}');
    s.on('message',(m,r)=>s.send(Buffer.concat([Buffer.from('${to}'),m]),r.port,r.address));
    s.bind(9,()=>console.log('ready'));`;
  const client = `const s=require('dgram').createSocket('${type}');
    s.on('message',(m)=>{console.log(String(m[0]===undefined?'':String.fromCharCode(m[0])),m.length);process.exit()});
    const send=()=>s.send(Buffer.alloc(${bytes}),9,'${address}');
    send();setInterval(send,300);setTimeout(()=>{console.log('nothing');process.exit()},2500);`;
  const inside = (container: string, program: string) =>
    `nsenter --net=/run/netns/${container} ${process.execPath} -e "${program}"`;
  return sh(`exec 3< <(${inside(to, echo)} & echo $!; wait)
    read -u 3 pid; read -u 3 ready
    ${inside(from, client)} || true
    kill $pid`);
}

async function drifts(host: Host, share: OverlayShare) {
  const inside = 'sk-h1-100';
  const row = b.mac;
  const steps: [string, string][] = [
    ['forwarding row', `bridge -n ${inside} fdb del ${row} dev vxlan0 self`],
    ['bridge row', `bridge -n ${inside} fdb del ${row} dev vxlan0 master`],
    ['neighbor', `ip -n ${inside} neigh del 10.2.0.6 dev br0`],
    [
      'foreign row',
      `bridge -n ${inside} fdb del ${row} dev vxlan0 self; bridge -n ${inside} fdb add ${row} dev vxlan0 self static dst 192.0.2.9`,
    ],
    [
      'row of a group',
      `bridge -n ${inside} fdb del ${row} dev vxlan0 self; ip -n h1 nexthop add id 7 via 192.0.2.2 fdb; ip -n h1 nexthop add id 8 group 7 fdb; bridge -n ${inside} fdb add ${row} dev vxlan0 self static nhid 8`,
    ],
    ['flood row', `bridge -n ${inside} fdb add 00:00:00:00:00:00 dev vxlan0 self dst 192.0.2.9`],
    ['gateway', `ip -n ${inside} addr del 10.1.0.1/24 dev br0`],
    ['port', `ip -n ${inside} link set vxlan0 nomaster`],
    ['device down', `ip -n ${inside} link set vxlan0 down`],
    ['device', `ip -n ${inside} link del vxlan0`],
    ['bridge', `ip -n ${inside} link del br0`],
    ['interface', `ip -n a link set eth0 down`],
    ['address', `ip -n a addr flush dev eth0`],
    ['veth', `ip -n a link del eth0`],
    ['namespace', `nsenter --net=/run/netns/${inside} ip link del vxlan0; ip netns del ${inside}`],
  ];
  const observed: Record<string, unknown> = {};
  for (const [name, script] of steps) {
    sh(script);
    const repaired = await host.ask('program', share, ['/run/netns/a']);
    const after = await host.ask('plan', share, ['/run/netns/a']);
    observed[name] = {
      repairs: repaired.repairs,
      faults: repaired.faults,
      left: after.changes,
      way: roundTrip('a', 'b', '10.2.0.6', 8),
    };
  }
  return observed;
}

/** Whether bridged frames pass the hooks of IP: as the namespace was made, once somebody changed it, and repaired; null: not with this kernel. */
async function detour(host: Host, share: OverlayShare) {
  const inside = (command: string) =>
    sh(`nsenter --net=/run/netns/sk-h1-100 sh -c 'cd /proc/sys/net/bridge && ${command}'`);
  if (sh('[ -w /proc/sys/net/bridge/bridge-nf-call-iptables ] || echo none') === 'none')
    return null;
  const read = () => inside('cat bridge-nf-call-iptables bridge-nf-call-ip6tables').split('\n');
  const made = read();
  inside('echo 1 > bridge-nf-call-iptables');
  const { repairs } = await host.ask('program', share);
  return { made, repairs, repaired: read() };
}

/** Makes the next devices of both namespaces have the same index. */
function alignIndexes(one: string, other: string): void {
  sh(`next() { ip -n $1 link add aside type bridge; ip -n $1 -o link show aside | cut -d: -f1; ip -n $1 link del aside; }
    p=$(next ${one}); q=$(next ${other})
    while [ $p -lt $q ]; do p=$(next ${one}); done
    while [ $q -lt $p ]; do q=$(next ${other}); done`);
}

/** What the bridge does with a port at the moment at which its endpoint is said to be plugged in. */
async function freshPort(host: Host, share: OverlayShare, id: string) {
  alignIndexes('sk-h1-100', 'd');
  const { faults } = await host.ask('program', share);
  const port = sh(`bridge -n sk-h1-100 -j link show dev ${vethName(id)}`);
  const inside = sh('ip -n d -j link show dev eth0');
  const [{ state, ifindex }] = JSON.parse(port) as [{ state: string; ifindex: number }];
  const [{ ifindex: other }] = JSON.parse(inside) as [{ ifindex: number }];
  return { faults, state, sameIndex: ifindex === other };
}

async function story() {
  const observed: Record<string, unknown> = {};
  const h1 = new Host('h1');
  const h2 = new Host('h2');
  const onlyA = shareOf([a]);
  const { sandbox: _, ...aSeen } = a;
  const { sandbox: __, ...bSeen } = b;
  const onH1 = shareOf([a, bSeen]);
  const onH2 = shareOf([aSeen, b]);
  const sandboxes = ['/run/netns/a'];

  const cold = await h1.ask('program', onlyA);
  const ofH2 = await h2.ask('program', onH2);
  const warm = await h1.ask('program', onH1);
  const again = await h1.ask('program', onH1, sandboxes);
  observed['attach'] = {
    faults: [...cold.faults, ...ofH2.faults, ...warm.faults],
    warm: warm.changes,
    again: again.changes,
    others: sh('ls /run/netns'),
  };
  observed['ways'] = {
    small: roundTrip('a', 'b', '10.2.0.6', 8),
    fullSize: roundTrip('a', 'b', '10.2.0.6', 1422),
    version6: roundTrip('a', 'b', 'fd00:1::6', 1402),
    back: roundTrip('b', 'a', '10.1.0.5', 8),
  };
  const neighborsOfA = sh('ip -n a neigh show 10.2.0.6');
  observed['neighbor'] = neighborsOfA.includes(b.mac);

  await h1.ask('program', shareOf([a, bSeen, endpoint(5, 'twin', 'h2'), d]));
  await h2.ask('program', shareOf([aSeen, b, c, endpoint(6, 'twin', 'h1', undefined, 2)]));
  observed['twins'] = {
    web: roundTrip('a', 'b', '10.2.0.6', 8),
    twin: roundTrip('c', 'd', '10.2.0.6', 8),
  };
  const left = await h1.ask('program', onH1);
  await h2.ask('program', onH2);
  observed['twin gone'] = {
    faults: left.faults,
    namespaces: sh('ls /run/netns'),
    d: sh('ip -n d -br link'),
  };

  const e = endpoint(9, 'web', 'h1', 'd');
  observed['fresh port'] = await freshPort(h1, shareOf([a, bSeen, e]), e.id);
  await h1.ask('program', onH1);

  observed['detour'] = await detour(h1, onH1);
  observed['drifts'] = await drifts(h1, onH1);

  h1.stop();
  const reborn = new Host('h1');
  const adopted = await reborn.ask('plan', onH1, sandboxes);
  observed['adopted'] = adopted.changes;
  const renumbered = { ...onH1, networks: [{ ...web, vni: 100, mtu: 1400 }] };
  observed['other mtu'] = (await reborn.ask('program', renumbered, sandboxes)).changes;
  observed['other mtu again'] = (await reborn.ask('plan', renumbered, sandboxes)).changes;

  const lost = { ...endpoint(7, 'web', 'h1'), sandbox: { netns: '/run/netns/nowhere' } };
  const taken = {
    ...endpoint(8, 'web', 'h1'),
    sandbox: { netns: '/run/netns/c', interface: 'lo' },
  };
  const partly = await reborn.ask('program', shareOf([a, bSeen, lost, taken]));
  observed['partly'] = { faults: partly.faults, way: roundTrip('a', 'b', '10.2.0.6', 8) };

  const nothing: OverlayShare = { hosts: [], networks: [], endpoints: [] };
  const gone = [await reborn.ask('program', nothing), await h2.ask('program', nothing)];
  observed['gone'] = {
    faults: gone.flatMap(({ faults }) => faults),
    namespaces: sh('ls /run/netns'),
    links: sh('for c in a b; do ip -n $c -br link; done'),
  };
  reborn.stop();
  h2.stop();
  return observed;
}

process.stdout.write(JSON.stringify(await story()));
