// The story of two agents on the real kernel, told from inside a private world. A stand-in plays the registry. Prints what it
// observed; agent.test.ts says what it should have been.

import { createSocket } from 'node:dgram';
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  agentStatusContract,
  heartbeatContract,
  kernelRepairedEvent,
  programContract,
  registerHostContract,
  type ReplyOf,
  type RequestOf,
  type Share,
  type ShareEndpoint,
} from '@skein/contracts';
import { Messenger } from '@skein/messaging';
import { diff, digestOf } from '@skein/share';
import packet from 'dns-packet';

const run = promisify(execFile);

function sh(script: string): string {
  return execFileSync('/bin/bash', ['-ec', script], { encoding: 'utf8' }).trim();
}

async function until(what: string, isSo: () => boolean): Promise<number> {
  const start = performance.now();
  while (!isSo()) {
    if (performance.now() - start > 40_000) throw new Error(`waited in vain for ${what}`);
    await delay(20);
  }
  return performance.now() - start;
}

sh(`mount -t tmpfs tmpfs /run; mkdir -p /run/netns; ip link set lo up
  ip link add underlay type bridge; ip link set underlay up; ip addr add 192.0.2.254/24 dev underlay
  for h in 1 2; do
    ip netns add h$h; ip link add u$h type veth peer name eth0 netns h$h
    ip link set u$h master underlay up; ip -n h$h link set lo up; ip -n h$h link set eth0 up
    ip -n h$h addr add 192.0.2.$h/24 dev eth0
  done
  for c in a b; do ip netns add $c; done`);

const resolver = '169.254.83.107';
/** The hosts' own name servers: a resolver of theirs, which must not be asked, and one that knows one name. */
sh(`printf 'nameserver ${resolver}\\nnameserver 192.0.2.254\\n' > /run/resolv.conf`);
const elsewhere = createSocket('udp4').bind(53, '192.0.2.254');
elsewhere.on('message', (message, { port, address }) => {
  const { id = 0, questions = [] } = packet.decode(message);
  const name = questions[0]?.name ?? '';
  const isKnown = name === 'example.com';
  const answer = packet.encode({
    type: 'response',
    id,
    flags: isKnown ? 0 : 3,
    questions,
    answers: isKnown ? [{ type: 'A', name, data: '192.0.2.80' }] : [],
  });
  elsewhere.send(answer, port, address);
});

const natsUrl = 'nats://192.0.2.254:4222';
const natsPath = `${process.env['PATH'] ?? ''}:/usr/sbin`;
const natsProgram = process.env['SKEIN_NATS_SERVER'] ?? 'nats-server';
const nats = spawn(natsProgram, ['-a', '192.0.2.254', '-p', '4222'], {
  stdio: 'ignore',
  env: { ...process.env, PATH: natsPath },
});

type Registration = RequestOf<typeof registerHostContract>;
type Heartbeat = RequestOf<typeof heartbeatContract>;
type ProgramReply = ReplyOf<typeof programContract>;

class StandInRegistry {
  readonly registrations: Registration[] = [];
  readonly heartbeats = new Map<string, Heartbeat>();
  readonly repairs: { kind: string; reason: string }[] = [];
  readonly #pushed = new Map<string, { revision: number; share: Share }>();
  #revision = 1;

