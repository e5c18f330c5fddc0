// The door against calls in the engine's order, twice, out of order, and of ids that nobody has heard of.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { addressRequest, macOf, PlayedRegistry, web } from './testing/played-registry';

const pool = 'n1/10.1.0.0/24';
const mac = macOf(1);
const own = { AddressSpace: 'skein', Pool: '10.1.0.0/24', Gateway: '10.1.0.1/24' };
let registry: PlayedRegistry;
const call = (...args: Parameters<PlayedRegistry['call']>) => registry.call(...args);
const createNetwork = (id: string, net: string, data: object[] = [own]) =>
  call('NetworkDriver.CreateNetwork', {
    NetworkID: id,
    Options: { 'com.docker.network.generic': { net } },
    IPv4Data: data,
    IPv6Data: null,
  });
const createEndpoint = (id: string, address: string, with_ = mac) =>
  call('NetworkDriver.CreateEndpoint', {
    NetworkID: 'net',
    EndpointID: id,
    Interface: { Address: address, MacAddress: with_ },
  });
const endpoint = (id: string) => ({ NetworkID: 'net', EndpointID: id });
const join = (id: string, sandbox = '/run/docker/netns/one') =>
  call('NetworkDriver.Join', { ...endpoint(id), SandboxKey: sandbox });
const release = (address: string) =>
  call('IpamDriver.ReleaseAddress', { PoolID: pool, Address: address });
const held = () => [...registry.endpoints.values()].flatMap(({ addresses }) => addresses);

beforeEach(() => {
  registry = new PlayedRegistry();
  createNetwork('net', 'web');
});

describe('a pool', () => {
  it('is a subnet of the network that the options name', () => {
    const asked = { Pool: '10.1.0.0/24', Options: { net: 'web' } };
    expect(call('IpamDriver.RequestPool', asked)).toMatchObject({
      PoolID: pool,
      Pool: '10.1.0.0/24',
    });
  });

  it.each([
    ['without a network', {}, 'invalid_request'],
    ['of an unknown network', { Options: { net: 'nobody' } }, 'network_not_found'],
    ['of another subnet', { Options: { net: 'web' }, Pool: '10.9.0.0/24' }, 'network_differs'],
    ['that is none', { Options: { net: 'web' }, Pool: 'nonsense' }, 'network_differs'],
    ['of a family that there is not', { Options: { net: 'web' }, V6: true }, 'address_outside'],
  ])('%s is refused', (_, body, code) => {
    expect(call('IpamDriver.RequestPool', body)).toContain(code);
  });

  it('of our choice is not given again and again to an engine that does not like it', () => {
    const asked = { Options: { net: 'web' } };
    expect(call('IpamDriver.RequestPool', asked)).toMatchObject({ Pool: '10.1.0.0/24' });
    expect(call('IpamDriver.RequestPool', asked)).toContain('subnet_overlap');
    registry.nowMs += 10_000;
    expect(call('IpamDriver.RequestPool', asked)).toMatchObject({ Pool: '10.1.0.0/24' });
  });
});

