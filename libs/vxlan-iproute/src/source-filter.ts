// The filter of a network's ports, in nftables' words: an endpoint is heard from its own MAC and addresses alone, in IP, ARP and
// neighbor discovery, and its TCP connections are told the largest segment that fits. Each port has a chain of its own where its
// frames come in, so that a frame passes one hook and no look-up. Text and its reading only.

import { addressBytes, address } from '@skein/ip';
import type { ObservedFilter, Source } from '@skein/vxlan';

const table = 'netdev skein-sources';
/** Where an earlier version filtered: it lets no port in that is new. */
const formerTable = 'bridge skein-sources';

/** Bytes of IPv4 and TCP, of IPv6 and TCP, without options. */
const tcpHeaders = { ip: 40, ip6: 60 };

/**
 * Every rule has a comment of its own: that is how what is there is recognised, since nftables' versions print rules differently.
 */
type Rule = readonly [text: string, comment: string];

/** What ports share. They are never without it: it is changed in place. */
function sharedRules(mtu: number): readonly (readonly [chain: string, rules: readonly string[]])[] {
  const clamp = (size: number) =>
    `tcp flags syn / syn,rst tcp option maxseg size > ${size} tcp option maxseg size set ${size}`;
  return [
    ['spoofed', ['counter name spoofed drop']],
    ['version4', [clamp(mtu - tcpHeaders.ip)]],
    [
      'version6',
      [
        // Routers, and whom they send elsewhere, are not among endpoints.
        'icmpv6 type { nd-router-advert, nd-redirect } goto spoofed',
        clamp(mtu - tcpHeaders.ip6),
      ],
    ],
  ];
}

/**
 * In the order in which frames are usual. MAC and protocol are compared as one number at their place in the frame, and addresses at
 * theirs: named, each would first ask for the protocol again.
 */
function portRules({ mac, addresses }: Omit<Source, 'port'>): Rule[] {
  const ip4 = addresses.filter((text) => !text.includes(':'));
  const ip6 = addresses.filter((text) => text.includes(':'));
  return [
    ...ip4.flatMap((own): Rule[] => {
      const from = `@ll,48,64 ${hexOfMac(mac)}0800 @nh,96,32 ${hexOf(own)}`;
      return [
        // Where TCP has its SYN, which alone needs the largest segment; what else has that bit set there goes the longer way.
        [`${from} @th,104,8 & 0x02 == 0x00 accept`, `no syn from ${own}`],
        [`${from} goto version4`, `ip ${own}`],
      ];
    }),
    // The frame's own sender and the one that it tells of: nothing compares the two, but both must be the port's.
    ...ip4.map((own): Rule => [
      `ether saddr ${mac} arp saddr ether ${mac} arp saddr ip ${own} accept`,
      `arp ${own}`,
    ]),
    ...(ip6.length === 0 ? [] : advertisementRules(mac, ip6)),
    ...ip6.map((own): Rule => [
      `@ll,48,64 ${hexOfMac(mac)}86dd @nh,64,128 ${hexOf(own)} goto version6`,
      `ip ${own}`,
    ]),
    // What every interface says that has IPv6 without wanting it: no attempt at anything.
    ['ip6 saddr { ::, fe80::/10 } drop', 'unwanted'],
    ['goto spoofed', 'all else'],
  ];
}

function advertisementRules(mac: string, addresses: readonly string[]): Rule[] {
  const advertisement = 'icmpv6 type nd-neighbor-advert';
  const own = addresses.map(hexOf).join(', ');
  return [
    [`${advertisement} @th,64,128 != { ${own} } goto spoofed`, 'advertised address'],
    // Who is asked by its own MAC says that it is there and no more: without an option, no neighbor learns a MAC. The option
    // that tells the MAC must be the first, and the port's.
    [
      `${advertisement} ip6 length != 24 @th,208,48 != ${hexOfMac(mac)} goto spoofed`,
      'advertised mac',
    ],
  ];
}

function commentOfShared(chain: string, index: number, mtu: number): string {
  return `${chain} ${index} mtu ${mtu}`;
}

function commentOfPort(mac: string, comment: string): string {
  return `${comment} of ${mac}`;
}

