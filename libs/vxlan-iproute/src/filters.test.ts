// The words for nftables, and what is read out of its answers. What the kernel makes of them is test/kernel's matter.

import { describe, expect, it } from '@jest/globals';
import { sourceKey, sourcesOf } from '@skein/vxlan';
import { MemberFilter } from './member-filter';
import { changedSources, parseFilter, wholeFilter } from './source-filter';

const sources = sourcesOf('v0123456789ab', '02:42:0a:01:00:05', ['10.1.0.5', 'fd00:1::5']);

/** As nftables 1.0.6 prints what `wholeFilter` says. */
function printed(mtu: number): string {
  const chains = wholeFilter(mtu, [])
    .split('\n')
    .filter((line) => line.startsWith('add rule'))
    .map((line) => line.split(' ').slice(4));
  const names = [...new Set(chains.map(([name]) => name))];
  return [
    'table bridge other {',
    '\tchain c {',
    '\t\taccept comment "somebody else’s"',
    '\t}',
    '}',
    'table bridge skein-sources {',
    '\tcounter spoofed {',
    '\t\tpackets 12 bytes 800',
    '\t}',
    '',
    '\tset version4 {',
    '\t\ttype ifname . ether_addr . ipv4_addr',
    '\t\telements = { "v0123456789ab" . 02:42:0a:01:00:05 . 10.1.0.5 }',
    '\t}',
    '\tset version6 {',
    '\t\ttypeof iifname . @ll,48,48 . @nh,64,128',
    '\t\telements = { "v0123456789ab" . 0x2420a010005 . 0x0,',
    '\t\t\t     "v0123456789ab" . 0x2420a010005 . 0xfd000001000000000000000000000005,',
    '\t\t\t     "v0123456789ab" . 0x2420a010005 . 0xfe8000000000000000420afffe010005 }',
    '\t}',
    ...names.flatMap((name) => [
      `\tchain ${name} {`,
      ...(name === 'ports'
        ? ['\t\ttype filter hook prerouting priority filter; policy accept;']
        : []),
      ...chains.filter(([of]) => of === name).map((words) => `\t\t${words.slice(1).join(' ')}`),
      '\t}',
    ]),
    '}',
  ].join('\n');
}

describe('filter of sources', () => {
  it('reads back what it has said', () => {
    const found = parseFilter(printed(1450));
    expect(found).toMatchObject({ mtu: 1450, dropped: 12 });
    expect([...(found?.sources.keys() ?? [])].sort()).toEqual(sources.map(sourceKey).sort());
  });

  it('is none where there is no table', () => {
    expect(parseFilter('')).toBeUndefined();
    expect(parseFilter('table bridge skein-guard {\n}')).toBeUndefined();
  });

  it('is not whole without any one of its rules, or without its hook', () => {
    const lines = printed(1450).split('\n');
    const rules = lines.flatMap((line, at) => (/mtu 1450|hook prerouting/.test(line) ? [at] : []));
    expect(rules.length).toBeGreaterThan(10);
    for (const gone of rules) {
      const rest = lines.filter((_, at) => at !== gone).join('\n');
      expect([gone, parseFilter(rest)?.mtu]).toEqual([gone, null]);
    }
  });

  it('is changed whether the elements are there or not', () => {
    const [first, second] = sources;
    expect(changedSources([first!], [second!]).split('\n')).toEqual([
      'add element bridge skein-sources version6 { "v0123456789ab" . 0x02420a010005 . 0xfd000001000000000000000000000005 }',
      'delete element bridge skein-sources version6 { "v0123456789ab" . 0x02420a010005 . 0xfd000001000000000000000000000005 }',
      'add element bridge skein-sources version4 { "v0123456789ab" . 02:42:0a:01:00:05 . 10.1.0.5 }',
      '',
    ]);
  });

  it('takes nothing for a command', () => {
    const [first] = sources;
    for (const odd of [{ port: 'x" }; flush ruleset' }, { mac: '}' }, { address: '1.2.3.4 }' }]) {
      expect(() => wholeFilter(1450, [{ ...first!, ...odd }])).toThrow();
    }
  });
});

describe('filter of members', () => {
  const filter = new MemberFilter('skein-');
  const text = [
    'table inet skein-members {',
    '\tcounter strangers {',
    '\t\tpackets 3 bytes 150',
    '\t}',
    '\tset vnis {',
    '\t\ttypeof @th,96,24',
    '\t\telements = { 0x64, 0x11170 }',
    '\t}',
    '\tset version4 {',
    '\t\ttypeof ip saddr . @th,96,24',
    '\t\telements = { 192.0.2.2 . 0x64,',
    '\t\t\t     192.0.2.3 . 0x11170 }',
    '\t}',
    '\tset version6 {',
    '\t\ttypeof ip6 saddr . @th,96,24',
    '\t\telements = { 2001:db8::2 . 0x64 }',
    '\t}',
    '\tchain input {',
    '\t\ttype filter hook input priority filter - 10; policy accept;',
    ...[0, 1, 2, 3, 4].map((index) => `\t\taccept comment "port ${index} of 4789"`),
    '\t}',
    '}',
  ];

  it('reads back ports, networks and members', () => {
    expect(filter.parse(text.join('\n'))).toEqual({
      vxlanPort: 4789,
      vnis: new Set([100, 70_000]),
      members: new Set(['100 192.0.2.2', '70000 192.0.2.3', '100 2001:db8::2']),
      dropped: 3,
    });
    expect(new MemberFilter('other-').parse(text.join('\n'))).toBeNull();
  });

  it('reads what came from whom, from a table that counts', () => {
    expect(filter.received(text.join('\n'))).toEqual(new Map());
    const counting = text
      .join('\n')
      .replace('192.0.2.2 . 0x64', '192.0.2.2 . 0x64 counter packets 12 bytes 3400')
      .replace('2001:db8::2 . 0x64', '2001:db8::2 . 0x64 counter packets 0 bytes 0');
    expect(filter.parse(counting)).toEqual(filter.parse(text.join('\n')));
    expect(filter.received(counting)).toEqual(
      new Map([
        ['100 192.0.2.2', { frames: 12, bytes: 3_400 }],
        ['100 2001:db8::2', { frames: 0, bytes: 0 }],
      ]),
    );
  });

  it('is not whole without any one of its rules, or without its hook', () => {
    for (const gone of [18, 19, 20, 21, 22, 23]) {
      const rest = text.filter((_, at) => at !== gone).join('\n');
      expect([gone, filter.parse(rest)?.vxlanPort]).toEqual([gone, null]);
    }
  });
});
