// The readable history of every address that was handed out in the run: its holders, one after the other.

import type { Holding } from '@skein/contracts';
import { bare, type Ledger } from './ledger';
import type { Rest } from './rest';

export async function historyFaults(
  rest: Rest,
  ledger: Ledger,
): Promise<{ looked: number; faults: string[] }> {
  const wanted = new Map<string, { network: string; address: string }>();
  for (const { network, addresses } of ledger.held)
    for (const address of addresses.map(bare))
      wanted.set(`${network} ${address}`, { network, address });
  const faults: string[] = [];
  for (const { network, address } of wanted.values()) {
    const path = `/v1/addresses/${address}?network=${network}`;
    const { holders, past } = (await rest.get(path)) as { holders: Holding[]; past: Holding[] };
    faults.push(...overlapping([...past, ...holders], `${address} of ${network}`));
  }
  return { looked: wanted.size, faults };
}

export function overlapping(holdings: readonly Holding[], what: string): string[] {
  const sorted = holdings.toSorted((a, b) => a.sinceRevision - b.sinceRevision);
  return sorted.flatMap((one, index) => {
    const next = sorted[index + 1];
    if (next === undefined) return [];
    const until = one.untilRevision ?? Number.POSITIVE_INFINITY;
    if (until <= next.sinceRevision) return [];
    const told = ({ endpointName, sinceRevision, untilRevision }: Holding) =>
      `${endpointName ?? 'nobody'} from ${sinceRevision} to ${untilRevision ?? 'now'}`;
    return [`${what}: ${told(one)}, ${told(next)}`];
  });
}
