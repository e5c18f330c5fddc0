// Two replicas of ipam over a real NATS server: requests reach the network's actor wherever it is, and a replica that stops
// gives its place to the other. The store is in memory: consensus has tests of its own.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  allocateContract,
  createNetworkContract,
  deleteNetworkContract,
  keys,
  releaseContract,
  usageContract,
} from '@skein/contracts';
import { Messenger } from '@skein/messaging';
import { createLogger, SkeinTransport, startMicroservice } from '@skein/service-boot';
import { createMemoryStore } from '@skein/store-client';
import { ipamConfigSchema } from '../../apps/ipam/src/ipam.config';
import { IpamModule } from '../../apps/ipam/src/ipam.module';
import { startNatsServer, type NatsServer } from '../support/nats-server';

const store = createMemoryStore({ now: () => Date.now() });
const logger = createLogger('ipam', 'silent');
let server: NatsServer;
let people: Messenger;
const closers: (() => Promise<void>)[] = [];

async function startReplica(replicaId: string): Promise<() => Promise<void>> {
  const messenger = await Messenger.connect({
    servers: [server.url],
    name: replicaId,
    checkReplies: true,
  });
  const config = ipamConfigSchema.parse({ replicaId });
  const description = 'Subnets and addresses';
  const transport = new SkeinTransport({ messenger, version: '0.0.0', description });
  const module = IpamModule.of({ config, messenger, logger, transport, store });
  const running = await startMicroservice(module, { config, messenger, logger, transport });
  await messenger.flush();
  const close = async (): Promise<void> => {
    await running.close();
    await messenger.drain();
  };
  closers.push(close);
  return close;
}

async function holder(): Promise<string | undefined> {
  const { kvs } = await store.range({ key: keys.actors, prefix: true });
  const [place] = kvs;
  return place && (JSON.parse(place.value) as { replica: string }).replica;
}

const allocate = (...endpointIds: string[]) =>
  people.request(allocateContract, {
    network: 'web',
    requests: endpointIds.map((endpointId) => ({ endpointId, host: 'h1' })),
  });

beforeAll(async () => {
  server = await startNatsServer();
  people = await Messenger.connect({ servers: [server.url], name: 'people' });
  closers.push(() => people.drain());
});
afterAll(async () => {
  for (const close of closers.toReversed()) await close();
  await server.stop();
});

describe('two replicas of ipam', () => {
  it('give every address once, whoever is asked', async () => {
    const stopFirst = await startReplica('ipam-1');
    await people.request(createNetworkContract, {
      name: 'web',
      subnets: [{ cidr: '10.1.0.0/16' }],
    });
    await allocate('first');
    expect(await holder()).toBe('ipam-1');
    await startReplica('ipam-2');
    const replies = await Promise.all(
      Array.from({ length: 200 }, (_, index) => allocate(`e${index}`, `f${index}`)),
    );
    const given = replies.flatMap(({ allocations }) => allocations.flatMap((one) => one.addresses));
    expect(new Set(given).size).toBe(400);
    const usage = await people.request(usageContract, { network: 'web' });
    expect(usage.subnets).toMatchObject([{ used: 401, reserved: 1, total: 65_534 }]);

    await stopFirst();
    expect(await holder()).toBeUndefined();
    const { allocations } = await allocate('e0', 'after');
    expect(allocations[0]).toEqual(replies[0]?.allocations[0]);
    expect(await holder()).toBe('ipam-2');
  });

  it('answer refusals with code, field and facts', async () => {
    const wanted = { endpointId: 'x', host: 'h1', addresses: ['10.1.0.2'] };
    const refused = people.request(allocateContract, { network: 'web', requests: [wanted] });
    await expect(refused).rejects.toMatchObject({
      code: 'address_taken',
      field: 'requests.0.addresses.0',
      facts: { address: '10.1.0.2', host: 'h1' },
    });
    const deletion = people.request(deleteNetworkContract, { network: 'web' });
    await expect(deletion).rejects.toMatchObject({ code: 'network_in_use' });
  });

  it('leave nothing of a network that is deleted', async () => {
    const { kvs } = await store.range({ key: keys.allAddresses, prefix: true });
    const ids = kvs.map((kv) => (JSON.parse(kv.value) as { endpointId?: string }).endpointId);
    const held = ids.filter((id) => id !== undefined);
    for (let from = 0; from < held.length; from += 200) {
      const endpointIds = held.slice(from, from + 200);
      await people.request(releaseContract, { network: 'web', endpointIds });
    }
    await people.request(deleteNetworkContract, { network: 'web' });
    const { kvs: left } = await store.range({ key: '/skein/', prefix: true });
    expect(left.map(({ key }) => key)).toEqual([keys.subnetTable]);
  });
});
