// The words for nftables, and what is read out of its answers. What the kernel makes of them is test/kernel's matter.

import { describe, expect, it } from '@jest/globals';
import { isSameSource, sourceOf } from '@skein/vxlan';
import { MemberFilter } from './member-filter';
import { filterOfPort, parseFilter, sharedFilter, withoutPort } from './source-filter';

const source = sourceOf('v0123456789ab', '02:42:0a:01:00:05', ['10.1.0.5', 'fd00:1::5']);
const port = filterOfPort(source);

/** As nftables 1.0.6 prints what has been said. */
function printed(script: string): string {
  const chains = script
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
    'table netdev skein-sources {',
    '\tcounter spoofed {',
    '\t\tpackets 12 bytes 800',
    '\t}',
    '',
    '\tchain empty {',
    '\t}',
    '',
    ...names.flatMap((name) => [
      `\tchain ${name} {`,
      ...(name === source.port
        ? [`\t\ttype filter hook ingress device "${name}" priority -200; policy accept;`]
        : []),
      ...chains.filter(([of]) => of === name).map((words) => `\t\t${words.slice(1).join(' ')}`),
      '\t}',
    ]),
    '}',
  ].join('\n');
}

describe('filter of sources', () => {
  it('reads back what it has said', () => {
    const found = parseFilter(printed(`${sharedFilter(1450)}\n${port}`));
    expect(found).toMatchObject({ mtu: 1450, dropped: 12 });
    expect([...(found?.sources ?? [])]).toEqual([[source.port, source]]);
  });

  it('is none where there is no table', () => {
    expect(parseFilter('')).toBeUndefined();
    expect(parseFilter('table bridge skein-guard {\n}')).toBeUndefined();
  });

  it('is not whole without any one of its rules', () => {
    const lines = printed(sharedFilter(1450)).split('\n');
    const rules = lines.flatMap((line, at) => (line.includes('mtu 1450') ? [at] : []));
    expect(rules).toHaveLength(4);
    for (const gone of rules) {
      const rest = lines.filter((_, at) => at !== gone).join('\n');
      expect([gone, parseFilter(rest)?.mtu]).toEqual([gone, null]);
    }
  });

  it('has not what may come out of a port without any one of its rules, without its hook, or out of order', () => {
    const lines = printed(`${sharedFilter(1450)}\n${port}`).split('\n');
    const rules = lines.flatMap((line, at) => (/ of 02:|hook ingress/.test(line) ? [at] : []));
    expect(rules.length).toBeGreaterThan(8);
    const isThere = (some: readonly string[]) => {
      const found = parseFilter(some.join('\n'))?.sources.get(source.port);
      return found !== undefined && isSameSource(found, source);
    };
    for (const gone of rules) {
      expect([gone, isThere(lines.filter((_, at) => at !== gone))]).toEqual([gone, false]);
    }
    const first = rules[1] ?? 0;
    const swapped = lines.with(first, lines[first + 1]!).with(first + 1, lines[first]!);
    expect([isThere(lines), isThere(swapped)]).toEqual([true, false]);
    const elsewhere = lines.map((line) => line.replace('device "v0', 'device "v9'));
    expect(isThere(elsewhere)).toBe(false);
  });

  it('is changed whether the port has one or not', () => {
    const [first, second, third, fourth] = port.split('\n');
    const chain = `chain netdev skein-sources ${source.port}`;
    expect([first, second, third]).toEqual([`add ${chain}`, `flush ${chain}`, `delete ${chain}`]);
    expect(fourth).toContain(`add ${chain} { type filter hook ingress device "${source.port}"`);
    expect(withoutPort(source.port).split('\n')).toEqual([first, second, third]);
  });

  it('fits the comment of a rule', () => {
    const longest = 'fd00:1111:2222:3333:4444:5555:6666:7777';
    const long = filterOfPort(sourceOf(source.port, source.mac, [longest]));
    const comments = [...long.matchAll(/comment "([^"]*)"/g)].map(([, text = '']) => text.length);
    expect(Math.max(...comments)).toBeLessThan(128);
  });

  it('takes nothing for a command', () => {
    const odds = [{ port: 'x" }; flush ruleset' }, { mac: '}' }, { addresses: ['1.2.3.4 }'] }];
    for (const odd of odds) expect(() => filterOfPort({ ...source, ...odd })).toThrow();
    expect(() => withoutPort('x; flush ruleset')).toThrow();
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
    ...['prerouting', 'output', 'input'].flatMap((hook, index) => [
      `\tchain ${hook} {`,
      `\t\ttype filter hook ${hook} priority raw; policy accept;`,
      `\t\tnotrack comment "192.0.2.1 4789 ${index}"`,
      '\t}',
    ]),
    '\tchain vxlan {',
    ...[3, 4, 5].map((index) => `\t\taccept comment "192.0.2.1 4789 ${index}"`),
    '\t}',
    '}',
  ];

  it('reads back ports, networks and members', () => {
    expect(filter.parse(text.join('\n'))).toEqual({
      vxlanPort: 4789,
      local: '192.0.2.1',
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

  it('is not whole without any one of its rules, or without a hook', () => {
    const needed = text.flatMap((line, at) => (/ hook |comment/.test(line) ? [at] : []));
    expect(needed).toHaveLength(9);
    for (const gone of needed) {
      const rest = text.filter((_, at) => at !== gone).join('\n');
      expect([gone, filter.parse(rest)?.vxlanPort]).toEqual([gone, null]);
    }
  });
});
