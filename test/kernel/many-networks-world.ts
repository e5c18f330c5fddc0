// Two hundred networks on one host, all of the same subnet, told from inside a private world. Prints what it observed, with the
// times; many-networks.test.ts says what it should have been.

import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import type { OverlayShare } from '@skein/vxlan';
import type { HostReply, HostRequest } from './overlay-host';

const count = 200;

function sh(script: string): string {
  return execFileSync('/bin/bash', ['-ec', script], { encoding: 'utf8' }).trim();
}

sh(`mount -t tmpfs tmpfs /run; mkdir -p /run/netns; ip link set lo up
  ip netns add h1; ip link add u1 type veth peer name eth0 netns h1; ip link set u1 up
  ip -n h1 link set lo up; ip -n h1 link set eth0 up; ip -n h1 addr add 192.0.2.1/24 dev eth0
  for c in $(seq ${count}); do echo netns add c$c; done | ip -batch -`);

const indices = Array.from({ length: count }, (_, index) => index + 1);
const share: OverlayShare = {
  hosts: [
    { id: 'h1', vtep: '192.0.2.1' },
    { id: 'h2', vtep: '192.0.2.2' },
  ],
  networks: indices.map((index) => ({
    id: `n${index}`,
    vni: 1_000 + index,
    mtu: 1450,
    subnets: [{ cidr: '10.1.0.0/24', gateway: '10.1.0.1' }],
  })),
  endpoints: indices.flatMap((index) => [
    {
      id: `a${index}`,
      networkId: `n${index}`,
      host: 'h1',
      addresses: ['10.1.0.5/24'],
      mac: '02:42:0a:01:00:05',
      sandbox: { netns: `/run/netns/c${index}` },
    },
    {
      id: `b${index}`,
      networkId: `n${index}`,
      host: 'h2',
      addresses: ['10.1.0.6/24'],
      mac: '02:42:0a:01:00:06',
    },
  ]),
};

const host = fork(new URL('./overlay-host.mjs', import.meta.url).pathname, ['h1', '192.0.2.1'], {
  execPath: 'nsenter',
  execArgv: ['--net=/run/netns/h1', '--', process.execPath],
});

async function ask(verb: HostRequest['verb'], of: OverlayShare): Promise<HostReply> {
  host.send({ verb, share: of });
  const [answer] = (await once(host, 'message')) as [{ reply?: HostReply; fault?: string }];
  if (answer.reply === undefined) throw new Error(answer.fault);
  return answer.reply;
}

const cold = await ask('program', share);
const again = await ask('plan', share);
const gatewayOf = (index: number) =>
  sh(
    `nsenter --net=/run/netns/c${index} ping -c 1 -W 5 10.1.0.1 >/dev/null && echo yes || echo no`,
  );
const gateways = [1, 100, count].map(gatewayOf);
const gone = await ask('program', { hosts: [], networks: [], endpoints: [] });
host.kill('SIGKILL');
process.stdout.write(
  JSON.stringify({
    faults: [...cold.faults, ...gone.faults],
    again: again.changes,
    gateways,
    left: sh(`ls /run/netns | grep -c '^sk-' || true`),
    ms: { programmed: cold.totalMs, lookedAt: again.totalMs, removed: gone.totalMs },
  }),
);
process.exit(0);
