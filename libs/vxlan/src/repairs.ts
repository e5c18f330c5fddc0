// What to count and tell when a plan repairs drift: causes, not all that follows from them.

import { keyOf, type Change, type ChangeKind } from './change';

export interface Repair {
  readonly kind: ChangeKind;
  readonly networkId: string | null;
  /** Of the first change of this kind in this network. */
  readonly reason: string;
  readonly count: number;
}

/** `known`: keys of changes that were already due (a sandbox that is awaited, a step that failed): they are no drift. */
export function repairsOf(changes: readonly Change[], known: ReadonlySet<string>): Repair[] {
  const repairs = new Map<string, Repair>();
  for (const change of changes) {
    if (change.follows === true || known.has(keyOf(change))) continue;
    const networkId = change.networkId ?? null;
    const key = `${networkId ?? ''} ${change.kind}`;
    const before = repairs.get(key);
    const reason = before?.reason ?? change.reason;
    repairs.set(key, { kind: change.kind, networkId, reason, count: (before?.count ?? 0) + 1 });
  }
  return [...repairs.values()];
}
