// What Prometheus reads of consensus, ipam and registry as processes, after something has happened.

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createEndpointsContract, createNetworkContract } from '@skein/contracts';
import { createServer, type AddressInfo } from 'node:net';
import { RegistryStack } from './registry-stack';

let stack: RegistryStack;
const ports = { consensus: 0, ipam: 0, registry: 0 };

beforeAll(async () => {
  for (const service of Object.keys(ports) as (keyof typeof ports)[])
    ports[service] = await freePort();
  stack = await RegistryStack.start((app) => ({
    SKEIN_METRICS_PORT: String(ports[app as keyof typeof ports]),
  }));
  await stack.registry('registry-1');
  await stack.agent('h1', 1);
}, 30_000);
afterAll(() => stack?.stop(), 30_000);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function read(service: keyof typeof ports): Promise<string> {
  return (await fetch(`http://127.0.0.1:${ports[service]}/metrics`)).text();
}

it('tells commits, pushes and the committed state in numbers', async () => {
  const options = { retryUnavailable: true, timeoutMs: 10_000 };
  await stack.messenger.request(createNetworkContract, { name: 'web' }, options);
  const attach = { network: 'web', endpoints: [{ host: 'h1' }] };
  await stack.messenger.request(createEndpointsContract, attach, options);
  const consensus = await read('consensus');
  expect(consensus).toMatch(/^skein_commit_duration_seconds_count{code="ok"} [1-9]/m);
  expect(consensus).toMatch(/^skein_raft_is_leader 1$/m);
  expect(consensus).toMatch(/^skein_raft_member_healthy{member="m1"} 1$/m);
  expect(consensus).toMatch(/^skein_store_revision [1-9]/m);
  const registry = await read('registry');
  expect(registry).toMatch(/^skein_push_duration_seconds_count{code="ok"} [1-9]/m);
  expect(registry).toMatch(/^skein_hosts{state="up"} 1$/m);
  expect(registry).toMatch(/^skein_endpoints 1$/m);
  expect(registry).toMatch(/^skein_registry_in_office 1$/m);
  const ipam = await read('ipam');
  expect(ipam).toMatch(/^skein_answer_duration_seconds_count{.*"ipam.create-network".*} 1$/m);
  expect(ipam).toMatch(/^skein_nats_connected 1$/m);
}, 30_000);
