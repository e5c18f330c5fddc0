// One step from what is to what should be. Each says where it applies and why; all are idempotent. The order in which they
// may be done follows from their kind alone and is written down here.

import type { Member } from './members';
import { type Source } from './sources';

export interface ChangeCause {
  /** Id of the network; absent for what belongs to the host as a whole. */
  readonly networkId?: string;
  /** "vni 100 wanted, 200 found". */
  readonly reason: string;
  /** True if it only follows from another change of the same plan: a row on a device that is being made. */
  readonly follows?: boolean;
}

interface InNetwork {
  readonly netns: string;
}

export type ChangeStep =
  /** Whom the host hears on its VXLAN port, for all of its networks: made anew as a whole, or taken away. */
  | {
      readonly kind: 'underlay';
      readonly action: 'put';
      readonly vxlanPort: number;
      readonly local: string;
      readonly vnis: ReadonlySet<number>;
      readonly members: ReadonlySet<Member>;
    }
  | { readonly kind: 'underlay'; readonly action: 'remove' }
  /** Frames of this VNI are taken from its members alone. */
  | { readonly kind: 'vni'; readonly action: 'put' | 'remove'; readonly vni: number }
  | { readonly kind: 'member'; readonly action: 'put' | 'remove'; readonly member: Member }
  | (InNetwork & { readonly kind: 'namespace'; readonly action: 'put' | 'remove' })
  /** Bridged frames are led past the hooks of IP, which have nothing to say here. */
  | (InNetwork & { readonly kind: 'detour'; readonly action: 'remove' })
  /** Closed: no port is heard until the guard is renewed. */
  | (InNetwork & { readonly kind: 'guard'; readonly action: 'put' })
  /** What is the same for all ports of a network: how large TCP's segments may be, and where foreign frames are counted. */
  | (InNetwork & { readonly kind: 'filter'; readonly action: 'put'; readonly mtu: number })
  /** What may come out of one port: made anew as a whole. The port must be there. */
  | (InNetwork & { readonly kind: 'source'; readonly action: 'put'; readonly source: Source })
  | (InNetwork & { readonly kind: 'source'; readonly action: 'remove'; readonly port: string })
  | (InNetwork & {
      readonly kind: 'bridge';
      readonly action: 'put';
      /** Absent if it is right: setting it, even to what it is, flushes the neighbors. */
      readonly mac?: string;
      readonly mtu: number;
      readonly isMissing: boolean;
    })
  | (InNetwork & {
      readonly kind: 'vxlan';
      readonly action: 'put';
      readonly vni: number;
      readonly local: string;
      readonly vxlanPort: number;
      readonly mtu: number;
      readonly isMissing: boolean;
      /** What is there can't be changed into what is wanted: it goes first. */
      readonly replaces: boolean;
    })
  | (InNetwork & {
      readonly kind: 'gateway';
      readonly action: 'put' | 'remove';
      readonly address: string;
    })
  | (InNetwork & {
      readonly kind: 'veth';
      readonly action: 'put';
      readonly endpointId: string;
      readonly veth: string;
      /** Null: the other end is left in the host's namespace for an engine, which numbers it as well. */
      readonly sandbox: string | null;
      readonly interface: string;
      readonly mac: string;
      readonly mtu: number;
      readonly addresses: readonly string[];
      readonly routes: readonly string[];
      /** One with the wrong other end goes first. */
      readonly replaces: boolean;
    })
  | (InNetwork & { readonly kind: 'veth'; readonly action: 'remove'; readonly veth: string })
  | (InNetwork & {
      readonly kind: 'port';
      readonly action: 'put';
      readonly veth: string;
      readonly mtu: number;
    })
  | (InNetwork & {
      readonly kind: 'probe';
      readonly action: 'put';
      readonly mac: string;
      readonly address: string;
      readonly mtu: number;
    })
  | (InNetwork & {
      readonly kind: 'interface';
      readonly action: 'put';
      readonly endpointId: string;
      readonly sandbox: string;
      readonly interface: string;
      /** Absent if it is right: setting it takes the interface down for a moment. */
      readonly mac?: string;
      readonly mtu: number;
      readonly addresses: readonly string[];
      readonly routes: readonly string[];
    })
  | (InNetwork & {
      readonly kind: 'neighbor';
      readonly action: 'put';
      readonly address: string;
      readonly mac: string;
    })
  | (InNetwork & {
      readonly kind: 'neighbor';
      readonly action: 'remove';
      readonly address: string;
    })
  /** Whether a VTEP gets a copy of each frame to everybody. */
  | (InNetwork & {
      readonly kind: 'flood';
      readonly action: 'put' | 'remove';
      readonly vtep: string;
    })
  | (InNetwork & {
      readonly kind: 'fdb';
      readonly action: 'put';
      readonly mac: string;
      readonly port: string;
      readonly vtep: string | null;
      /** What the VXLAN device has can't be turned into it: that goes first. */
      readonly replaces: boolean;
    })
  | (InNetwork & {
      readonly kind: 'fdb';
      readonly action: 'remove';
      readonly mac: string;
      readonly port: string | null;
      /** Whether the VXLAN device has a row too. */
      readonly onVxlan: boolean;
    });