  constructor(readonly messenger: Messenger) {
    const definition = { name: 'registry', version: '0.1.0', description: 'A stand-in.' };
    const service = messenger.service(definition);
    service.serve(registerHostContract, (request) => {
      this.registrations.push(request);
      const others = this.registrations.filter(({ id }) => id !== request.id);
      const peers = others.map(({ id: host, gossip }) => ({ host, gossip }));
      const state = { epoch: 1, state: 'up' as const, since: 0 };
      return { host: { ...request, ...state }, revision: this.#revision, peers };
    });
    service.serve(heartbeatContract, (request) => {
      this.heartbeats.set(request.host, request);
      return { revision: this.#revision, registerAgain: false };
    });
    messenger.subscribeEvent(kernelRepairedEvent, ({ kind, reason }) => {
      this.repairs.push({ kind, reason });
    });
  }

  forget(host: string): void {
    this.#pushed.delete(host);
    this.heartbeats.delete(host);
  }

  async push(host: string, share: Share): Promise<ProgramReply> {
    const before = this.#pushed.get(host);
    const revision = (this.#revision += 1);
    const digest = digestOf(share);
    this.#pushed.set(host, { revision, share });
    if (before === undefined) return this.send(host, { kind: 'snapshot', revision, digest, share });
    const delta = diff(before.share, share);
    return this.send(host, { kind: 'delta', base: before.revision, revision, digest, delta });
  }

  send(host: string, request: RequestOf<typeof programContract>): Promise<ProgramReply> {
    return this.messenger.request(programContract, request, { instance: host, timeoutMs: 10_000 });
  }
}

function startAgent(host: string): ChildProcess {
  const program = new URL('./agent-process.mjs', import.meta.url).pathname;
  return spawn('nsenter', [`--net=/run/netns/${host}`, '--', process.execPath, program], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      SKEIN_NATS_URL: natsUrl,
      SKEIN_HOST_ID: host,
      SKEIN_HOST_NAME: host,
      SKEIN_VTEP: `192.0.2.${host.slice(1)}`,
      SKEIN_NETNS_PREFIX: `sk-${host}-`,
      SKEIN_GOSSIP_PRESET: 'local',
      SKEIN_BOOT_ID: 'boot-1',
      SKEIN_CHECK_REPLIES: 'true',
      SKEIN_RESOLV_CONF: '/run/resolv.conf',
      SKEIN_HOST_RESOLVER: 'true',
      SKEIN_METRICS_PORT: '9400',
      SKEIN_METRICS_ADDRESS: `192.0.2.${host.slice(1)}`,
    },
  });
}

const network = {
  id: 'web-id',
  name: 'web',
  vni: 100,
  mtu: 1450,
  internal: false,
  subnets: [{ cidr: '10.1.0.0/24', gateway: '10.1.0.1', reserved: {} }],
};
const a = endpoint(5, 'a', 'h1');
const b = endpoint(6, 'b', 'h2');

function endpoint(number: number, name: string, host: string): ShareEndpoint {
  return {
    id: `id-${name}`,
    networkId: network.id,
    host,
    name,
    aliases: [],
    service: 'shop',
    addresses: [`10.1.0.${number}/24`],
    mac: `02:42:0a:01:00:0${number}`,
    sandbox: { netns: `/run/netns/${name}` },
  };
}

function shareFor(host: string, endpoints: ShareEndpoint[], isH2Live = true): Share {
  return {
    hosts: [
      { id: 'h1', vtep: '192.0.2.1', live: true },
      { id: 'h2', vtep: '192.0.2.2', live: isH2Live },
    ],
    networks: [network],
    endpoints: endpoints.map(({ sandbox, ...rest }) =>
      rest.host === host && sandbox !== undefined ? { ...rest, sandbox } : rest,
    ),
  };
}

interface Asking {
  readonly type?: 'A' | 'AAAA' | 'PTR';
  readonly at?: string;
  readonly via?: 'udp' | 'tcp';
}

/** The answer's code and data, as `NOERROR 10.1.0.6`. */
function resolve(container: string, name: string, asking: Asking = {}): Promise<string> {
  const { type = 'A', at = '10.1.0.1', via = 'udp' } = asking;
  const question = packet.encode({ type: 'query', id: 7, questions: [{ type, name }] });
  return ask(container, question, { at, via });
}

async function ask(
  container: string,
  question: Buffer,
  { at, via }: Required<Pick<Asking, 'at' | 'via'>>,
): Promise<string> {
  const bytes = `Buffer.from('${question.toString('hex')}','hex')`;
  const byDatagram = `const s=require('dgram').createSocket('udp4');
     s.on('message',(m)=>{console.log(m.toString('hex'));process.exit()});
     s.connect(53,'${at}',()=>s.send(${bytes}));s.on('error',()=>{});`;
  const byStream = `const s=require('net').connect(53,'${at}',()=>{const q=${bytes};
       s.write(Buffer.concat([Buffer.from([q.length>>8,q.length&255]),q]))});
     let held=Buffer.alloc(0);s.on('error',()=>{});s.on('close',()=>process.exit());
     s.on('data',(m)=>{held=Buffer.concat([held,m]);
       if(held.length>2&&held.length>=2+held.readUInt16BE(0)){console.log(held.subarray(2).toString('hex'));process.exit()}});`;
  const program = `${via === 'udp' ? byDatagram : byStream}setTimeout(()=>process.exit(),1000);`;
  const place = [`--net=/run/netns/${container}`, '--', process.execPath, '-e', program];
  // Not waited for in one piece: the name server elsewhere is this process.
  const { stdout } = await run('nsenter', place).catch(() => ({ stdout: '' }));
  const answer = stdout.trim();
  if (answer === '') return 'nothing';
  const { answers, rcode } = packet.decode(Buffer.from(answer, 'hex')) as ReturnType<
    typeof packet.decode
  > & { rcode: string };
  const data = (answers ?? []).map((record) => String((record as { data: unknown }).data));
  return [rcode, ...data.sort()].join(' ');
}

/** Bytes that are no question, by both ways, and more of them than anybody sends. */
async function throwAtResolver(): Promise<void> {
  const program = `const s=require('dgram').createSocket('udp4');const net=require('net');
    const any=(n)=>require('crypto').randomBytes(n);const head=Buffer.from('000701000001000000000000','hex');
    for(let i=0;i<300;i++)s.send(i%2?any(1+i*4):Buffer.concat([head,any(i)]),53,'10.1.0.1');
    for(let i=0;i<20;i++){const c=net.connect(53,'10.1.0.1',()=>c.write(any(5000)));c.on('error',()=>{})}
    setTimeout(()=>process.exit(),300);`;
  await run('nsenter', ['--net=/run/netns/a', '--', process.execPath, '-e', program]);
}

/** Whether a datagram of a reaches b. */
function reaches(): boolean {
  const echo = `require('dgram').createSocket('udp4').on('message',()=>{console.log('here');process.exit()}).bind(9,()=>console.log('ready'));setTimeout(()=>process.exit(),3000);`;
  const send = `const s=require('dgram').createSocket('udp4');setInterval(()=>s.send('x',9,'10.1.0.6',()=>{}),100);setTimeout(()=>process.exit(),600);`;
  const heard = sh(`exec 3< <(nsenter --net=/run/netns/b ${process.execPath} -e "${echo}")
    read -u 3 ready; nsenter --net=/run/netns/a ${process.execPath} -e "${send}"
    read -u 3 heard || true; echo "$heard"`);
  return heard === 'here';
}

async function story() {
  await delay(200);
  const messenger = await Messenger.connect({ servers: [natsUrl], name: 'story' });
  const registry = new StandInRegistry(messenger);
  const observed: Record<string, unknown> = {};
  const h2 = startAgent('h2');
  let h1 = startAgent('h1');
  await until('both hosts', () => registry.registrations.length === 2);
  observed['registration'] = registry.registrations.find(({ id }) => id === 'h1');

  const first = await registry.push('h1', shareFor('h1', [a]));
  await registry.push('h2', shareFor('h2', [a, b]));
  const second = await registry.push('h1', shareFor('h1', [a, b]));
  observed['pushes'] = [first, second].map(({ programmed, faults }) => ({ programmed, faults }));
  observed['names'] = {
    b: await resolve('a', 'b'),
    qualified: await resolve('b', 'A.web'),
    service: await resolve('a', 'shop'),
    'other family': await resolve('a', 'b', { type: 'AAAA' }),
    pointer: await resolve('a', '6.0.1.10.in-addr.arpa', { type: 'PTR' }),
    stream: await resolve('a', 'tasks.shop', { via: 'tcp' }),
    unknown: await resolve('a', 'nobody'),
    elsewhere: await resolve('a', 'example.com'),
    'unknown elsewhere': await resolve('a', 'example.org'),
  };
  sh(`ip -n a route add ${resolver}/32 dev eth0`);
  const at = resolver;
  observed['common address'] = {
    b: await resolve('a', 'b', { at }),
    stream: await resolve('a', 'b', { at, via: 'tcp' }),
    'on the host': await resolve('h1', 'b.web', { at }),
    'elsewhere on the host': await resolve('h1', 'example.com', { at }),
    'a name alone on the host': await resolve('h1', 'b', { at }),
  };
  await throwAtResolver();
  observed['after noise'] = [await resolve('a', 'b'), await resolve('a', 'b', { via: 'tcp' })];
  await registry.push('h1', {
    ...shareFor('h1', [a, b]),
    networks: [{ ...network, internal: true }],
  });
  observed['internal'] = [await resolve('a', 'b'), await resolve('a', 'example.com')];
  await registry.push('h1', shareFor('h1', [a, b]));
  observed['reaches'] = reaches();

  const odd = shareFor('h1', [a]);
  const stray = { revision: 99, digest: digestOf(odd), delta: diff(odd, odd) };
  const misfit = await registry.send('h1', { kind: 'delta', base: 1, ...stray });
  observed['misfit'] = { wanted: misfit.snapshotWanted, programmed: misfit.programmed };

  sh('bridge -n sk-h1-100 fdb del 02:42:0a:01:00:06 dev vxlan0 self');
  await until('the repair', () =>
    sh('bridge -n sk-h1-100 fdb show dev vxlan0').includes('02:42:0a:01:00:06 dst'),
  );
  await until('the count', () => registry.heartbeats.get('h1')?.repairs['fdb'] !== undefined);
  await delay(1_500);
  const told = registry.repairs.length;
  observed['drift'] = {
    repairs: registry.heartbeats.get('h1')?.repairs,
    told,
  };

  await registry.push('h1', shareFor('h1', [a, b], false));
  observed['host down'] = { name: await resolve('a', 'b'), reaches: reaches() };
  await registry.push('h1', shareFor('h1', [a, b]));
  observed['host back'] = await resolve('a', 'b');

  await until('gossip', () => registry.heartbeats.get('h2')?.opinions[0]?.state === 'alive');
  h1.kill('SIGKILL');
  observed['agent killed'] = { reaches: reaches(), name: await resolve('a', 'b') };
  await until('suspicion', () => registry.heartbeats.get('h2')?.opinions[0]?.state === 'dead');
  registry.forget('h1');
  h1 = startAgent('h1');
  await until('a beat', () => registry.heartbeats.has('h1'));
  const untouched = { reaches: reaches(), programmed: registry.heartbeats.get('h1')?.programmed };
  const again = await registry.push('h1', shareFor('h1', [a, b]));
  await delay(1_500);
  observed['agent back'] = {
    untouched,
    faults: again.faults,
    name: await resolve('a', 'b'),
    repairs: registry.heartbeats.get('h1')?.repairs,
  };

  const late = endpoint(7, 'late', 'h1');
  const waiting = await registry.push('h1', shareFor('h1', [a, b, late]));
  sh('ip netns add late');
  await until('the plug', () => sh('ip -n late -br link').includes('eth0'));
  await delay(700);
  observed['late sandbox'] = {
    faults: waiting.faults.map(({ endpointId, code }) => `${endpointId} ${code}`),
    repairs: registry.heartbeats.get('h1')?.repairs,
  };

  const status = await messenger.request(
    agentStatusContract,
    { network: 'web', rows: true },
    { instance: 'h1' },
  );
  observed['status'] = {
    networks: status.networks,
    rows: status.rows?.map(({ kind }) => kind).sort(),
    dropped: status.dropped,
  };

  // A source that is not the endpoint's, and a tunnel's frame of network 100 from a host that is no member.
  sh(`ip -n a addr add 10.1.0.66/24 dev eth0
    nsenter --net=/run/netns/a ping -I 10.1.0.66 -c 3 -i 0.2 -W 1 10.1.0.6 || true
    printf '\\x08\\0\\0\\0\\0\\0\\x64\\0frame' >/dev/udp/192.0.2.1/4789`);
  await until('frames that are kept out', () => {
    const { spoofed = 0, strangers = 0 } = registry.heartbeats.get('h1')?.dropped ?? {};
    return spoofed > 0 && strangers > 0;
  });
  const metrics = await (await fetch('http://192.0.2.1:9400/metrics')).text();
  observed['kept out'] = {
    strangers: registry.heartbeats.get('h1')?.dropped?.strangers,
    metrics: metrics.split('\n').filter((line) => /^skein_(spoofed|stranger)_frames/.test(line)),
    elsewhere: registry.heartbeats.get('h2')?.dropped ?? null,
  };

  const none = { hosts: [], networks: [], endpoints: [] };
  await registry.push('h1', none);
  observed['gone'] = {
    namespaces: sh('ls /run/netns').split('\n'),
    a: sh('ip -n a -br link').includes('eth0'),
  };
  const stopped = new Promise((done) => h2.once('exit', done));
  h2.kill('SIGTERM');
  observed['stopped'] = { code: await stopped, kept: sh('ls /run/netns').includes('sk-h2-100') };
  h1.kill('SIGKILL');
  await messenger.drain();
  return observed;
}

try {
  process.stdout.write(JSON.stringify(await story()));
} finally {
  nats.kill('SIGKILL');
  elsewhere.close();
}
process.exit(0);
