// From whom a host takes frames of which network: the hosts that take part in it. Pure; the filter that keeps others out is an
// adapter's.

import type { Change, ChangeStep } from './change';

/** "100 192.0.2.2": frames of VNI 100 may come from that VTEP. */
export type Member = string;

export interface DesiredUnderlay {
  readonly vxlanPort: number;
  /** The host's own VTEP: frames to it are not tracked as connections. */
  readonly local: string;
  readonly vnis: ReadonlySet<number>;
  readonly members: ReadonlySet<Member>;
}

export interface ObservedUnderlay {
  /** Port that its rules are for; null: they are not whole. */
  readonly vxlanPort: number | null;
  readonly local: string | null;
  readonly vnis: ReadonlySet<number>;
  readonly members: ReadonlySet<Member>;
  /** Packets that were kept out since it was made. */
  readonly dropped: number;
}

export function memberOf(vni: number, vtep: string): Member {
  return `${vni} ${vtep}`;
}

export function memberParts(member: Member): { readonly vni: number; readonly vtep: string } {
  const [vni = '', vtep = ''] = member.split(' ');
  return { vni: Number(vni), vtep };
}

/** Null: no filter is wanted, or none is there. Undefined: it is left as it is. */
export function planUnderlay(
  desired: DesiredUnderlay | null | undefined,
  observed: ObservedUnderlay | null,
  changes: Change[],
): void {
  const add = (step: ChangeStep, reason: string): void => void changes.push({ ...step, reason });
  if (desired === undefined) return;
  if (desired === null) {
    if (observed !== null) add({ kind: 'underlay', action: 'remove' }, 'no network is here');
    return;
  }
  const { vxlanPort, local, vnis, members } = desired;
  const fault = filterReason(desired, observed);
  if (fault !== null) {
    add({ kind: 'underlay', action: 'put', vxlanPort, local, vnis, members }, fault);
    return;
  }
  const found = observed as ObservedUnderlay;
  for (const vni of vnis) {
    if (!found.vnis.has(vni)) add({ kind: 'vni', action: 'put', vni }, 'vni not filtered');
  }
  for (const vni of found.vnis) {
    if (!vnis.has(vni)) add({ kind: 'vni', action: 'remove', vni }, 'no network here has it');
  }
  for (const member of members) {
    if (!found.members.has(member)) add({ kind: 'member', action: 'put', member }, 'not let in');
  }
  for (const member of found.members) {
    if (members.has(member)) continue;
    add({ kind: 'member', action: 'remove', member }, 'takes no part in it');
  }
}

function filterReason(
  { vxlanPort, local }: DesiredUnderlay,
  observed: ObservedUnderlay | null,
): string | null {
  if (observed === null) return 'filter of members missing';
  if (observed.vxlanPort === null) return 'filter of members is not whole';
  if (observed.vxlanPort === vxlanPort && observed.local === local) return null;
  const [wanted, found] = [`${local} ${vxlanPort}`, `${observed.local} ${observed.vxlanPort}`];
  return `filter of members for ${wanted} wanted, ${found} found`;
}
