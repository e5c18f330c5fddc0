// Which changes of a plan are nftables' matter, and one batch for those of a network. What the rules say is not known here.

import type { Change, Source } from '@skein/vxlan';
import { closedGuard } from './guard';
import { changedSources, wholeFilter } from './source-filter';

export const listRules = ['nft', 'list', 'ruleset', 'bridge'];

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
  const put: Source[] = [];
  const removed: Source[] = [];
  const scripts: string[] = [];
  for (const change of changes) {
    if (change.kind === 'guard') scripts.push(closedGuard());
    else if (change.kind === 'filter') scripts.push(wholeFilter(change.mtu, change.sources));
    else (change.action === 'put' ? put : removed).push(change.source);
  }
  return [...scripts, changedSources(put, removed)].join('\n');
}
