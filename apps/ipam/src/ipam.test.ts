import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keys, SkeinError, type AddressRecord, type Contract } from '@skein/contracts';
import { defaultPools, type SubnetPools } from '@skein/ipam';
import { Deadline, silentLogger, type RequestContext } from '@skein/messaging';
import { createMemoryStore, type MemoryStore, type Store } from '@skein/store-client';
import { AddressDesk } from './address-desk';
import { NetworkCatalog } from './network-catalog';
import { UsageReport } from './usage-report';

type AnyHandler = (request: never, context: RequestContext) => unknown;

/** Subjects of several replicas in one process. */
class Bus {
  readonly handlers = new Map<string, AnyHandler>();
  requests = 0;

  serve(contract: Contract, handler: AnyHandler, { instance }: { instance?: string } = {}) {
    const subject = contract.subject(instance);
    this.handlers.set(subject, handler);
    const stop = async (): Promise<void> => {
      if (this.handlers.get(subject) === handler) this.handlers.delete(subject);
    };
    return { stop };
  }

  async request(
    contract: Contract,
    body: unknown,
    { instance, context }: { instance?: string; context?: RequestContext } = {},
  ): Promise<never> {
    this.requests += 1;
    const handler = this.handlers.get(contract.subject(instance));
    if (handler === undefined) throw new SkeinError('unavailable', 'Nobody there');
    return (await handler(body as never, context ?? contextOf())) as never;
  }
}

function contextOf(timeoutMs = 2_000): RequestContext {
  return { requestId: 'r1', deadline: Deadline.after(timeoutMs), subject: 's' };
}

let store: MemoryStore;
let bus: Bus;
let desks: AddressDesk[];

beforeEach(() => {
  store = createMemoryStore({ now: () => Date.now() });
  bus = new Bus();
  desks = [];
});
afterEach(async () => {
  store.isUnavailable = false;
  await Promise.all(desks.map((desk) => desk.stop()));
});

function replica(name: string, over: { store?: Store; pools?: SubnetPools; restMs?: number } = {}) {
  const own = over.store ?? store;
  const catalog = new NetworkCatalog(own, over.pools ?? defaultPools);
  const desk = new AddressDesk({
    store: own,
    messenger: bus as never,
    actorService: () => bus as never,
    catalog,
    replica: name,
    restMs: over.restMs ?? 30_000,
    activationTtlMs: 60_000,
    logger: silentLogger,
  });
  desks.push(desk);
  return { catalog, desk, usage: new UsageReport(own, catalog) };
}

const spec = (name: string, cidr?: string) => ({
  name,
  ...(cidr === undefined ? {} : { subnets: [{ cidr }] }),
  attachable: true,
  internal: false,
  multicast: false,
  encrypted: false,
  onHostLoss: 'keep' as const,
  labels: {},
});
const request = (endpointId: string, rest: { addresses?: string[] } = {}) => ({
  endpointId,
  host: 'h1',
  ...rest,
});
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'accepted',
    (thrown: unknown) => SkeinError.from(thrown).toBody(),
  );

describe('networks', () => {
  it('are found by name and by id, and their names are taken', async () => {
    const { catalog } = replica('a');
    const { network } = await catalog.create(spec('web'), contextOf());
    expect((await catalog.find('web', contextOf())).record).toEqual(network);
    expect((await catalog.find(network.id, contextOf())).record).toEqual(network);
    expect(await codeOf(catalog.create(spec('web'), contextOf()))).toMatchObject({
      code: 'network_name_taken',
      field: 'name',
    });
    expect(await codeOf(catalog.find('a/b', contextOf()))).toMatchObject({
      code: 'network_not_found',
    });
  });

  it('name the network that a subnet overlaps', async () => {
    const { catalog } = replica('a');
    await catalog.create(spec('web', '10.1.0.0/16'), contextOf());
    expect(await codeOf(catalog.create(spec('db', '10.1.2.0/24'), contextOf()))).toMatchObject({
      code: 'subnet_overlap',
      field: 'subnets.0.cidr',
      facts: { cidr: '10.1.2.0/24', overlaps: '10.1.0.0/16', network: 'web' },
    });
  });

  it('get subnets of their own when many are created at once by two replicas', async () => {
    const [a, b] = [replica('a'), replica('b')];
    const made = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        (index % 2 === 0 ? a : b).catalog.create(spec(`n${index}`), contextOf()),
      ),
    );
    expect(new Set(made.map(({ network }) => network.subnets[0]?.cidr)).size).toBe(8);
    expect(new Set(made.map(({ network }) => network.vni)).size).toBe(8);
  });

  it('are deleted with every key, unless they are in use', async () => {
    const { catalog, desk } = replica('a');
    const { network } = await catalog.create(spec('web'), contextOf());
    await desk.allocate({ network: 'web', requests: [request('e1')] }, contextOf());
    const deletion = { network: 'web', force: false };
    expect(await codeOf(catalog.delete(deletion, contextOf()))).toMatchObject({
      code: 'network_in_use',
      facts: { endpoints: 1, names: ['e1'] },
    });
    await desk.release({ network: 'web', endpointIds: ['e1'] }, contextOf());
    await catalog.delete(deletion, contextOf());
    const { kvs } = await store.range({ key: '/skein/', prefix: true });
    expect(kvs.map(({ key }) => key)).toEqual([keys.subnetTable]);
    expect(
      await codeOf(desk.allocate({ network: 'web', requests: [request('e2')] }, contextOf())),
    ).toMatchObject({ code: 'network_not_found' });
    expect(network.name).toBe('web');
  });

  it('are deleted by force if their endpoints are on hosts that are down', async () => {
    const { catalog, desk } = replica('a');
    await catalog.create(spec('web'), contextOf());
    await desk.allocate({ network: 'web', requests: [request('e1')] }, contextOf());
    const host = (state: string) =>
      store.put({ key: keys.host('h1'), value: JSON.stringify({ id: 'h1', state }) });
    await host('up');
    const deletion = { network: 'web', force: true };
    expect(await codeOf(catalog.delete(deletion, contextOf()))).toMatchObject({
      code: 'network_in_use',
    });
    await host('down');
    expect(await catalog.delete(deletion, contextOf())).toMatchObject({ releasedEndpoints: 1 });
  });
});

