// Values that mean something to the cluster under test, by the name of the field or parameter that takes them: without them next to
// nothing that is generated would get past "there is no such network". Few of each, so that requests meet each other's things.

export const hosts = ['h1', 'h2', 'h3'] as const;
export const managers = ['m1', 'm2', 'm3'] as const;
const networks = ['web', 'web', 'web', 'db', 'n1', 'n2'] as const;
const endpoints = ['a', 'b', 'c', 'd', 'e'] as const;
/** Keys of the store that the fuzz may write: everything else there is the cluster's own. */
export const keyPrefix = '/fuzz/';

const names = [...networks, ...endpoints, 'api'] as const;
const prefixes = [
  '10.20.0.0/24',
  '10.20.0.0/16',
  '10.20.1.0/28',
  '10.21.0.0/30',
  '10.20.0.7/24',
  '10.22.0.0/31',
  '10.23.0.0/32',
  'fd00:20::/64',
  'fd00:21::/120',
  '10.0.0.0/33',
  '::ffff:10.0.0.0/104',
] as const;
const addresses = [
  '10.20.0.2',
  '10.20.0.3',
  '10.20.0.254',
  '10.20.1.1',
  '10.21.0.1',
  'fd00:20::2',
  '10.0.0.2',
  '10.020.0.2',
  '::',
  '0.0.0.0',
] as const;
const keys = ['a', 'b', 'c/d', '\u00e9', ''].map((name) => keyPrefix + name);
const revisions = [0, 1, 2, 20, 100, 5_000];

const byName: Readonly<Record<string, readonly unknown[]>> = {
  name: names,
  network: networks,
  endpoint: endpoints,
  from: endpoints,
  to: [...endpoints, ...managers],
  service: ['api', 'web'],
  host: hosts,
  member: ['m7', 'm8'],
  id: ['m7', 'm8'],
  replica: [...managers, 'm9'],
  cidr: prefixes,
  range: prefixes,
  gateway: addresses,
  address: addresses,
  addresses,
  reserved: addresses,
  aliases: endpoints,
  families: ['ipv4', 'ipv6'],
  mac: ['02:00:00:00:00:01', '02:00:00:00:00:02', 'ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:01'],
  netns: ['/run/netns/none', '/proc/1/ns/net', '/'],
  key: keys,
  prefix: [keyPrefix, '/fuzz/a', ''],
  rangeEnd: ['/fuzz/b', '/fuzz0', '', '\0'],
  lease: ['fuzz-1', 'fuzz-2'],
  ttlMs: [500, 1_000, 60_000, 3_600_000],
  revision: revisions,
  expectedIndex: revisions,
  wait: [0, 1, 50, 300],
  at: ['1', '20', '2026-01-01T00:00:00Z', '10m', 'yesterday', '99999999999999999999'],
  token: ['4kz0w1qd', 'none'],
  vni: [1, 100, 16_777_215],
  mtu: [576, 1_280, 1_500, 65_485],
  graceMs: [0, 60_000, 3_600_000],
  limit: [1, 2, 100],
  maxStalenessMs: [0, 1, 1_000],
  historyRevisions: [1_000, 100_000],
  historyMs: [60_000, 3_600_000],
  quotaBytes: [1_073_741_824],
};

/** Undefined where nothing is known of such a field. */
export function wordsFor(name: string): readonly unknown[] | undefined {
  return Object.hasOwn(byName, name) ? byName[name] : undefined;
}

/** Strings that programs stumble over. */
export const nastyTexts = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\u200b',
  '\ud800',
  '\u202eabc',
  'ﬀ',
  'İ',
  '😀',
  '-',
  '--help',
  '..',
  '../..',
  '/',
  '%',
  '%00',
  "'",
  '"',
  '`',
  '$(id)',
  '{{7*7}}',
  '*',
  '>',
  'a.b',
  'skein.v1.event.>',
  'null',
  'undefined',
  'NaN',
  'true',
  '0',
  '-1',
  '1e309',
  '__proto__',
  'constructor',
  'toString',
  '\r\nx-injected: 1',
  'x'.repeat(64),
  'x'.repeat(65),
  'x'.repeat(256),
  'x'.repeat(1_025),
  'x'.repeat(20_000),
] as const;

export const nastyNumbers = [
  -1,
  0,
  -0,
  0.5,
  1e-9,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 64,
  1e308,
  -(2 ** 53),
] as const;
