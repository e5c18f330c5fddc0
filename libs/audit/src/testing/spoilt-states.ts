// Every way in which a test spoils the sound state, and what an audit must make of it.

import { keys } from '@skein/contracts';
import {
  at,
  createNetwork,
  drop,
  e1,
  endpoint,
  held,
  mac,
  patch,
  put,
  record,
  store,
} from './sound-state';

/** What is done to a sound state, what that is found as, and whether it is repaired. */
export const faults: [string, () => Promise<unknown>, string[], 'repaired' | 'left'][] = [
  [
    'a value that is no JSON',
    () => store.put({ key: at('44'), value: '{' }),
    ['record_malformed'],
    'left',
  ],
  [
    'a value of another shape',
    () => store.put({ key: at('44'), value: record('x') }),
    ['record_malformed'],
    'left',
  ],
  [
    'a record under another address’s key',
    () => put(at('44'), held('e1', '10.0.0.2')),
    ['record_malformed'],
    'left',
  ],
  [
    'an address of a network that is gone',
    () => put(keys.address('old', '4-0a000002'), held('x', '10.0.0.2', { networkId: 'old' })),
    ['record_of_missing_network'],
    'repaired',
  ],
  [
    'a name of a network that is gone',
    () => put(keys.endpointName('old', 'x'), { endpointId: 'x' }),
    ['record_of_missing_network'],
    'repaired',
  ],
  [
    'an endpoint of a network that is gone',
    () => put(keys.endpoint('old', 'x'), endpoint('x', '10.0.0.2')),
    ['record_of_missing_network'],
    'left',
  ],
  [
    'an address held for nobody',
    () => put(at('44'), held('x', '10.0.0.68')),
    ['address_without_endpoint'],
    'repaired',
  ],
  [
    'an address held for an endpoint that has another',
    () => put(at('44'), held('e1', '10.0.0.68')),
    ['address_without_endpoint'],
    'repaired',
  ],
  [
    'an address held for an endpoint that is gone, on a host that is down',
    async () => {
      await put(at('44'), held('gone', '10.0.0.68'));
      await patch(keys.host('h1'), { state: 'down' });
    },
    ['address_without_endpoint'],
    'left',
  ],
  [
    'a resting address outside',
    () => put(keys.address('web', '4-0b000001'), held('x', '11.0.0.1', { state: 'resting' })),
    ['address_outside_subnet'],
    'repaired',
  ],
  [
    'a held address outside',
    () => put(keys.address('web', '4-0b000001'), held('x', '11.0.0.1')),
    ['address_outside_subnet'],
    'left',
  ],
  [
    'two endpoints with one address',
    async () => {
      await put(keys.endpoint('web', 'e2'), endpoint('e2', '10.0.0.2', { aliases: [], mac }));
      await put(keys.endpointName('web', 'e2'), { endpointId: 'e2' });
      await put(keys.mac('web', mac), { endpointId: 'e2' });
    },
    ['address_held_by_other', 'address_held_twice'],
    'left',
  ],
  [
    'an address held by another than who has it',
    () => patch(at('02'), { endpointId: 'x' }),
    ['address_held_by_other'],
    'left',
  ],
  ['an address that nobody holds', () => drop(at('02')), ['endpoint_without_address'], 'repaired'],
  [
    'an address that rests while its endpoint lives',
    () => patch(at('02'), { state: 'resting' }),
    ['endpoint_without_address'],
    'repaired',
  ],
  [
    'an endpoint on an unknown host',
    () => drop(keys.host('h1')),
    ['endpoint_on_missing_host'],
    'left',
  ],
  [
    'an address of another host',
    () => patch(at('02'), { host: 'h2' }),
    ['address_of_other_host'],
    'left',
  ],
  [
    'an address of an earlier boot',
    () => patch(keys.host('h1'), { bootId: 'b2' }),
    ['address_of_earlier_boot'],
    'left',
  ],
  ['a gateway that is not held', () => drop(at('01')), ['gateway_not_held'], 'repaired'],
  ['a reserved address that is not held', () => drop(at('09')), ['gateway_not_held'], 'repaired'],
  [
    'a gateway held by an endpoint',
    () => put(at('01'), held('x', '10.0.0.1')),
    ['address_without_endpoint', 'gateway_not_held'],
    'repaired',
  ],
  [
    'a reservation that nobody named',
    () =>
      put(
        at('44'),
        held('', '10.0.0.68', { kind: 'reserved', endpointId: undefined, reservedAs: 'x' }),
      ),
    ['reservation_without_subnet'],
    'repaired',
  ],
  [
    'a name of nobody',
    () => put(keys.endpointName('web', 'x'), { endpointId: 'x' }),
    ['name_without_endpoint'],
    'repaired',
  ],
  [
    'a name that its endpoint does not have',
    () => put(keys.endpointName('web', 'x'), { endpointId: 'e1' }),
    ['name_without_endpoint'],
    'repaired',
  ],
  [
    'an alias that is not kept',
    () => drop(keys.endpointName('web', 'e1-alias')),
    ['endpoint_without_name'],
    'repaired',
  ],
  [
    'two endpoints with one name',
    async () => {
      await put(
        keys.endpoint('web', 'e2'),
        endpoint('e2', '10.0.0.4', { name: 'e1', aliases: [], mac: '02:42:0a:00:00:04' }),
      );
      await put(at('04'), held('e2', '10.0.0.4'));
    },
    ['name_held_twice'],
    'left',
  ],
  [
    'a MAC of nobody',
    () => put(keys.mac('web', mac), { endpointId: 'x' }),
    ['mac_without_endpoint'],
    'repaired',
  ],
  ['a MAC that is not kept', () => patch(e1, { mac }), ['endpoint_without_mac'], 'repaired'],
  [
    'two endpoints with one MAC',
    async () => {
      await put(keys.endpoint('web', 'e2'), endpoint('e2', '10.0.0.4', { aliases: [] }));
      await put(keys.endpointName('web', 'e2'), { endpointId: 'e2' });
      await put(at('04'), held('e2', '10.0.0.4'));
      await put(keys.mac('web', '02:42:0a:00:00:02'), { endpointId: 'e2' });
    },
    ['mac_held_twice'],
    'left',
  ],
  [
    'a network without its name',
    () => drop(keys.networkName('web')),
    ['network_without_name'],
    'repaired',
  ],
  [
    'a name that leads nowhere',
    () => put(keys.networkName('old'), { networkId: 'old' }),
    ['network_name_without_network'],
    'repaired',
  ],
  ['a network without its VNI', () => drop(keys.vni(5_000)), ['network_without_vni'], 'repaired'],
  [
    'a VNI of nobody',
    () => put(keys.vni(5_001), { networkId: 'web' }),
    ['vni_without_network'],
    'repaired',
  ],
  [
    'a subnet that the table misses',
    () => patch(keys.subnetTable, { subnets: [] }),
    ['subnet_not_in_table'],
    'repaired',
  ],
  [
    'a row of the table that no network has',
    () =>
      patch(keys.subnetTable, {
        subnets: [
          { cidr: '10.0.0.0/24', networkId: 'web' },
          { cidr: '10.9.0.0/24', networkId: 'old' },
        ],
      }),
    ['table_row_without_subnet'],
    'repaired',
  ],
  [
    'subnets that overlap',
    async () => {
      await createNetwork('db', 5_001, [{ cidr: '10.1.0.0/24' }]);
      const key = keys.network('db');
      const subnets = [{ cidr: '10.0.0.0/16', gateway: '10.0.0.1', reserved: {} }];
      await patch(key, { subnets });
      await put(keys.subnetTable, {
        subnets: [
          { cidr: '10.0.0.0/24', networkId: 'web' },
          { cidr: '10.0.0.0/16', networkId: 'db' },
        ],
      });
      await drop(keys.address('db', '4-0a010001'));
      await put(keys.address('db', '4-0a000001'), {
        ...held('', '10.0.0.1', {
          networkId: 'db',
          kind: 'gateway',
          endpointId: undefined,
          reservedAs: 'gateway',
        }),
      });
    },
    ['subnets_overlap'],
    'left',
  ],
  [
    'a route of a host',
    () => patch(keys.host('h1'), { routes: ['10.0.0.128/25'] }),
    ['subnet_meets_host_route'],
    'left',
  ],
];
