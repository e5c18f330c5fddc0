// Which changes of a plan are nftables' matter, and one batch for those of a network. What the rules say is not known here.

import type { Change } from '@skein/vxlan';
import { closedGuard } from './guard';
import { filterOfPort, sharedFilter, withoutPort } from './source-filter';

export const listRules = ['nft', 'list', 'ruleset'];

export type UnderlayChange = Extract<Change, { kind: 'underlay' | 'vni' | 'member' }>;
export type RuleChange = Extract<Change, { kind: 'guard' | 'filter' | 'source' }>;
export type NetworkChange = Exclude<Change, UnderlayChange>;
type DeviceChange = Exclude<NetworkChange, RuleChange | { kind: 'detour' }>;

export function isOfUnderlay(change: Change): change is UnderlayChange {
  return change.kind === 'underlay' || change.kind === 'vni' || change.kind === 'member';
}

function isRule(change: NetworkChange): change is RuleChange {
  return change.kind === 'guard' || change.kind === 'filter' || change.kind === 'source';
}

/** What nftables does, and what iproute2 does. */
export function parted(changes: readonly NetworkChange[]) {
  const devices = changes.filter(
    (change): change is DeviceChange => !isRule(change) && change.kind !== 'detour',
  );
  return { rules: changes.filter(isRule), devices };
}

export function rulesScript(changes: readonly RuleChange[]): string {
  return changes.map(scriptOf).join('\n');
}

function scriptOf(change: RuleChange): string {
  switch (change.kind) {
    case 'guard':
      return closedGuard();
    case 'filter':
      return sharedFilter(change.mtu);
    case 'source':
      return change.action === 'put' ? filterOfPort(change.source) : withoutPort(change.port);
  }
}
