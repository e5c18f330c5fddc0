// The second half of the story: things are killed, deleted and claimed, and what was promised still holds.

import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterAnswer, EndpointAnswer, HostAnswer, Problem } from './api';
import type { Observation } from './report';
import { must, type PingCount, type Stage } from './stage';
import { hostsWithNetwork } from './steps-attach';

function countLost(stage: Stage, ping: PingCount): number {
  const lost = ping.sent - ping.received;
  stage.figures.pingsLost = (stage.figures.pingsLost ?? 0) + lost;
  return lost;
}

async function allHealthy(stage: Stage): Promise<ClusterAnswer> {
  return stage.until('all managers healthy', 20_000, async () => {
    const { status, body } = await stage.api.call<ClusterAnswer>('GET', '/v1/cluster');
    return status === 200 && body.leaderId !== null && body.members.every((one) => one.healthy)
      ? body
      : null;
  });
}

export async function killLeader(stage: Stage): Promise<Observation> {
  const { leaderId, term } = await allHealthy(stage);
  const pings = stage.startPings('a', stage.container('b').address, 'leader');
  await delay(200);
  const killed = performance.now();
  await stage.cluster.control.call('kill', { process: `consensus-${leaderId}` });
  await stage.api.expect<EndpointAnswer>('POST', '/v1/networks/web/endpoints', {
    host: 'h1',
    name: 'after-kill',
  });
  const failoverMs = performance.now() - killed;
  const ping = await pings.stop();
  const lost = countLost(stage, ping);
  stage.figures.failoverMs = failoverMs;
  must(lost === 0, `${lost} of ${ping.sent} pings were lost`);
  await stage.cluster.control.call('start', { process: `consensus-${leaderId}` });
  const after = await allHealthy(stage);
  must(after.term > term, `the term is still ${after.term}`);
  return {
    observed: `${leaderId} killed with -9; the next attach was answered ${failoverMs.toFixed(0)} ms later; ${ping.sent} pings, ${lost} lost; ${after.leaderId} leads in term ${after.term}`,
    facts: { killed: leaderId, leader: after.leaderId, failoverMs, ...ping, lost },
  };
}

export async function killAgent(stage: Stage): Promise<Observation> {
  const b = stage.container('b');
  must((await stage.resolve('a', 'b')).join() === b.address, 'the name b did not resolve before');
  const pings = stage.startPings('a', b.address, 'agent');
  const killed = performance.now();
  await stage.cluster.control.call('kill', { process: 'agent-h2' });
  const down = await hostState(stage, 'down');
  const downMs = performance.now() - killed;
  await stage.until('the name b is withdrawn', 5_000, async () => {
    return (await stage.resolve('a', 'b')).length === 0 ? true : null;
  });
  const withdrawnMs = performance.now() - killed;
  const returned = performance.now();
  await stage.cluster.control.call('start', { process: 'agent-h2' });
  await hostState(stage, 'up');
  await stage.until('the name b is back', 5_000, async () => {
    return (await stage.resolve('a', 'b')).join() === b.address ? true : null;
  });
  const restoredMs = performance.now() - returned;
  const ping = await pings.stop();
  const lost = countLost(stage, ping);
  must(lost === 0, `${lost} of ${ping.sent} pings were lost`);
  return {
    observed: `h2 committed down after ${downMs.toFixed(0)} ms (${down.reason ?? 'no reason given'}), its names withdrawn after ${withdrawnMs.toFixed(0)} ms; a and b talked on: ${ping.sent} pings, ${lost} lost; back ${restoredMs.toFixed(0)} ms after its return`,
    facts: { downMs, withdrawnMs, restoredMs, ...ping, lost },
  };
}

function hostState(stage: Stage, state: HostAnswer['state']): Promise<HostAnswer> {
  return stage.until(`h2 ${state}`, 20_000, async () => {
    const host = await stage.api.expect<HostAnswer>('GET', '/v1/hosts/h2');
    return host.state === state ? host : null;
  });
}

interface FdbRow {
  readonly mac: string;
  readonly ifname?: string;
  readonly dst?: string;
}

export async function repairRow(stage: Stage): Promise<Observation> {
  const b = stage.container('b').endpoint;
  const netns = `sk-h1-${stage.web().vni}`;
  const find = async () => {
    const { stdout } = await stage.runIn(netns, 'bridge', '-j', 'fdb', 'show');
    const rows = JSON.parse(stdout) as FdbRow[];
    return rows.find((row) => row.mac === b.mac && row.dst !== undefined) ?? null;
  };
  const repairs = async () => (await stage.api.expect<HostAnswer>('GET', '/v1/hosts/h1')).repairs;
  const row = await find();
  must(row !== null, `no forwarding row for ${b.mac} on h1`);
  const before = await repairs();
  const deleted = await stage.runIn(
    netns,
    'bridge',
    'fdb',
    'del',
    b.mac,
    'dev',
    row.ifname ?? '',
    'self',
  );
  must(deleted.code === 0, `bridge fdb del: ${deleted.stderr.trim()}`);
  const started = performance.now();
  await stage.until('the row is back', 5_000, find);
  const repairMs = performance.now() - started;
  const counted = await stage.until('the repair is counted', 5_000, async () => {
    const more = (await repairs()) - before;
    return more > 0 ? more : null;
  });
  stage.figures.repairs = counted;
  must(counted === 1, `${counted} repairs were counted for one row`);
  const ping = await stage.pingOnce('a', 'b');
  must(ping.received === 1, 'b does not answer after the repair');
  return {
    observed: `the row of ${b.mac} was back after ${repairMs.toFixed(0)} ms; repairs counted: ${counted}`,
    facts: { repairMs, repairs: counted },
  };
}