/** One batch: makes it if it is missing, or puts it right; what filters ports stays meanwhile. */
export function sharedFilter(mtu: number): string {
  const rules = sharedRules(mtu);
  return [
    `table ${formerTable}`,
    `delete table ${formerTable}`,
    `table ${table} {`,
    '  counter spoofed { }',
    ...rules.map(([chain]) => `  chain ${chain} { }`),
    '}',
    ...rules.map(([chain]) => `flush chain ${table} ${chain}`),
    ...rules.flatMap(([chain, lines]) =>
      lines.map((rule, at) => ruleLine(chain, rule, commentOfShared(chain, at, mtu))),
    ),
    '',
  ].join('\n');
}

/** One batch, whatever of it is there. The port must be. */
export function filterOfPort(source: Source): string {
  const { port, mac } = checked(source);
  const hook = `type filter hook ingress device "${port}" priority -200 ; policy accept ;`;
  return [
    withoutPort(port),
    `add chain ${table} ${port} { ${hook} }`,
    ...portRules(source).map(([rule, comment]) =>
      ruleLine(port, rule, commentOfPort(mac, comment)),
    ),
    '',
  ].join('\n');
}

/** The kernel may have taken it away with the port: only what is there can be deleted. */
export function withoutPort(port: string): string {
  const chain = `chain ${table} ${checkedPort(port)}`;
  return [`add ${chain}`, `flush ${chain}`, `delete ${chain}`].join('\n');
}

function ruleLine(chain: string, rule: string, comment: string): string {
  return `add rule ${table} ${chain} ${rule} comment "${comment}"`;
}

function checked(source: Source): Source {
  const { port, mac, addresses } = source;
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac)) throw new Error(`'${mac}' is no MAC address`);
  return { port: checkedPort(port), mac, addresses };
}

function checkedPort(port: string): string {
  if (!/^[a-z][a-z0-9]{0,14}$/.test(port)) throw new Error(`'${port}' is no port of a network`);
  return port;
}

function hexOf(text: string): string {
  return `0x${Buffer.from(addressBytes(address(text))).toString('hex')}`;
}

function hexOfMac(mac: string): string {
  return `0x${mac.replaceAll(':', '')}`;
}

/** From what `nft list ruleset` printed; undefined if there is no such table. */
export function parseFilter(ruleset: string): ObservedFilter | undefined {
  const start = ruleset.indexOf(`table ${table} {`);
  if (start < 0) return undefined;
  const text = ruleset.slice(start, ruleset.indexOf('\n}', start));
  const chains = new Map(
    [...text.matchAll(/\tchain (\S+) \{\n((?:\t\t.*\n)*)\t\}/g)].map(([, name = '', body = '']) => [
      name,
      body,
    ]),
  );
  const mtu = Number(/comment "version4 0 mtu (\d+)"/.exec(text)?.[1] ?? 0);
  const isWhole = sharedRules(mtu).every(([chain, rules]) => {
    const wanted = rules.map((_, index) => commentOfShared(chain, index, mtu));
    return commentsIn(chains.get(chain) ?? '').join() === wanted.join();
  });
  const sources = [...chains].flatMap(([port, body]) => sourceIn(port, body));
  return {
    mtu: isWhole && mtu > 0 ? mtu : null,
    sources: new Map(sources.map((source) => [source.port, source])),
    dropped: Number(/counter spoofed \{\s*packets (\d+)/.exec(text)?.[1] ?? 0),
  };
}

/** None for a chain that is not a port's, or not whole. */
function sourceIn(port: string, body: string): Source[] {
  const hook = new RegExp(`hook ingress device(s = \\{)? "?${port}"? `);
  if (!hook.test(body)) return [];
  const found = commentsIn(body);
  const mac = / of (\S+)$/.exec(found[0] ?? '')?.[1] ?? '';
  const addresses = found.flatMap((comment) => /^ip (\S+) of /.exec(comment)?.[1] ?? []);
  const wanted = portRules({ mac, addresses }).map(([, comment]) => commentOfPort(mac, comment));
  return found.join() === wanted.join() ? [{ port, mac, addresses }] : [];
}

function commentsIn(body: string): string[] {
  return [...body.matchAll(/ comment "([^"]*)"/g)].map(([, comment = '']) => comment);
}
