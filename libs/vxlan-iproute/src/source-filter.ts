// The filter of a network's ports, in nftables' words: an endpoint is heard from its own MAC and addresses alone, in IP, ARP and
// neighbor discovery, and its TCP connections are told the largest segment that fits. One look-up a frame, whatever the number of
// endpoints. Text and its reading only.

import { addressBytes, address, addressFromBytes, formatAddress } from '@skein/ip';
import { bySourceKey, vxlanName, type ObservedFilter, type Source } from '@skein/vxlan';

const table = 'bridge skein-sources';
/** Before the bridge decides where a frame goes: what is meant for the gateway is filtered too. */
const hook = 'type filter hook prerouting priority -200; policy accept;';

/** Bytes of IPv4 and TCP, of IPv6 and TCP, without options. */
const tcpHeaders = { ip: 40, ip6: 60 };

/**
 * Every rule has a comment of its own: that is how what is there is recognised, since nftables' versions print rules differently.
 * A frame passes one chain: `ports`, then that of its protocol.
 */
function rulesFor(mtu: number): readonly (readonly [chain: string, rules: readonly string[]])[] {
  const clamp = (size: number) =>
    `tcp flags syn / syn,rst tcp option maxseg size > ${size} tcp option maxseg size set ${size}`;
  return [
    ['spoofed', ['counter name spoofed drop']],
    [
      'version4',
      ['iifname . ether saddr . ip saddr != @version4 goto spoofed', clamp(mtu - tcpHeaders.ip)],
    ],
    [
      'resolution',
      [
        // The frame's own sender and the one that it tells of: nothing compares the two, but both must be the port's.
        'iifname . ether saddr . arp saddr ip != @version4 goto spoofed',
        'iifname . arp saddr ether . arp saddr ip != @version4 goto spoofed',
      ],
    ],
    [
      'advertisement',
      [
        'iifname . @ll,48,48 . @th,64,128 != @version6 goto spoofed',
        // Who is asked by its own MAC says that it is there and no more: without an option, no neighbor learns a MAC.
        'ip6 length 24 accept',
        // The option that tells the MAC must be the first, and the port's.
        'iifname . @th,208,48 . @th,64,128 != @version6 goto spoofed',
      ],
    ],
    ['announcement', ['counter name spoofed drop']],
    [
      'version6',
      [
        'iifname . @ll,48,48 . @nh,64,128 != @version6 goto stranger6',
        // Routers, and whom they send elsewhere, are not among endpoints.
        'icmpv6 type vmap { nd-neighbor-advert : goto advertisement, nd-router-advert : goto announcement, nd-redirect : goto announcement }',
        clamp(mtu - tcpHeaders.ip6),
      ],
    ],
    [
      'stranger6',
      [
        // What every interface says that has IPv6 without wanting it: no attempt at anything.
        'ip6 saddr { ::, fe80::/10 } drop',
        'goto spoofed',
      ],
    ],
    [
      'ports',
      [
        `iifname ${vxlanName} accept`,
        'ether type vmap { ip : goto version4, ip6 : goto version6, arp : goto resolution }',
        'goto spoofed',
      ],
    ],
  ];
}

function commentOf(chain: string, index: number, mtu: number): string {
  return `"${chain} ${index} mtu ${mtu}"`;
}

/** One batch: takes what is there away, and puts this in its place. */
export function wholeFilter(mtu: number, sources: readonly Source[]): string {
  const rules = rulesFor(mtu);
  return [
    `table ${table}`,
    `delete table ${table}`,
    `table ${table} {`,
    '  counter spoofed { }',
    '  set version4 { type ifname . ether_addr . ipv4_addr; }',
    // As numbers, since an advertisement's target and option are only that to nftables.
    '  set version6 { typeof iifname . @ll,48,48 . @nh,64,128; }',
    ...rules.map(([chain]) => `  chain ${chain} { ${chain === 'ports' ? hook : ''} }`),
    '}',
    ...rules.flatMap(([chain, lines]) =>
      lines.map(
        (rule, at) => `add rule ${table} ${chain} ${rule} comment ${commentOf(chain, at, mtu)}`,
      ),
    ),
    ...elementLines('add', sources),
    '',
  ].join('\n');
}