export async function refuseTaken(stage: Stage): Promise<Observation> {
  const b = stage.container('b');
  const answer = await stage.api.call<Problem>('POST', '/v1/networks/web/endpoints', {
    host: 'h3',
    name: 'thief',
    addresses: [b.address],
  });
  must(
    answer.status === 409 && answer.body.code === 'address_taken',
    `answered ${answer.status} ${answer.body.code}`,
  );
  const told = JSON.stringify(answer.body);
  must(told.includes(b.endpoint.id), `the answer does not name the holder: ${told}`);
  return {
    observed: `refused: ${answer.body.detail}`,
    facts: { status: answer.status, problem: answer.body },
  };
}

export async function leave(stage: Stage): Promise<Observation> {
  const { endpoints } = await stage.api.expect<{ endpoints: EndpointAnswer[] }>(
    'GET',
    '/v1/networks/web/endpoints?limit=1000',
  );
  const started = performance.now();
  const ids = endpoints.map((endpoint) => endpoint.id);
  const worker = async () => {
    for (let id = ids.pop(); id !== undefined; id = ids.pop()) {
      await stage.api.expect('DELETE', `/v1/networks/web/endpoints/${id}`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  const gone = await stage.until('the network vanishes from the hosts', 10_000, async () => {
    const left = [...(await hostsWithNetwork(stage)), ...(await stage.networkNamespaces())];
    return left.length === 0 ? performance.now() - started : null;
  });
  return {
    observed: `${endpoints.length} endpoints left in ${gone.toFixed(0)} ms; no host has the network, no namespace of it in the kernel`,
    facts: { endpoints: endpoints.length, tookMs: gone },
  };
}

interface KeyValues {
  readonly revision: number;
  readonly kvs: { key: string; value: string; modRevision: number }[];
}

/** The committed state without what lives by leases alone. */
async function durableState(stage: Stage): Promise<KeyValues> {
  const state = await stage.api.expect<KeyValues>('GET', '/v1/kv?prefix=/skein/&limit=10000');
  const kvs = state.kvs.filter(({ key }) => !/^\/skein\/(actor|host|idempotency)\//.test(key));
  return { ...state, kvs };
}

export async function restartManagers(stage: Stage): Promise<Observation> {
  const before = await durableState(stage);
  const managers = ['consensus-m1', 'consensus-m2', 'consensus-m3'];
  await Promise.all(managers.map((process) => stage.cluster.control.call('kill', { process })));
  const started = performance.now();
  await Promise.all(managers.map((process) => stage.cluster.control.call('start', { process })));
  await allHealthy(stage);
  const backMs = performance.now() - started;
  const after = await durableState(stage);
  const kept = new Map(after.kvs.map(({ key, value }) => [key, value]));
  const lost = before.kvs.filter(({ key, value }) => kept.get(key) !== value);
  must(
    lost.length === 0,
    `${lost.length} of ${before.kvs.length} keys are lost or changed: ${lost[0]?.key}`,
  );
  must(
    after.revision >= before.revision,
    `the revision went back from ${before.revision} to ${after.revision}`,
  );
  return {
    observed: `all three killed with -9 and back from disk in ${backMs.toFixed(0)} ms; ${before.kvs.length} keys as they were, revision ${before.revision} → ${after.revision}`,
    facts: {
      keys: before.kvs.length,
      backMs,
      revisionBefore: before.revision,
      revisionAfter: after.revision,
    },
  };
}

interface AddressAnswer {
  readonly holders: unknown[];
  readonly past: { endpointName: string | null; host: string | null }[];
}

export async function lookBack(stage: Stage): Promise<Observation> {
  const { address } = stage.container('b');
  const answer = await stage.api.expect<AddressAnswer>('GET', `/v1/addresses/${address}`);
  const past = answer.past.find((holding) => holding.endpointName === 'b');
  must(
    answer.holders.length === 0 && past !== undefined,
    `history of ${address}: ${JSON.stringify(answer)}`,
  );
  return {
    observed: `${address} is free; it was held by ${past.endpointName} on ${past.host}`,
    facts: { address, past: answer.past.length },
  };
}
