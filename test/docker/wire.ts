// What tcpdump sees of VXLAN on the underlay of some hosts while something happens.

import { probePrefix } from '@skein/vxlan';
import { type DockerStack, type HostId } from './docker-stack';

export interface Seen {
  /** Each once. */
  readonly vnis: readonly number[];
  readonly packets: number;
}

const vxlanPort = '4789';
/** Agents of the network's hosts try the ways to each other with frames of their own. */
const probes = ` ${probePrefix.slice(0, probePrefix.indexOf('::'))}:`;
const isProbe = (line: string): boolean => line.includes(probes);

export async function capture<Host extends HostId>(
  docker: DockerStack,
  hosts: readonly Host[],
  act: () => Promise<void>,
): Promise<Record<Host, Seen>> {
  const { control } = docker.stack.cluster;
  const tagOf = (host: Host) => `wire-${host}`;
  const running = hosts.map((host) =>
    control.call('run', {
      netns: `host-${host}`,
      argv: ['tcpdump', '-n', '-l', '--immediate-mode', '-i', 'eth0', 'udp', 'port', vxlanPort],
      tag: tagOf(host),
      timeoutMs: 60_000,
    }),
  );
  await listening(docker, hosts);
  await act();
  for (const host of hosts) await control.call('interrupt', { tag: tagOf(host) });
  const outputs = await Promise.all(running);
  return Object.fromEntries(
    hosts.map((host, at) => [host, seenIn(outputs[at]?.stdout ?? '')]),
  ) as Record<Host, Seen>;
}

/** A packet socket of each host is there once its tcpdump captures. */
async function listening(docker: DockerStack, hosts: readonly HostId[]): Promise<void> {
  const { control } = docker.stack.cluster;
  for (const host of hosts) {
    const deadline = performance.now() + 20_000;
    for (;;) {
      const argv = ['cat', '/proc/net/packet'];
      const { stdout } = await control.call('run', { netns: `host-${host}`, argv });
      if (stdout.trim().split('\n').length > 1) break;
      if (performance.now() > deadline) throw new Error(`tcpdump does not capture on ${host}`);
    }
  }
}

/** tcpdump tells a frame in two lines: the outer packet with its VNI, then what is in it. */
export function seenIn(text: string): Seen {
  const lines = text.split('\n');
  const frames = lines.flatMap((line, at) => {
    const vni = /VXLAN, .*vni (\d+)/.exec(line)?.[1];
    const inner = lines[at + 1] ?? '';
    return vni === undefined || isProbe(inner) ? [] : [Number(vni)];
  });
  return { vnis: [...new Set(frames)], packets: frames.length };
}