describe('an address', () => {
  it('of the gateway and of what is reserved is the same each time, and held by nobody', () => {
    const gateway = { PoolID: pool, Options: { RequestAddressType: 'com.docker.network.gateway' } };
    for (let time = 0; time < 2; time += 1) {
      expect(call('IpamDriver.RequestAddress', gateway)).toMatchObject({ Address: '10.1.0.1/24' });
      expect(
        call('IpamDriver.RequestAddress', { PoolID: pool, Address: '10.1.0.9', Options: null }),
      ).toMatchObject({ Address: '10.1.0.9/24' });
      expect(release('10.1.0.1')).toEqual({});
    }
    expect(held()).toEqual([]);
  });

  it.each([
    [
      'another gateway',
      { Address: '10.1.0.7', Options: { RequestAddressType: 'com.docker.network.gateway' } },
      'network_differs',
    ],
    ['outside of the pool', addressRequest(pool, mac, '10.9.0.1'), 'address_outside_subnet'],
    ['that is none', addressRequest(pool, mac, 'ten'), 'invalid_request'],
    ['for a MAC that is none', addressRequest(pool, 'mac'), 'invalid_request'],
    ['of an unknown pool', addressRequest('n9/10.9.0.0/24', mac), 'network_not_found'],
    ['of a pool that is none', addressRequest('', mac), 'network_not_found'],
    ['that is not reserved, without a MAC', { Address: '10.1.0.8' }, 'invalid_request'],
  ])('%s is refused', (_, body, code) => {
    expect(call('IpamDriver.RequestAddress', { PoolID: pool, ...body })).toContain(code);
    expect(held()).toEqual([]);
  });

  it('is held before the engine hears of it, and once however often it asks', () => {
    for (let time = 0; time < 3; time += 1) {
      expect(call('IpamDriver.RequestAddress', addressRequest(pool, mac))).toEqual({
        Address: '10.1.0.2/24',
        Data: {},
      });
    }
    expect(held()).toEqual(['10.1.0.2/24']);
  });

  it('of choice takes the place of one that was given for the same MAC', () => {
    call('IpamDriver.RequestAddress', addressRequest(pool, mac));
    expect(call('IpamDriver.RequestAddress', addressRequest(pool, mac, '10.1.0.77'))).toMatchObject(
      {
        Address: '10.1.0.77/24',
      },
    );
    expect(held()).toEqual(['10.1.0.77/24']);
  });

  it('is released once, whatever is released besides', () => {
    call('IpamDriver.RequestAddress', addressRequest(pool, mac));
    for (const text of ['10.1.0.2', '10.1.0.2', '10.1.0.200', 'nonsense', '']) {
      expect(release(text)).toEqual({});
    }
    expect(held()).toEqual([]);
    expect(registry.door.book.holds.size).toBe(0);
  });

  it('of both families is one endpoint', () => {
    const [four, six] = ['n2/10.2.0.0/24', 'n2/fd00:2::/64'];
    expect(call('IpamDriver.RequestAddress', addressRequest(four, mac))).toMatchObject({
      Address: '10.2.0.2/24',
    });
    expect(call('IpamDriver.RequestAddress', addressRequest(six, mac))).toMatchObject({
      Address: 'fd00:2::2/64',
    });
    expect(registry.endpoints.size).toBe(1);
    call('IpamDriver.RequestAddress', addressRequest(six, mac, 'fd00:2::99'));
    expect(held()).toEqual(['10.2.0.2/24', 'fd00:2::99/64']);
  });
});

describe('a network object', () => {
  it.each([
    ['names no network', {}, [own], 'invalid_request'],
    ['names one that is not there', { net: 'nobody' }, [own], 'network_not_found'],
    ['has another subnet', { net: 'web' }, [{ ...own, Pool: '10.9.0.0/24' }], 'network_differs'],
    [
      'has another gateway',
      { net: 'web' },
      [{ ...own, Gateway: '10.1.0.2/24' }],
      'network_differs',
    ],
  ])('that %s is refused', (_, generic, IPv4Data, code) => {
    const body = { NetworkID: 'x', Options: { 'com.docker.network.generic': generic }, IPv4Data };
    expect(call('NetworkDriver.CreateNetwork', body)).toContain(code);
    expect(registry.door.book.bindings.has('x')).toBe(false);
  });

  it('with addresses of another driver declares a network that is not there yet', () => {
    const data = { AddressSpace: 'LocalDefault', Pool: '10.5.0.0/24', Gateway: '10.5.0.1/24' };
    expect(createNetwork('new', 'fresh', [data])).toEqual({});
    expect(registry.find('fresh')?.subnets).toEqual([
      { cidr: '10.5.0.0/24', gateway: '10.5.0.1', reserved: {} },
    ]);
    expect(registry.door.book.bindings.get('new')).toEqual({
      network: 'declared-fresh',
      claims: true,
    });
  });

  it('is forgotten when it is deleted, twice if need be', () => {
    for (let time = 0; time < 2; time += 1) {
      expect(call('NetworkDriver.DeleteNetwork', { NetworkID: 'net' })).toEqual({});
    }
    expect(registry.door.book.bindings.size).toBe(0);
  });
});

