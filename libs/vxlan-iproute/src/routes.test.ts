import { describe, expect, it } from '@jest/globals';
import { maxHostRoutes, routesOf } from './routes';

describe('the routes of a host', () => {
  it('are its prefixes, canonical and once, without its default route', () => {
    expect(
      routesOf([
        { dst: 'default', gateway: '192.168.1.1', dev: 'eth0' },
        { dst: '192.168.1.0/24', dev: 'eth0', protocol: 'kernel' },
        { dst: '192.168.1.0/24', dev: 'eth1', metric: 100 },
        { dst: '10.7.0.9', dev: 'tun0' },
        { dst: 'FD12:0::/48', dev: 'eth0' },
        { dst: 'fd12::1', dev: 'eth0' },
      ]),
    ).toEqual(['10.7.0.9/32', '192.168.1.0/24', 'fd12::/48', 'fd12::1/128']);
  });

  it.each([
    ['a default route by number', { dst: '0.0.0.0/0' }],
    ['link-local', { dst: 'fe80::/64', dev: 'eth0' }],
    ['IPv4 link-local', { dst: '169.254.0.0/16', dev: 'eth0' }],
    ['multicast', { dst: 'ff00::/8', type: 'multicast' }],
    ['what is thrown away', { dst: '10.0.0.0/8', type: 'blackhole' }],
    ['text that is no prefix', { dst: 'somewhere' }],
    ['host bits', { dst: '10.0.0.1/8' }],
    ['nothing', {}],
  ])('are not %s', (_, item) => {
    expect(routesOf([item])).toEqual([]);
  });

  it('are at most as many as a record takes', () => {
    const many = Array.from({ length: 5_000 }, (_, at) => ({
      dst: `10.${at >> 8}.${at & 255}.0/24`,
    }));
    expect(routesOf(many)).toHaveLength(maxHostRoutes);
  });
});
