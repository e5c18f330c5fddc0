import { describe, expect, it } from '@jest/globals';
import { Zone } from './zone';

const network = {
  id: 'n',
  name: 'web',
  vni: 1,
  mtu: 1450,
  internal: false,
  subnets: [
    { cidr: '10.1.0.0/24', gateway: '10.1.0.1', reserved: {} },
    { cidr: 'fd00::/64', gateway: 'fd00::1', reserved: {} },
  ],
};
const endpoint = (name: string, addresses: string[], more: object = {}) => ({
  id: `id-${name}`,
  networkId: 'n',
  host: 'h1',
  name,
  aliases: [] as string[],
  addresses,
  mac: '02:00:00:00:00:05',
  ...more,
});
const zone = new Zone(network, [
  endpoint('a', ['10.1.0.5/24', 'fd00::5/64'], { aliases: ['first', 'db'] }),
  endpoint('b', ['10.1.0.6/24'], { service: 'shop' }),
  endpoint('c', ['10.1.0.7/24'], { service: 'shop' }),
  endpoint('d', ['10.1.0.8/24'], { service: 'a' }),
]);
const ask = (name: string, type = 'A', turn = 0) => zone.answer({ name, type }, turn);
const dataOf = (name: string, type = 'A', turn = 0) => {
  const answer = ask(name, type, turn);
  return answer.code === 'found' ? answer.records.map(({ data }) => data) : answer.code;
};

describe('zone', () => {
  it.each([
    ['a', 'A', ['10.1.0.5']],
    ['a', 'AAAA', ['fd00::5']],
    ['A.Web', 'A', ['10.1.0.5']],
    ['a.web.', 'A', ['10.1.0.5']],
    ['first', 'A', ['10.1.0.5']],
    ['db.web', 'AAAA', ['fd00::5']],
    ['shop', 'A', ['10.1.0.6', '10.1.0.7']],
    ['tasks.shop', 'A', ['10.1.0.6', '10.1.0.7']],
    ['tasks.shop.web', 'A', ['10.1.0.6', '10.1.0.7']],
    ['tasks.a', 'A', ['10.1.0.8']],
    ['a', 'ANY', ['10.1.0.5', 'fd00::5']],
    ['b', 'AAAA', []],
    ['b', 'MX', []],
    ['nobody', 'A', 'nameUnknown'],
    ['nobody.web', 'A', 'nameUnknown'],
    ['web', 'A', 'nameUnknown'],
    ['tasks.nobody', 'A', 'nameUnknown'],
    ['example.com', 'A', 'foreign'],
    ['a.other', 'A', 'foreign'],
    ['x.a.web', 'A', 'foreign'],
    ['', 'A', 'foreign'],
    ['.web', 'A', 'foreign'],
  ])('answers %s %s', (name, type, expected) => {
    expect(dataOf(name, type)).toEqual(expected);
  });

  it.each([
    ['5.0.1.10.in-addr.arpa', ['a.web']],
    ['1.0.1.10.in-addr.arpa', ['gateway.web']],
    [`5.${'0.'.repeat(27)}0.0.d.f.ip6.arpa`, ['a.web']],
    ['99.0.1.10.in-addr.arpa', 'nameUnknown'],
    ['5.0.2.10.in-addr.arpa', 'foreign'],
    ['0.1.10.in-addr.arpa', 'foreign'],
    ['999.0.1.10.in-addr.arpa', 'foreign'],
  ])('answers PTR %s', (name, expected) => {
    expect(dataOf(name, 'PTR')).toEqual(expected);
  });

  it('knows who holds an address, and which sandboxes have one, as endpoints come and go', () => {
    const own = endpoint('e', ['10.1.0.9/24', 'fd00::9/64'], {
      sandbox: { netns: '/run/netns/e' },
    });
    const changing = new Zone(network, [own]);
    expect(changing.holderOf('fd00::9')).toBe(own);
    expect(changing.holderOf('10.1.0.8')).toBeUndefined();
    expect(changing.hasSandbox('/run/netns/e')).toBe(true);
    changing.remove(own);
    expect(changing.holderOf('10.1.0.9')).toBeUndefined();
    expect(changing.hasSandbox('/run/netns/e')).toBe(false);
  });

  it('lets the backends of a service take turns', () => {
    expect(dataOf('shop', 'A', 1)).toEqual(['10.1.0.7', '10.1.0.6']);
  });
});