describe('an endpoint', () => {
  beforeEach(() => void call('IpamDriver.RequestAddress', addressRequest(pool, mac)));

  it('echoes nothing that it was given, and tells the MAC only if none was', () => {
    expect(createEndpoint('one', '10.1.0.2/24')).toEqual({ Interface: {} });
    expect(createEndpoint('one', '10.1.0.2/24', '')).toEqual({ Interface: { MacAddress: mac } });
    expect(registry.endpoints.size).toBe(1);
  });

  it('is joined by the end that the engine fetches, with a way to the resolver and no gateway', () => {
    createEndpoint('one', '10.1.0.2/24');
    const reply = join('one');
    expect(reply).toEqual(join('one'));
    expect(reply).toEqual({
      InterfaceName: { SrcName: expect.stringMatching(/^s[0-9a-f]{12}$/), DstPrefix: 'eth' },
      StaticRoutes: [{ Destination: '169.254.83.107/32', RouteType: 1 }],
    });
  });

  it('is not joined before the host has its interface', () => {
    registry.isPlugging = false;
    const second = '02:42:ff:00:00:02';
    call('IpamDriver.RequestAddress', addressRequest(pool, second));
    createEndpoint('one', '10.1.0.3/24', second);
    expect(join('one')).toContain('unavailable');
    registry.isPlugging = true;
    expect(join('one')).toMatchObject({ InterfaceName: { DstPrefix: 'eth' } });
  });

  it('of a second network in one sandbox has another way to the resolver', () => {
    createEndpoint('one', '10.1.0.2/24');
    join('one');
    call('IpamDriver.RequestAddress', addressRequest('n2/10.2.0.0/24', mac));
    const other = {
      NetworkID: 'n',
      EndpointID: 'two',
      Interface: { Address: '10.2.0.2/24', MacAddress: mac },
    };
    call('NetworkDriver.CreateEndpoint', other);
    expect(join('two')).toMatchObject({
      StaticRoutes: [{ Destination: '169.254.83.106/31', RouteType: 1 }],
      DisableGatewayService: true,
    });
  });

  it('that nobody has made is not joined, but left and deleted without a word', () => {
    expect(join('stranger')).toContain('endpoint_not_found');
    expect(call('NetworkDriver.Leave', endpoint('stranger'))).toEqual({});
    expect(call('NetworkDriver.DeleteEndpoint', endpoint('stranger'))).toEqual({});
    expect(held()).toEqual(['10.1.0.2/24']);
  });

  it('keeps its address when another container asks with its MAC', () => {
    createEndpoint('one', '10.1.0.2/24');
    expect(call('IpamDriver.RequestAddress', addressRequest(pool, mac))).toContain('mac_taken');
    expect(createEndpoint('two', '10.1.0.2/24')).toContain('address_taken');
    // The engine releases what it got for the second one.
    expect(release('10.1.0.2')).toEqual({});
    expect(held()).toEqual(['10.1.0.2/24']);
    expect(join('one')).toMatchObject({ InterfaceName: {} });
  });

  it('goes whatever the order of the calls that end it', () => {
    createEndpoint('one', '10.1.0.2/24');
    join('one');
    release('10.1.0.2');
    call('NetworkDriver.DeleteEndpoint', endpoint('one'));
    call('NetworkDriver.Leave', endpoint('one'));
    expect(held()).toEqual([]);
    expect(registry.door.book.holds.size).toBe(0);
  });

  it('may be ended by another life of the agent than the one that made it', () => {
    createEndpoint('one', '10.1.0.2/24');
    registry.restart();
    join('one');
    registry.restart();
    call('NetworkDriver.Leave', endpoint('one'));
    call('NetworkDriver.DeleteEndpoint', endpoint('one'));
    registry.restart();
    release('10.1.0.2');
    expect(held()).toEqual([]);
  });

  it('with an address that another driver chose is claimed, and goes with its end', () => {
    const data = {
      AddressSpace: 'LocalDefault',
      Pool: web.subnets[0]!.cidr,
      Gateway: '10.1.0.1/24',
    };
    createNetwork('net', 'web', [data]);
    expect(createEndpoint('one', '10.1.0.30/24', '')).toMatchObject({
      Interface: { MacAddress: expect.any(String) },
    });
    expect(createEndpoint('two', '10.1.0.30/24', '')).toContain('address_taken');
    expect(held()).toContain('10.1.0.30/24');
    call('NetworkDriver.DeleteEndpoint', endpoint('one'));
    expect(held()).toEqual(['10.1.0.2/24']);
  });
});
