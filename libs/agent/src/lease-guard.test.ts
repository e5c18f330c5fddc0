// The lease on the agent's side: what is written to the kernel's guards, when, and for how long.

import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Share } from '@skein/contracts';
import { silentLogger } from '@skein/messaging';
import { probePort, vethName } from '@skein/vxlan';
import { LeaseGuard } from './lease-guard';
import type { GuardRenewal } from './ports';

const network = (id: string, vni: number, fields: object = {}) => ({
  id,
  name: id,
  vni,
  mtu: 1450,
  internal: false,
  subnets: [{ cidr: '10.1.0.0/24', gateway: '10.1.0.1', reserved: {} }],
  ...fields,
});
const endpoint = (id: string, networkId: string, host = 'h1') => ({
  id,
  networkId,
  host,
  name: id,
  aliases: [],
  addresses: ['10.1.0.5/24'],
  mac: '02:42:0a:01:00:05',
  ...(host === 'h1' ? { sandbox: { netns: `/run/netns/${id}` } } : {}),
});
const fenced = network('web', 100, { onHostLoss: 'fence' });

let now: number;
let share: Share;
let isWritable: boolean;
let written: GuardRenewal[];
let guard: LeaseGuard;

beforeEach(() => {
  now = 10_000;
  share = { hosts: [], networks: [fenced], endpoints: [endpoint('a', 'web')] };
  isWritable = true;
  written = [];
  guard = new LeaseGuard({
    self: 'h1',
    netnsPrefix: 'skein-',
    share: () => share,
    guard: {
      renew: async (renewal) => {
        if (isWritable) written.push(renewal);
        return isWritable;
      },
    },
    time: { monotonicMs: () => now },
    logger: silentLogger,
  });
});

/** A heartbeat sent at this moment of the monotonic clock; the wall clock is an hour ahead of it. */
const granted = (sentAt: number) =>
  guard.granted({ monotonicMs: sentAt, wallMs: sentAt + 3_600_000 }, 5_000);

describe('a granted lease', () => {
  it('opens the guard for what is left of it, counted from when the heartbeat was sent', async () => {
    await granted(9_700);
    expect(written).toEqual([
      {
        netns: 'skein-100',
        ports: ['vxlan0', probePort, vethName('a')],
        leftMs: 4_700,
        endWallMs: 3_614_700,
      },
    ]);
  });

  it('opens nothing if its answer came too late', async () => {
    await granted(5_000);
    await granted(4_000);
    expect(written).toEqual([]);
  });

  it('is not shortened by an older one that comes later, and not lengthened by a repeated one', async () => {
    await granted(9_700);
    await granted(9_100);
    await granted(9_700);
    expect(written).toHaveLength(1);
  });

  it('concerns only networks with fence, and only endpoints of this host that have a sandbox', async () => {
    const { sandbox: _, ...held } = endpoint('held', 'web');
    share = {
      hosts: [],
      networks: [network('free', 101), fenced],
      endpoints: [
        endpoint('a', 'web'),
        endpoint('x', 'web', 'h2'),
        endpoint('b', 'free'),
        { ...held },
      ],
    };
    await granted(10_000);
    expect(written.map(({ netns, ports }) => [netns, ports])).toEqual([
      ['skein-100', ['vxlan0', probePort, vethName('a')]],
    ]);
  });

  it('is written anew for a share with other endpoints, with what is left then', async () => {
    await granted(10_000);
    await guard.refresh();
    expect(written).toHaveLength(1);
    now += 1_000;
    share = { ...share, endpoints: [endpoint('b', 'web')] };
    await guard.refresh();
    expect(written[1]).toMatchObject({
      ports: ['vxlan0', probePort, vethName('b')],
      leftMs: 4_000,
    });
  });

  it('is tried again if it could not be written, and written anew where guards were made anew', async () => {
    isWritable = false;
    await granted(10_000);
    isWritable = true;
    await guard.refresh();
    expect(written).toHaveLength(1);
    await guard.reopen();
    expect(written).toHaveLength(2);
  });

  it('is not renewed by what happens after it has run out', async () => {
    await granted(10_000);
    now += 5_000;
    await guard.reopen();
    expect(written).toHaveLength(1);
  });
});
