// The first half of the story: a leader, a network that nobody has yet, containers that find each other, many at once.

import type { ClusterAnswer, EndpointAnswer, NetworkAnswer } from './api';
import type { Observation } from './report';
import { must, type Stage } from './stage';

interface HostNetworks {
  readonly networks: { name: string }[];
}

export async function hostsWithNetwork(stage: Stage): Promise<string[]> {
  const hosts = ['h1', 'h2', 'h3'];
  const answers = await Promise.all(
    hosts.map((host) => stage.api.expect<HostNetworks>('GET', `/v1/hosts/${host}/networks`)),
  );
  return hosts.filter((_, index) => answers[index]?.networks.some(({ name }) => name === 'web'));
}

export async function electLeader(stage: Stage): Promise<Observation> {
  const cluster = await stage.until('three healthy managers with a leader', 10_000, async () => {
    const { status, body } = await stage.api.call<ClusterAnswer>('GET', '/v1/cluster');
    const healthy =
      status === 200 && body.leaderId !== null && body.members.every((one) => one.healthy);
    return healthy && body.members.length === 3 ? body : null;
  });
  return {
    observed: `${cluster.leaderId} leads ${cluster.members.length} managers in term ${cluster.term}`,
    facts: { leader: cluster.leaderId, term: cluster.term, members: cluster.members.length },
  };
}

export async function createNetwork(stage: Stage): Promise<Observation> {
  stage.network = await stage.api.expect<NetworkAnswer>('POST', '/v1/networks', { name: 'web' });
  const taking = await hostsWithNetwork(stage);
  const namespaces = await stage.networkNamespaces();
  must(
    taking.length === 0 && namespaces.length === 0,
    `hosts have it already: ${taking} ${namespaces}`,
  );
  const { vni, subnets } = stage.network;
  return {
    observed: `web is ${subnets[0]?.cidr}, VNI ${vni}; no host has it`,
    facts: { cidr: subnets[0]?.cidr, vni, hosts: taking },
  };
}

export async function attachTwo(stage: Stage): Promise<Observation> {
  const a = await stage.attachContainer('a', 'h1');
  const started = performance.now();
  const b = await stage.attachContainer('b', 'h2');
  const attachMs = performance.now() - started;
  const ping = await stage.pingOnce('a', b.address);
  const reachableMs = performance.now() - started;
  must(ping.received === 1, `a's first ping to b at ${b.address} was lost`);
  stage.figures.attachToReachableMs = reachableMs;
  const taking = await hostsWithNetwork(stage);
  must(taking.join() === 'h1,h2', `hosts with the network: ${taking.join(', ') || 'none'}`);
  const namespaces = await stage.networkNamespaces();
  const { vni } = stage.web();
  must(
    namespaces.join() === `sk-h1-${vni},sk-h2-${vni}`,
    `namespaces in the kernel: ${namespaces.join(', ') || 'none'}`,
  );
  return {
    observed: `a ${a.address} on h1, b ${b.address} on h2; attach ${attachMs.toFixed(0)} ms, first ping answered ${(reachableMs - attachMs).toFixed(0)} ms later; h3 has nothing`,
    facts: { a: a.address, b: b.address, attachMs, reachableMs, hosts: taking },
  };
}

interface LinkStatistics {
  readonly stats64: { tx: { packets: number }; rx: { packets: number } };
}

async function vxlanPackets(stage: Stage, host: string): Promise<number> {
  const netns = `sk-${host}-${stage.web().vni}`;
  const { stdout } = await stage.runIn(netns, 'ip', '-s', '-j', 'link', 'show', 'type', 'vxlan');
  const [link] = JSON.parse(stdout) as LinkStatistics[];
  must(link !== undefined, `no VXLAN device in ${netns}`);
  return link.stats64.tx.packets;
}

export async function pingByName(stage: Stage): Promise<Observation> {
  const before = await vxlanPackets(stage, 'h1');
  const ping = await stage.pingOnce('a', 'b', 5);
  const through = (await vxlanPackets(stage, 'h1')) - before;
  must(ping.received === 5, `${ping.received} of ${ping.sent} pings to the name b came back`);
  must(through >= 5, `${through} packets went through the VXLAN device`);
  return {
    observed: `${ping.received} of ${ping.sent} pings to the name b came back; ${through} packets left h1 through VXLAN`,
    facts: { ...ping, vxlanPackets: through },
  };
}

export const manyCount = 200;

export async function attachMany(stage: Stage): Promise<Observation> {
  const started = performance.now();
  const endpoints = await Promise.all(
    Array.from({ length: manyCount }, (_, index) =>
      stage.api.expect<EndpointAnswer>('POST', '/v1/networks/web/endpoints', {
        host: `h${(index % 3) + 1}`,
        name: `many-${index}`,
      }),
    ),
  );
  const tookMs = performance.now() - started;
  const addresses = endpoints.flatMap((endpoint) => endpoint.addresses);
  const duplicates = addresses.length - new Set(addresses).size;
  stage.figures.duplicateAddresses = duplicates;
  must(
    addresses.length === manyCount && duplicates === 0,
    `${addresses.length} addresses, ${duplicates} twice`,
  );
  const behind = endpoints.filter((endpoint) => endpoint.behind.length > 0).length;
  must(behind === 0, `${behind} attaches answered before every host had programmed them`);
  return {
    observed: `${manyCount} attaches from 3 hosts at once in ${tookMs.toFixed(0)} ms: ${addresses.length} addresses, ${duplicates} twice, every host had programmed each`,
    facts: {
      attaches: manyCount,
      tookMs,
      duplicates,
      perSecond: Math.round((manyCount * 1000) / tookMs),
    },
  };
}
