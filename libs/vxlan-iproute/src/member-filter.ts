// The filter of a host's VXLAN port, in nftables' words: frames of a network here are taken from the VTEPs of its members alone,
// and none is tracked as a connection. Whom networks of others on the same port hear is none of its business. Text and its reading
// only.

import { address, formatAddress } from '@skein/ip';
import {
  memberOf,
  memberParts,
  type Change,
  type Member,
  type ObservedUnderlay,
} from '@skein/vxlan';

export interface Received {
  readonly frames: number;
  /** Those of the underlay: with the headers that an overlay adds. */
  readonly bytes: number;
}

type UnderlayChange = Extract<Change, { kind: 'underlay' | 'vni' | 'member' }>;

export class MemberFilter {
  readonly #table: string;

  /** `prefix` of the cluster's namespaces: another cluster's agent on this host has another one. */
  constructor(prefix: string) {
    this.#table = `inet ${prefix}members`;
  }

  /** One batch, whatever is there. */
  script(changes: readonly UnderlayChange[]): string {
    return [...changes.flatMap((change) => this.#lines(change)), ''].join('\n');
  }

  get list(): readonly string[] {
    return ['nft', 'list', 'table', ...this.#table.split(' ')];
  }

  /** From what `list` printed; null if there is no such table. */
  parse(text: string): ObservedUnderlay | null {
    if (!text.includes(`table ${this.#table}`)) return null;
    const [, local = '', portText = '0'] = /comment "(\S+) (\d+) 0"/.exec(text) ?? [];
    const port = Number(portText);
    const found = [...text.matchAll(/comment "([^"]*)"/g)].map(([, comment]) => comment);
    const wanted = rulesFor(local, port).map((_, index) => commentOf(local, port, index));
    const isWhole =
      port > 0 &&
      found.join() === wanted.join() &&
      Object.keys(hooks).every((hook) => text.includes(`hook ${hook} priority`));
    return {
      vxlanPort: isWhole ? port : null,
      local: isWhole ? local : null,
      vnis: new Set(elementsOf(text, 'vnis').map(([vni = '']) => Number(vni))),
      members: new Set(membersIn(text).map(({ member }) => member)),
      dropped: Number(/counter strangers \{\s*packets (\d+)/.exec(text)?.[1] ?? 0),
    };
  }

  /** What came from each member since it was let in; those of a table that does not count are left out. */
  received(text: string): ReadonlyMap<Member, Received> {
    const counted = membersIn(text).flatMap(({ member, received }): [Member, Received][] =>
      received === null ? [] : [[member, received]],
    );
    return new Map(counted);
  }

  #lines(change: UnderlayChange): string[] {
    switch (change.kind) {
      case 'underlay': {
        const gone = [`table ${this.#table}`, `delete table ${this.#table}`];
        return change.action === 'remove' ? gone : [...gone, ...this.#whole(change)];
      }
      case 'vni':
        return this.#element(change.action, 'vnis', String(change.vni));
      case 'member':
        return this.#element(change.action, setOf(change.member), memberElement(change.member));
    }
  }

  #whole(change: Extract<UnderlayChange, { members: unknown }>): string[] {
    const { vxlanPort, vnis, members } = change;
    const local = formatAddress(address(change.local));
    return [
      `table ${this.#table} {`,
      '  counter strangers { }',
      `  set vnis { typeof ${vni}; }`,
      `  set version4 { typeof ip saddr . ${vni}; counter; }`,
      `  set version6 { typeof ip6 saddr . ${vni}; counter; }`,
      ...Object.entries(hooks).map(
        ([hook, priority]) =>
          `  chain ${hook} { type filter hook ${hook} priority ${priority}; policy accept; }`,
      ),
      '  chain vxlan { }',
      '}',
      ...rulesFor(local, vxlanPort).map(
        (rule, index) =>
          `add rule ${this.#table} ${rule} comment "${commentOf(local, vxlanPort, index)}"`,
      ),
      ...[...vnis].flatMap((each) => this.#element('put', 'vnis', String(each))),
      ...[...members].flatMap((member) =>
        this.#element('put', setOf(member), memberElement(member)),
      ),
    ];
  }

  #element(action: 'put' | 'remove', set: string, element: string): string[] {
    const words = `element ${this.#table} ${set} { ${element} }`;
    // Only what is there can be deleted.
    return action === 'put' ? [`add ${words}`] : [`add ${words}`, `delete ${words}`];
  }
}

/** Behind UDP's eight bytes, VXLAN's flags and reserved bits: RFC 7348 §5. */
const vni = '@th,96,24';

/** By hook, in the order in which nftables prints them; those at -300 are in front of connection tracking. */
const hooks = { prerouting: -300, output: -300, input: -10 };

/**
 * Each with its chain. Strangers are dropped at input alone: in front of it a first fragment may be too short to name its VNI, and
 * an address may still become the host's own. What is only forwarded is tracked as ever.
 */
function rulesFor(local: string, vxlanPort: number): string[] {
  const family = local.includes(':') ? 'ip6' : 'ip';
  const isVxlan = `udp dport ${vxlanPort}`;
  return [
    `prerouting ${isVxlan} ${family} daddr ${local} notrack`,
    `output ${isVxlan} notrack`,
    `input ${isVxlan} goto vxlan`,
    `vxlan ip saddr . ${vni} @version4 accept`,
    `vxlan ip6 saddr . ${vni} @version6 accept`,
    `vxlan ${vni} @vnis counter name strangers drop`,
  ];
}

/** By which a rule is recognised, since versions of nftables print rules differently. */
function commentOf(local: string, vxlanPort: number, index: number): string {
  return `${local} ${vxlanPort} ${index}`;
}

function membersIn(text: string): { member: Member; received: Received | null }[] {
  return [...elementsOf(text, 'version4'), ...elementsOf(text, 'version6')].map(
    ([vtep = '', counted = '']) => {
      const [number = '', , , frames, , bytes] = counted.split(' ');
      const member = memberOf(Number(number), formatAddress(address(vtep)));
      const isCounted = frames !== undefined && bytes !== undefined;
      const received = isCounted ? { frames: Number(frames), bytes: Number(bytes) } : null;
      return { member, received };
    },
  );
}

function setOf(member: Member): string {
  return memberParts(member).vtep.includes(':') ? 'version6' : 'version4';
}

function memberElement(member: Member): string {
  const { vni: number, vtep } = memberParts(member);
  return `${formatAddress(address(vtep))} . ${number}`;
}

function elementsOf(text: string, set: string): string[][] {
  const body = new RegExp(`set ${set} \\{[^}]*elements = \\{([^}]*)\\}`).exec(text)?.[1] ?? '';
  const items = body.split(',').map((item) => item.trim());
  return items.filter((item) => item !== '').map((item) => item.split(' . '));
}