/** In one batch, whether they are there or not. */
export function changedSources(put: readonly Source[], removed: readonly Source[]): string {
  // Only what is there can be deleted.
  const lines = [...elementLines('add', removed), ...elementLines('delete', removed)];
  return [...lines, ...elementLines('add', put), ''].join('\n');
}

function elementLines(verb: 'add' | 'delete', sources: readonly Source[]): string[] {
  const isVersion6 = ({ address: text }: Source) => text.includes(':');
  const line = (set: string, of: readonly Source[]) =>
    of.length === 0 ? [] : [`${verb} element ${table} ${set} { ${of.map(element).join(', ')} }`];
  return [
    ...line(
      'version4',
      sources.filter((source) => !isVersion6(source)),
    ),
    ...line('version6', sources.filter(isVersion6)),
  ];
}

function element({ port, mac, address: text }: Source): string {
  if (!/^[a-z][a-z0-9]{0,14}$/.test(port)) throw new Error(`'${port}' is no port of a network`);
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac)) throw new Error(`'${mac}' is no MAC address`);
  const own = address(text);
  if (own.family === 4) return `"${port}" . ${mac} . ${formatAddress(own)}`;
  const hex = Buffer.from(addressBytes(own)).toString('hex');
  return `"${port}" . 0x${mac.replaceAll(':', '')} . 0x${hex}`;
}

/** From what `nft list ruleset bridge` printed; undefined if there is no such table. */
export function parseFilter(ruleset: string): ObservedFilter | undefined {
  const start = ruleset.indexOf(`table ${table} {`);
  if (start < 0) return undefined;
  const text = ruleset.slice(start, ruleset.indexOf('\n}', start));
  const mtu = Number(/comment "ports 0 mtu (\d+)"/.exec(text)?.[1] ?? 0);
  const wanted = rulesFor(mtu).flatMap(([chain, lines]) =>
    lines.map((_, index) => commentOf(chain, index, mtu)),
  );
  const found = [...text.matchAll(/comment ("[^"]*")/g)].map(([, comment]) => comment);
  const isWhole =
    /hook prerouting priority/.test(text) && found.join() === orderedAs(found, wanted).join();
  return {
    mtu: isWhole && mtu > 0 && found.length === wanted.length ? mtu : null,
    sources: bySourceKey([...elementsOf(text, 'version4'), ...elementsOf(text, 'version6')]),
    dropped: Number(/counter spoofed \{\s*packets (\d+)/.exec(text)?.[1] ?? 0),
  };
}

/** Chains may be listed in any order; the rules of each may not. */
function orderedAs(found: readonly (string | undefined)[], wanted: readonly string[]): string[] {
  const chainOf = (comment: string | undefined) => comment?.split(' ')[0];
  const order = [...new Set(found.map(chainOf))];
  return order.flatMap((chain) => wanted.filter((comment) => chainOf(comment) === chain));
}

function elementsOf(text: string, set: string): Source[] {
  const body = new RegExp(`set ${set} \\{[^}]*elements = \\{([^}]*)\\}`).exec(text)?.[1] ?? '';
  return body.split(',').flatMap((item): Source[] => {
    const [port, mac, own] = item.trim().split(' . ');
    if (port === undefined || mac === undefined || own === undefined) return [];
    return [{ port: port.replaceAll('"', ''), mac: macText(mac), address: addressText(own) }];
  });
}

function macText(text: string): string {
  if (text.includes(':')) return text;
  const digits = BigInt(text).toString(16).padStart(12, '0');
  return (digits.match(/../g) ?? []).join(':');
}

function addressText(text: string): string {
  if (text.includes('.') || text.includes(':')) return text;
  const bytes = Buffer.from(BigInt(text).toString(16).padStart(32, '0'), 'hex');
  return formatAddress(addressFromBytes(bytes));
}
