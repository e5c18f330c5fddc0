// Whatever an engine says, in whatever order: the door answers, no address is given twice, and once everything is ended by its engine,
// in any order and as often as it likes, nothing is held but what the orphan watch then releases.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { OrphanWatch } from './orphans';
import { isMethod, readCall, requestSchemas, type Method } from './protocol';
import { addressRequest, macOf, PlayedRegistry } from './testing/played-registry';

const pools = ['n1/10.1.0.0/24', 'n2/10.2.0.0/24', 'n2/fd00:2::/64', 'n9/10.9.0.0/24', ''];
const methods = Object.keys(requestSchemas) as Method[];
const plain = ['10.1.0.2', '10.1.0.3', '10.2.0.2', 'fd00:2::2', '10.1.0.1', '10.9.0.1', ''];

const endpointId = fc.constantFrom('e1', 'e2', 'e3', 'stranger');
const networkId = fc.constantFrom('net1', 'net2', 'unknown');
const mac = fc.integer({ min: 1, max: 3 }).map(macOf);
const sensible = fc.oneof(
  fc
    .record({ pool: fc.constantFrom(...pools), mac, address: fc.constantFrom(...plain) })
    .map(
      ({ pool, mac: own, address }) =>
        ['IpamDriver.RequestAddress', addressRequest(pool, own, address)] as const,
    ),
  fc
    .record({ PoolID: fc.constantFrom(...pools), Address: fc.constantFrom(...plain) })
    .map((body) => ['IpamDriver.ReleaseAddress', body] as const),
  fc
    .record({
      NetworkID: networkId,
      EndpointID: endpointId,
      address: fc.constantFrom(...plain),
      mac,
    })
    .map(
      ({ address, mac: own, ...ids }) =>
        [
          'NetworkDriver.CreateEndpoint',
          { ...ids, Interface: { Address: address, MacAddress: own } },
        ] as const,
    ),
  fc
    .record({
      method: fc.constantFrom<Method>(
        'NetworkDriver.Join',
        'NetworkDriver.Leave',
        'NetworkDriver.DeleteEndpoint',
      ),
      body: fc.record({
        NetworkID: networkId,
        EndpointID: endpointId,
        SandboxKey: fc.constantFrom('/s/1', '/s/2'),
      }),
    })
    .map(({ method, body }) => [method, body] as const),
  fc.constant(['restart', {}] as const),
);

function open(): PlayedRegistry {
  const registry = new PlayedRegistry();
  for (const [id, net] of [
    ['net1', 'web'],
    ['net2', 'dual'],
  ] as const) {
    registry.door.book.bindings.set(id, { network: registry.find(net)!.id, claims: false });
  }
  return registry;
}

describe('the door', () => {
  it('answers any body of any method with a reply or a typed refusal', () => {
    const body = fc.oneof(fc.jsonValue(), fc.object()).map((value) => JSON.stringify(value));
    fc.assert(
      fc.property(fc.constantFrom(...methods), fc.oneof(body, fc.string()), (method, text) => {
        const read = readCall(method, text);
        if (!read.ok) return expect(read.field).not.toBe('');
        const answer = open().call(method, read.call.body);
        if (typeof answer === 'string') expect(answer).toMatch(/^[a-z_]+: /);
        return undefined;
      }),
      { numRuns: 500 },
    );
  });

  it('knows its methods and no inherited ones', () => {
    expect(['toString', '__proto__', 'NetworkDriver.Nothing'].filter(isMethod)).toEqual([]);
  });

  it('gives no address twice and leaves none behind', () => {
    fc.assert(
      fc.property(fc.array(sensible, { maxLength: 40 }), (calls) => {
        const registry = open();
        for (const [method, body] of calls) {
          if (method === 'restart') registry.restart();
          else registry.call(method, body);
          const addresses = [...registry.endpoints.values()].flatMap((each) =>
            each.addresses.map((text) => `${each.network} ${text}`),
          );
          expect(new Set(addresses).size).toBe(addresses.length);
          const bound = [...registry.door.book.holds.values()].flatMap(
            ({ engineId }) => engineId ?? [],
          );
          expect(new Set(bound).size).toBe(bound.length);
          // The registry and the book know of the same endpoints.
          expect([...registry.door.book.holds.keys()].sort()).toEqual(
            [...registry.endpoints.keys()].sort(),
          );
        }
        expect(heldInTheEnd(registry)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

/** After all containers are gone and the grace has passed twice. */
function heldInTheEnd(registry: PlayedRegistry): string[] {
  for (const id of ['e1', 'e2', 'e3']) {
    registry.call('NetworkDriver.DeleteEndpoint', { NetworkID: 'net1', EndpointID: id });
  }
  const watch = new OrphanWatch(60_000);
  for (const nowMs of [0, 60_000]) {
    const committed = new Map(
      [...registry.endpoints.values()].map((each) => [each.id, each.network]),
    );
    const { book } = registry.door;
    const { release, forget } = watch.look({ book, committed, engineIds: new Set(), nowMs });
    for (const { id } of release) {
      registry.endpoints.delete(id);
      registry.door.detached(id);
    }
    for (const id of forget) registry.door.detached(id);
  }
  return [...registry.endpoints.keys(), ...registry.door.book.holds.keys()];
}