describe('addresses', () => {
  it('of one turn share a transaction and are never given twice', async () => {
    const { catalog, desk } = replica('a');
    await catalog.create(spec('web'), contextOf());
    await desk.allocate({ network: 'web', requests: [request('warm')] }, contextOf());
    const before = store.revision;
    const replies = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        desk.allocate({ network: 'web', requests: [request(`e${index}`)] }, contextOf()),
      ),
    );
    const given = replies.flatMap(({ allocations }) => allocations.flatMap((one) => one.addresses));
    expect(new Set(given).size).toBe(100);
    expect(store.revision - before).toBeLessThanOrEqual(3);
  });

  it('are answered the same again, by another replica too', async () => {
    const [a, b] = [replica('a'), replica('b')];
    await a.catalog.create(spec('web'), contextOf());
    const first = await a.desk.allocate({ network: 'web', requests: [request('e1')] }, contextOf());
    const again = await b.desk.allocate({ network: 'web', requests: [request('e1')] }, contextOf());
    expect(again.allocations).toEqual(first.allocations);
    expect(first.allocations).toEqual([
      { endpointId: 'e1', addresses: ['10.0.0.2/24'], mac: '02:42:0a:00:00:02' },
    ]);
    // The second replica asked the first one's actor and took no place of its own.
    const { kvs } = await store.range({ key: keys.actors, prefix: true });
    expect(kvs.map(({ value }) => (JSON.parse(value) as { replica: string }).replica)).toEqual([
      'a',
    ]);
  });

  it('go on at another replica when the first one is dead and its lease has run out', async () => {
    const a = replica('a');
    await a.catalog.create(spec('web'), contextOf());
    await a.desk.allocate({ network: 'web', requests: [request('e1')] }, contextOf());
    bus.handlers.clear();
    const b = replica('b');
    const waiting = b.desk.allocate({ network: 'web', requests: [request('e2')] }, contextOf());
    const { leases } = await store.leases();
    store.expireLease(leases[0]?.lease ?? '');
    const { allocations } = await waiting;
    expect(allocations[0]?.addresses).toEqual(['10.0.0.3/24']);

    // The first one does not know yet, and is shut out by the fence: it finds the new holder.
    const late = await a.desk.allocate({ network: 'web', requests: [request('e3')] }, contextOf());
    expect(late.allocations[0]?.addresses).toEqual(['10.0.0.4/24']);
    const { kvs } = await store.range({ key: keys.actors, prefix: true });
    expect(kvs[0]?.value).toContain('"b"');
  });

  it('say who holds one that is taken', async () => {
    const { catalog, desk } = replica('a');
    await catalog.create(spec('web'), contextOf());
    const wanted = { addresses: ['10.0.0.9'] };
    await desk.allocate({ network: 'web', requests: [request('e1', wanted)] }, contextOf());
    const refused = desk.allocate(
      { network: 'web', requests: [request('e2', wanted)] },
      contextOf(),
    );
    expect(await codeOf(refused)).toMatchObject({
      code: 'address_taken',
      field: 'requests.0.addresses.0',
      facts: { address: '10.0.0.9', holder: 'e1', host: 'h1' },
    });
  });

  it('of a subnet that another replica added are found before the pool is called exhausted', async () => {
    const [a, b] = [replica('a'), replica('b')];
    await a.catalog.create(spec('web', '10.0.0.0/30'), contextOf());
    await a.desk.allocate({ network: 'web', requests: [request('e1')] }, contextOf());
    const more = { network: 'web', requests: [request('e2')] };
    expect(await codeOf(a.desk.allocate(more, contextOf()))).toMatchObject({
      code: 'pool_exhausted',
      facts: { total: 2, used: 1, reserved: 1, resting: 0, holders: [{ endpointId: 'e1' }] },
    });
    await b.catalog.addSubnet({ network: 'web', subnet: { cidr: '10.0.1.0/24' } }, contextOf());
    const { allocations } = await a.desk.allocate(more, contextOf());
    expect(allocations[0]?.addresses).toEqual(['10.0.1.2/24']);
  });

  it('of the largest batch fit into one transaction', async () => {
    const { catalog, desk, usage } = replica('a');
    await catalog.create(spec('web', '10.0.0.0/16'), contextOf());
    const requests = Array.from({ length: 256 }, (_, index) => request(`e${index}`));
    const { allocations } = await desk.allocate({ network: 'web', requests }, contextOf());
    expect(allocations).toHaveLength(256);
    const page = await usage.read({ network: 'web', limit: 200 }, contextOf());
    expect(page.subnets[0]).toMatchObject({ total: 65_534, used: 256, reserved: 1, resting: 0 });
    expect(page.holders).toHaveLength(200);
    const rest = { network: 'web', limit: 200, cursor: page.cursor };
    expect((await usage.read(rest, contextOf())).holders).toHaveLength(57);
    const endpointIds = requests.map(({ endpointId }) => endpointId);
    const released = await desk.release({ network: 'web', endpointIds }, contextOf());
    expect(released.released).toBe(256);
  });

  it('carry who asked, under which fence, and rest when released', async () => {
    const { catalog, desk } = replica('a');
    const { network } = await catalog.create(spec('web'), contextOf());
    await desk.allocate({ network: 'web', requests: [request('e1')] }, contextOf());
    const key = keys.address(network.id, '4-0a000002');
    const read = async () => JSON.parse((await store.get(key))?.value ?? '') as AddressRecord;
    expect(await read()).toMatchObject({ state: 'held', host: 'h1', cause: { request: 'r1' } });
    await desk.release({ network: 'web', endpointIds: ['e1', 'nobody'] }, contextOf());
    expect(await read()).toMatchObject({ state: 'resting', endpointId: 'e1' });
    const { allocations } = await desk.allocate(
      { network: 'web', requests: [request('e2')] },
      contextOf(),
    );
    expect(allocations[0]?.addresses).toEqual(['10.0.0.3/24']);
  });

  it('whose outcome was unknown are confirmed under a new activation', async () => {
    let fault: 'none' | 'afterCommit' = 'none';
    const flaky = new Proxy(store, {
      get(target, name) {
        const value = Reflect.get(target, name, target) as unknown;
        if (typeof value !== 'function') return value;
        if (name !== 'txn') return (value as () => unknown).bind(target);
        return async (body: { success?: { type: string }[] }) => {
          const reply = await target.txn(body as never);
          const isWrite = body.success?.some(({ type }) => type === 'put') === true;
          if (fault === 'none' || !isWrite) return reply;
          fault = 'none';
          throw new SkeinError('unknown_outcome', 'The answer was lost');
        };
      },
    });
    const { catalog, desk } = replica('a', { store: flaky });
    const { network } = await catalog.create(spec('web'), contextOf());
    await desk.allocate({ network: 'web', requests: [request('e1')] }, contextOf());
    const place = keys.actor('network', network.id);
    const before = (await store.get(place))?.createRevision ?? 0;
    fault = 'afterCommit';
    const { allocations } = await desk.allocate(
      { network: 'web', requests: [request('e2')] },
      contextOf(),
    );
    expect(allocations[0]?.addresses).toEqual(['10.0.0.3/24']);
    expect((await store.get(place))?.createRevision).toBeGreaterThan(before);
    const { kvs } = await store.range({ key: keys.addresses(network.id), prefix: true });
    expect(kvs).toHaveLength(3);
  });

  it('are refused with the store’s own failure while it does not answer', async () => {
    const { catalog, desk } = replica('a');
    await catalog.create(spec('web'), contextOf());
    await desk.allocate({ network: 'web', requests: [request('e1')] }, contextOf());
    store.isUnavailable = true;
    const refused = desk.allocate({ network: 'web', requests: [request('e2')] }, contextOf());
    expect(await codeOf(refused)).toMatchObject({ code: 'unavailable' });
  });
});