export type Change = ChangeStep & ChangeCause;
export type ChangeKind = Change['kind'];

/** A way is complete before anything uses it, and what uses it goes before the way does. */
const order: readonly string[] = [
  'underlay put',
  'vni put',
  'member put',
  'namespace put',
  'detour remove',
  'guard put',
  'filter put',
  'bridge put',
  'vxlan put',
  'gateway remove',
  'veth remove',
  'gateway put',
  'veth put',
  'probe put',
  'source put',
  'port put',
  'interface put',
  'neighbor put',
  'fdb put',
  'flood put',
  'flood remove',
  'fdb remove',
  'neighbor remove',
  'source remove',
  'namespace remove',
  'member remove',
  'vni remove',
  'underlay remove',
];
const rank = new Map(order.map((step, index) => [step, index]));

export function rankOf({ kind, action }: Pick<Change, 'kind' | 'action'>): number {
  const found = rank.get(`${kind} ${action}`);
  if (found === undefined) throw new Error(`change '${kind} ${action}' has no place in the order`);
  return found;
}

/** As they may be done; those of one rank stay as they are. */
export function inOrder(changes: readonly Change[]): Change[] {
  const steps = new Map<number, Change[]>();
  for (const change of changes) {
    const step = rankOf(change);
    const known = steps.get(step);
    if (known === undefined) steps.set(step, [change]);
    else known.push(change);
  }
  return [...steps.entries()].sort(([a], [b]) => a - b).flatMap(([, step]) => step);
}

/** What a change is about, as one text: two changes of one key are the same one, tried again. */
export function keyOf(change: Change): string {
  const place = 'netns' in change ? change.netns : 'host';
  return `${place} ${change.kind} ${targetOf(change)}`;
}

/** Key of the change that plugs an endpoint in. */
export function plugKeyOf({
  netns,
  veth,
}: {
  readonly netns: string;
  readonly veth: string;
}): string {
  return `${netns} veth ${veth}`;
}

function targetOf(change: Change): string {
  switch (change.kind) {
    case 'underlay':
      return 'filter';
    case 'vni':
      return String(change.vni);
    case 'member':
      return change.member;
    case 'source':
      return change.action === 'put' ? change.source.port : change.port;
    case 'namespace':
    case 'detour':
    case 'guard':
    case 'filter':
    case 'bridge':
    case 'vxlan':
    case 'probe':
      return change.netns;
    case 'gateway':
      return change.address;
    case 'neighbor':
      return change.address;
    case 'veth':
    case 'port':
      return change.veth;
    case 'interface':
      return change.endpointId;
    case 'flood':
      return change.vtep;
    case 'fdb':
      return change.mac;
  }
}
