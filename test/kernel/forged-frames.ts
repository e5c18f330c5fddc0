// VXLAN frames as somebody without a part in a network would forge them, whole or in fragments; and what a host's connection tracking
// makes of frames. For closed-world.ts, whose hosts and endpoints these are.

import { execFileSync } from 'node:child_process';
import { heard } from './greetings';

/** Sends packets as they are, with their IP headers. */
const rawSender = `socket(S,AF_INET,SOCK_RAW,255)||die;setsockopt(S,SOL_SOCKET,SO_BROADCAST,1)||die;
  for(@ARGV[1..$#ARGV]){send(S,pack('H*',$_),0,pack_sockaddr_in(0,inet_aton($ARGV[0])))||die}`;

interface Forgery {
  readonly to: string;
  /** Where the datagram is cut in two. */
  readonly cut?: number;
  /** Of the first part, instead of what stands there and beyond the cut. */
  readonly first?: { readonly vni: number; readonly length: number };
}

const forgeries: Readonly<Record<string, Forgery>> = {
  whole: { to: '192.0.2.1' },
  'to everybody': { to: '192.0.2.255' },
  'in fragments': { to: '192.0.2.1', cut: 24 },
  'in fragments, the first without a VNI': { to: '192.0.2.1', cut: 8 },
  // Of a first fragment of 15 bytes the kernel keeps 8: the VNI that it showed was never the frame's.
  'in fragments, the first with another VNI': {
    ...{ to: '192.0.2.1', cut: 8 },
    first: { vni: 200, length: 15 },
  },
};

/** Which forged frames are heard. */
export async function forgers(): Promise<string[]> {
  const through: string[] = [];
  for (const [name, forgery] of Object.entries(forgeries)) {
    if (await heard({ from: 'h3', to: 'a' }, forged(forgery))) through.push(name);
  }
  return through;
}

/** A fragment never meets those of another datagram. */
let lastId = 0;

/** A program that sends a greeting from b to a a few times, in frames of h3's. */
export function forged(forgery: Forgery): string {
  const packets = [1, 2, 3, 4].flatMap(() => packetsOf(forgery, (lastId += 1)));
  const argv = JSON.stringify(['-MSocket', '-e', rawSender, forgery.to, ...packets]);
  return `require('child_process').execFileSync('perl',${argv})`;
}

function packetsOf({ to, cut, first }: Forgery, id: number): string[] {
  const whole = datagram(100);
  const packet = (payload: Buffer, fragment: number) =>
    ip({ from: '192.0.2.3', to, id, fragment, payload }).toString('hex');
  if (cut === undefined) return [packet(whole, 0)];
  const begin = first === undefined ? whole.subarray(0, cut) : shown(first);
  return [packet(begin, 0x2000), packet(whole.subarray(cut), cut / 8)];
}

const shown = ({ vni, length }: { vni: number; length: number }) =>
  datagram(vni).subarray(0, length);

function datagram(vni: number): Buffer {
  const inner = udp(9, Buffer.from('hello'));
  const frame = Buffer.concat([
    Buffer.from('02420a01000502420a0100060800', 'hex'),
    ip({ from: '10.1.0.6', to: '10.1.0.5', id: 1, fragment: 0, payload: inner }),
  ]);
  const header = Buffer.alloc(8);
  header[0] = 0x08;
  header.writeUInt32BE(vni << 8, 4);
  return udp(4789, Buffer.concat([header, frame]));
}

function udp(port: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(40_000, 0);
  header.writeUInt16BE(port, 2);
  header.writeUInt16BE(8 + payload.length, 4);
  return Buffer.concat([header, payload]);
}

function ip(of: { from: string; to: string; id: number; fragment: number; payload: Buffer }) {
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(20 + of.payload.length, 2);
  header.writeUInt16BE(of.id, 4);
  header.writeUInt16BE(of.fragment, 6);
  header[8] = 64;
  header[9] = 17;
  header.set(of.from.split('.').map(Number), 12);
  header.set(of.to.split('.').map(Number), 16);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += header.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  header.writeUInt16BE(~sum & 0xffff, 10);
  return Buffer.concat([header, of.payload]);
}

const hooks = ['input', 'output', 'forward'] as const;

/** Has a host translate addresses as Docker does, which turns connection tracking on, and counts what it tracks of VXLAN. */
export function trackConnections(host: string): void {
  const counting = hooks.map(
    (hook) => `
      counter ${hook} { }
      counter ${hook}-not { }
      chain ${hook}-port {
        ct state untracked counter name ${hook}-not accept
        counter name ${hook}
      }
      chain ${hook} {
        type filter hook ${hook} priority 100
        udp dport 4789 goto ${hook}-port
      }`,
  );
  const text = `
    table ip nat {
      chain postrouting {
        type nat hook postrouting priority 100
        ip saddr 172.17.0.0/16 masquerade
      }
    }
    table inet watch {${counting.join('')}
    }
  `;
  nft(host, ['-f', '-'], text);
}

/** What passed each hook since it was last asked, tracked and not. */
export function trackedAt(host: string): Record<string, { tracked: boolean; untracked: boolean }> {
  const text = nft(host, ['reset', 'counters', 'table', 'inet', 'watch']);
  const passed = (name: string) =>
    Number(new RegExp(`counter ${name} \\{\\s*packets (\\d+)`).exec(text)?.[1]) > 0;
  return Object.fromEntries(
    hooks.map((hook) => [hook, { tracked: passed(hook), untracked: passed(`${hook}-not`) }]),
  );
}

export function nft(host: string, args: readonly string[], input = ''): string {
  const argv = [`--net=/run/netns/${host}`, 'nft', ...args];
  return execFileSync('nsenter', argv, { input, encoding: 'utf8' });
}
