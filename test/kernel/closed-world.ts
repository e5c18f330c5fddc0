// The story of networks that outsiders and impostors try to enter, told from inside a private world: three hosts on an underlay of
// both families, the third with no part in anything. Prints what it observed; closed.test.ts says what it should have been.

import { execFile, execFileSync, fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { keyOf, vethName, type OverlayShare } from '@skein/vxlan';
import { IprouteKernel } from '@skein/vxlan-iproute';
import { forged, forgers, nft, trackConnections, trackedAt } from './forged-frames';
import { heard, hello } from './greetings';
import type { HostReply, HostRequest } from './overlay-host';

const run = promisify(execFile);

function sh(script: string): string {
  return execFileSync('/bin/bash', ['-ec', script], { encoding: 'utf8' }).trim();
}

sh(`mount -t tmpfs tmpfs /run; mkdir -p /run/netns; ip link set lo up
  ip link add underlay type bridge; ip link set underlay up
  for h in 1 2 3; do
    ip netns add h$h; ip link add u$h type veth peer name eth0 netns h$h
    ip link set u$h master underlay up; ip -n h$h link set lo up; ip -n h$h link set eth0 up
    ip -n h$h addr add 192.0.2.$h/24 dev eth0; ip -n h$h addr add 2001:db8::$h/64 dev eth0 nodad
  done
  for c in a b c d e f; do ip netns add $c; done`);

class Host {
  readonly #child: ChildProcess;

  constructor(place: string, vtep: string, more: readonly string[] = []) {
    this.#child = fork(
      new URL('./overlay-host.mjs', import.meta.url).pathname,
      [place, vtep, ...more],
      { execPath: 'nsenter', execArgv: [`--net=/run/netns/${place}`, '--', process.execPath] },
    );
  }

  async ask(verb: HostRequest['verb'], share: OverlayShare): Promise<HostReply> {
    this.#child.send({ verb, share });
    const [answer] = (await once(this.#child, 'message')) as [
      { reply?: HostReply; fault?: string },
    ];
    if (answer.reply === undefined) throw new Error(answer.fault);
    return answer.reply;
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}

const subnets = [
  { cidr: '10.1.0.0/24', gateway: '10.1.0.1' },
  { cidr: 'fd00:1::/64', gateway: 'fd00:1::1' },
];
const web = { id: 'web', vni: 100, mtu: 1450, subnets };

function endpoint(name: string, number: number, host: string, networkId = 'web') {
  return {
    id: `${networkId}-${name}`,
    networkId,
    host,
    addresses: [`10.1.0.${number}/24`, `fd00:1::${number}/64`],
    mac: `02:42:0a:01:00:0${number}`,
    sandbox: { netns: `/run/netns/${name}` },
  };
}

const v4 = [1, 2].map((number) => ({ id: `h${number}`, vtep: `192.0.2.${number}` }));
const v6 = [1, 2].map((number) => ({ id: `h${number}`, vtep: `2001:db8::${number}` }));
const a = endpoint('a', 5, 'h1');
const b = endpoint('b', 6, 'h2');
const c = endpoint('c', 7, 'h1');

/** As a host sees it: sandboxes of its own endpoints alone. */
function shareOf(
  self: string,
  hosts: OverlayShare['hosts'],
  endpoints: readonly ReturnType<typeof endpoint>[],
  network: OverlayShare['networks'][number] = web,
): OverlayShare {
  return {
    hosts,
    networks: [network],
    endpoints: endpoints.map(({ sandbox, ...rest }) =>
      rest.host === self ? { ...rest, sandbox } : rest,
    ),
  };
}

/** What becomes of a's address at c when c asks a alone whether it is still there. */
async function askedAgain(): Promise<boolean> {
  const row = 'fd00:1::5 dev eth0';
  sh(`ip -n c neigh replace ${row} lladdr ${a.mac} nud probe`);
  for (let look = 0; look < 50; look += 1) {
    if (/REACHABLE/.test(sh(`ip -n c neigh show ${row}`))) return true;
    await delay(100);
  }
  return false;
}

async function impostors(h1: Host, share: OverlayShare) {
  const drops = async () => (await h1.ask('plan', share)).dropped['sk-h1-100'] ?? 0;
  const before = await drops();
  const observed: Record<string, unknown> = {
    'nothing dropped before': before,
    'own address': await heard({ from: 'a', to: 'c' }, hello('10.1.0.7')),
    'own address, v6': await heard({ from: 'a', to: 'c', at: '::' }, hello('fd00:1::7')),
    'asked again': await askedAgain(),
    'nothing dropped after': await drops(),
  };
  sh(`ip -n a addr add 10.1.0.66/24 dev eth0; ip -n a addr add fd00:1::66/64 dev eth0 nodad`);
  observed['other address'] = await heard({ from: 'a', to: 'c' }, hello('10.1.0.7', '10.1.0.66'));
  observed['other address to the host elsewhere'] = await heard(
    { from: 'a', to: 'b' },
    hello('10.1.0.6', '10.1.0.66'),
  );
  observed['other address, v6'] = await heard(
    { from: 'a', to: 'c', at: '::' },
    hello('fd00:1::7', 'fd00:1::66'),
  );
  const counted = await drops();
  observed['counted'] = counted > before;
  // A neighbor of the same host asks for what a does not own: a answers, and nobody hears it.
  await heard({ from: 'c', to: 'a' }, hello('10.1.0.66'));
  await heard({ from: 'c', to: 'a', at: '::' }, hello('fd00:1::66'));
  const known = (text: string) => /lladdr/.test(sh(`ip -n c neigh show ${text}`));
  observed['claimed by arp'] = known('10.1.0.66');
  observed['claimed by advertisement'] = known('fd00:1::66');
  observed['claims counted'] = (await drops()) > counted;
  sh(`ip -n a addr del 10.1.0.66/24 dev eth0; ip -n a addr del fd00:1::66/64 dev eth0
    ip -n a link set eth0 address 02:42:0a:01:00:07`);
  observed['other mac'] = await heard({ from: 'a', to: 'b' }, hello('10.1.0.6'));
  sh('ip -n a link set eth0 address 02:42:0a:01:00:05');
  await h1.ask('program', share);
  observed['own again'] = await heard({ from: 'a', to: 'b' }, hello('10.1.0.6'));
  sh(`nsenter --net=/run/netns/sk-h1-100 nft delete table netdev skein-sources
    ip -n a addr add 10.1.0.66/24 dev eth0`);
  observed['other address without the filter'] = await heard(
    { from: 'a', to: 'c' },
    hello('10.1.0.7', '10.1.0.66'),
  );
  sh('ip -n a addr del 10.1.0.66/24 dev eth0');
  await h1.ask('program', share);
  return observed;
}

async function rulesDrift(h1: Host, share: OverlayShare) {
  const enter = 'nsenter --net=/run/netns/sk-h1-100';
  const inside = `${enter} nft`;
  const host = 'nsenter --net=/run/netns/h1 nft';
  const table = 'netdev skein-sources';
  const port = vethName(a.id);
  const foreign = 'v0123456789ab';
  const steps: [string, string][] = [
    ['table', `${inside} delete table ${table}`],
    ['shared rules', `${inside} flush chain ${table} version4`],
    ['rules of a port', `${inside} flush chain ${table} ${port}`],
    ['one rule of a port', `${inside} delete rule ${table} ${port} handle $(${lastHandle(port)})`],
    ['chain', `${inside} flush chain ${table} ${port}; ${inside} delete chain ${table} ${port}`],
    [
      'foreign chain',
      `${enter} ip link add ${foreign} type bridge
      ${inside} list chain ${table} ${port} | sed s/${port}/${foreign}/ | ${inside} -f -`,
    ],
    ['port', `${host} delete table inet sk-h1-members`],
    ['port rules', `${host} flush chain inet sk-h1-members vxlan`],
    ['port tracking', `${host} flush chain inet sk-h1-members prerouting`],
    ['member', `${host} delete element inet sk-h1-members version4 '{ 192.0.2.2 . 100 }'`],
    ['stranger', `${host} add element inet sk-h1-members version4 '{ 192.0.2.3 . 100 }'`],
    ['vni', `${host} delete element inet sk-h1-members vnis '{ 100 }'`],
  ];
  const observed: Record<string, unknown> = {};
  for (const [name, script] of steps) {
    sh(script);
    const { repairs, faults } = await h1.ask('program', share);
    const { changes } = await h1.ask('plan', share);
    observed[name] = { repairs, faults, left: changes };
  }
  return observed;
}

/** Two ports get their filter at once, and for one of them that fails: a chain of its name is in use. */
async function oneUnfiltered() {
  const kernel = new IprouteKernel({ netnsDir: '/run/netns', netnsPrefix: 'sk-h1-' });
  const netns = 'sk-h1-100';
  const port = vethName(a.id);
  const of = { networkId: web.id, netns, reason: 'a test' };
  const source = { port, mac: a.mac, addresses: ['10.1.0.5', '10.1.0.55'] };
  const unfit = { port: 'version4', mac: a.mac, addresses: ['10.1.0.9'] };
  const faults = await kernel.apply([
    { kind: 'source', action: 'put', source: unfit, ...of },
    { kind: 'source', action: 'put', source, ...of },
    { kind: 'port', action: 'put', veth: 'version4', mtu: web.mtu, ...of },
    { kind: 'port', action: 'put', veth: port, mtu: web.mtu, ...of },
  ]);
  const rules = sh(`nsenter --net=/run/netns/${netns} nft list chain netdev skein-sources ${port}`);
  return { faults: faults.map(({ change }) => keyOf(change)), let: rules.includes('10.1.0.55') };
}

/** Prints the handle of a chain's last rule. */
function lastHandle(chain: string): string {
  const listed = `nsenter --net=/run/netns/sk-h1-100 nft -a list chain netdev skein-sources ${chain}`;
  return `${listed} | sed -n 's/.*comment.*handle //p' | tail -1`;
}

async function outsider(h1: Host, share: OverlayShare, outer: { from: string; to: string }) {
  const device = `ip -n h3 link add vx type vxlan id 100 local ${outer.from} remote ${outer.to} dstport 4789
    ip -n h3 link set vx address 02:42:0a:01:00:06 up; ip -n h3 addr add 10.1.0.6/24 dev vx
    ip -n h3 neigh add 10.1.0.5 lladdr ${a.mac} dev vx`;
  sh(device);
  const say = () => heard({ from: 'h3', to: 'a' }, hello('10.1.0.5', '10.1.0.6'));
  const isHeard = await say();
  const { dropped } = await h1.ask('plan', share);
  sh('nsenter --net=/run/netns/h1 nft delete table inet sk-h1-members');
  const withoutFilter = await say();
  sh('ip -n h3 link del vx');
  await h1.ask('program', share);
  return {
    heard: isHeard,
    counted: (dropped['port'] ?? 0) > 0,
    'heard without the filter': withoutFilter,
  };
}

/** With connection tracking in both hosts, as where Docker translates addresses. */
async function tracking(h1: Host, share: OverlayShare) {
  const say = () => heard({ from: 'a', to: 'b' }, hello('10.1.0.6'));
  const members = () => nft('h1', ['list', 'set', 'inet', 'sk-h1-members', 'version4']);
  const strangers = async () => (await h1.ask('plan', share)).dropped['port'] ?? 0;
  const first = await strangers();
  const forgedBefore = await forgers();
  const second = await strangers();
  for (const host of ['h1', 'h2']) trackConnections(host);
  const forgedThen = await forgers();
  const third = await strangers();
  for (const host of ['h1', 'h2']) trackedAt(host);
  const way = await say();
  const back = await heard({ from: 'b', to: 'a' }, hello('10.1.0.5'));
  const [at1, at2] = [trackedAt('h1'), trackedAt('h2')];
  const counted = /192\.0\.2\.2 \. 0x64 counter packets [1-9]/.test(members());
  sh(`nsenter --net=/run/netns/h1 sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
    ip -n h3 route add 198.51.100.9 via 192.0.2.1; ip -n h1 route add 198.51.100.9 dev eth0`);
  await run('nsenter', [
    '--net=/run/netns/h3',
    process.execPath,
    '-e',
    forged({ to: '198.51.100.9' }),
  ]);
  const passing = trackedAt('h1')['forward'];
  sh('nsenter --net=/run/netns/h1 nft delete table inet sk-h1-members');
  await say();
  const withoutFilter = trackedAt('h1')['output'];
  const forgedWithout = await forgers();
  await h1.ask('program', share);
  for (const host of ['h1', 'h2'])
    nft(host, ['-f', '-'], 'delete table ip nat\ndelete table inet watch\n');
  return {
    heard: { before: forgedBefore, then: forgedThen, 'without the filter': forgedWithout },
    'strangers counted': { before: second - first, then: third - second },
    ...{ way, back, 'member counted': counted, at1, at2, passing },
    'output without the filter': withoutFilter,
  };
}

async function multicast(h1: Host, h2: Host, members: readonly ReturnType<typeof endpoint>[]) {
  const loud = { ...web, multicast: true as const };
  const say = (to: string, address: string) => heard({ from: 'a', to }, hello(address, '10.1.0.5'));
  const quiet = { here: await say('c', '10.1.0.255'), elsewhere: await say('b', '10.1.0.255') };
  const on = await h1.ask('program', shareOf('h1', v4, members, loud));
  await h2.ask('program', shareOf('h2', v4, members, loud));
  const aloud = { here: await say('c', '10.1.0.255'), elsewhere: await say('b', '10.1.0.255') };
  const way = await heard({ from: 'a', to: 'b' }, hello('10.1.0.6'));
  const again = await h1.ask('plan', shareOf('h1', v4, members, loud));
  const alone = await h1.ask('program', shareOf('h1', v4, [a, c], loud));
  const rows = sh('bridge -n sk-h1-100 fdb show dev vxlan0 | grep 00:00:00:00:00:00 || true');
  await h1.ask('program', shareOf('h1', v4, members));
  const off = await h1.ask('plan', shareOf('h1', v4, members));
  return {
    quiet,
    on: on.changes,
    aloud,
    way,
    again: again.changes,
    alone: alone.changes,
    rows,
    off: off.changes,
  };
}

/** Largest segment of a connection from a to b, both of which believe in larger frames than the network carries. */
async function segment(): Promise<number> {
  sh('ip -n a link set eth0 mtu 1500; ip -n b link set eth0 mtu 1500');
  const serve = `require('net').createServer((s)=>s.on('error',()=>{})).listen(9,()=>console.log('ready'));setTimeout(()=>process.exit(),5000);`;
  const server = spawn('nsenter', ['--net=/run/netns/b', '--', process.execPath, '-e', serve]);
  await once(server.stdout, 'data');
  const call = `require('net').connect(9,'10.1.0.6',()=>{
    console.log(require('child_process').execFileSync('ss',['-tinH','dport','=','9']).toString());process.exit()});
    setTimeout(()=>process.exit(),3000);`;
  const { stdout } = await run('nsenter', [
    '--net=/run/netns/a',
    '--',
    process.execPath,
    '-e',
    call,
  ]);
  const left = once(server, 'exit');
  server.kill('SIGKILL');
  await left;
  return Number(/\bmss:(\d+)/.exec(stdout)?.[1] ?? 0);
}

async function story() {
  const observed: Record<string, unknown> = {};
  const all = [a, b, c];
  const onH1 = shareOf('h1', v4, all);
  const onH2 = shareOf('h2', v4, all);
  const h1 = new Host('h1', '192.0.2.1');
  const h2 = new Host('h2', '192.0.2.2');
  const faults = [
    ...(await h1.ask('program', onH1)).faults,
    ...(await h2.ask('program', onH2)).faults,
  ];
  observed['faults'] = faults;
  observed['impostors'] = await impostors(h1, onH1);
  observed['drifts'] = await rulesDrift(h1, onH1);
  observed['one unfiltered'] = await oneUnfiltered();
  await h1.ask('program', onH1);
  observed['outsider'] = await outsider(h1, onH1, { from: '192.0.2.3', to: '192.0.2.1' });
  observed['tracking'] = await tracking(h1, onH1);
  observed['multicast'] = await multicast(h1, h2, all);
  await h2.ask('program', onH2);
  observed['segment'] = await segment();

  // Another cluster on the same hosts, on another port: the same VNI, the same addresses, another world.
  const other = [endpoint('d', 5, 'h1'), endpoint('e', 6, 'h2')];
  const other1 = new Host('h1', '192.0.2.1', ['4790', 'ot-h1-']);
  const other2 = new Host('h2', '192.0.2.2', ['4790', 'ot-h2-']);
  const second = [
    ...(await other1.ask('program', shareOf('h1', v4, other))).faults,
    ...(await other2.ask('program', shareOf('h2', v4, other))).faults,
  ];
  observed['another port'] = {
    faults: second,
    way: await heard({ from: 'd', to: 'e' }, hello('10.1.0.6')),
    mixed: await heard({ from: 'd', to: 'b' }, hello('10.1.0.6')),
    first: await heard({ from: 'a', to: 'b' }, hello('10.1.0.6')),
  };
  const none: OverlayShare = { hosts: [], networks: [], endpoints: [] };
  for (const host of [other1, other2]) await host.ask('program', none);
  observed['the first is left alone'] = (await h1.ask('plan', onH1)).changes;
  for (const host of [h1, h2]) await host.ask('program', none);
  observed['gone'] = {
    rules: sh('for h in 1 2; do nsenter --net=/run/netns/h$h nft list tables; done'),
    namespaces: sh('ls /run/netns'),
  };
  for (const host of [h1, h2, other1, other2]) host.stop();

  const loud = { ...web, mtu: 1430, multicast: true as const };
  const w1 = new Host('h1', '2001:db8::1');
  const w2 = new Host('h2', '2001:db8::2');
  const wide = [
    ...(await w1.ask('program', shareOf('h1', v6, all, loud))).faults,
    ...(await w2.ask('program', shareOf('h2', v6, all, loud))).faults,
  ];
  observed['wide underlay'] = {
    faults: wide,
    again: (await w1.ask('plan', shareOf('h1', v6, all, loud))).changes,
    way: await heard({ from: 'a', to: 'b' }, hello('10.1.0.6')),
    version6: await heard({ from: 'a', to: 'b', at: '::' }, hello('fd00:1::6')),
    everybody: await heard({ from: 'a', to: 'b' }, hello('10.1.0.255', '10.1.0.5')),
    outsider: await outsider(w1, shareOf('h1', v6, all, loud), {
      from: '2001:db8::3',
      to: '2001:db8::1',
    }),
  };
  for (const host of [w1, w2]) {
    await host.ask('program', none);
    host.stop();
  }
  return observed;
}

process.stdout.write(JSON.stringify(await story()));
process.exit(0);
