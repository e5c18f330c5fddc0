// A subnet as a map: a cell an address where all of them fit, a cell a block where they don't. Pure.

import {
  address as addressOf,
  addressAt,
  cidr as cidrOf,
  cidrSize,
  cidrText,
  contains,
  formatAddress,
  isUsable,
  offsetOf,
  subnetAt,
} from '@skein/ip';
import type { AddressRecord, SubnetRecord } from '@skein/contracts';
import type { World } from './world';

export type CellState = 'held' | 'resting' | 'reserved' | 'gateway' | 'free' | 'unusable';

/** What is known of one address. */
export type Holding = Pick<AddressRecord, 'address' | 'state' | 'kind'> &
  Pick<Partial<AddressRecord>, 'endpointId' | 'reservedAs' | 'host' | 'until'>;

export interface Cell {
  readonly address: string;
  readonly state: CellState;
  readonly holding: Holding | undefined;
}

export interface Block {
  readonly cidr: string;
  readonly held: number;
  readonly resting: number;
  /** Addresses in it; as text where a number would not be exact. */
  readonly size: string;
  /** From 0 to 1: of its addresses, how many are taken. */
  readonly fill: number;
}

export type AddressMap =
  | { readonly kind: 'cells'; readonly cells: readonly Cell[] }
  | { readonly kind: 'blocks'; readonly blocks: readonly Block[] };

export const maxCells = 1_024n;
const blockBits = 8;

/** `part` is the subnet itself, or a block of it that the reader has opened. */
export function addressMap(
  subnet: Pick<SubnetRecord, 'cidr' | 'gateway' | 'reserved'>,
  part: string,
  holdings: readonly Holding[],
): AddressMap {
  const whole = cidrOf(subnet.cidr);
  const shown = cidrOf(part);
  const known = holdings
    .map((holding) => ({ holding, at: addressOf(holding.address) }))
    .filter(({ at }) => contains(shown, at));
  if (cidrSize(shown) > maxCells) return blocksOf(part, known);
  const byOffset = new Map(known.map(({ holding, at }) => [offsetOf(shown, at), holding]));
  const reserved = new Set(Object.values(subnet.reserved));
  const cells = Array.from({ length: Number(cidrSize(shown)) }, (_, index): Cell => {
    const at = addressAt(shown, BigInt(index));
    const address = formatAddress(at);
    const holding = byOffset.get(BigInt(index));
    const otherwise: CellState = !isUsable(whole, at)
      ? 'unusable'
      : address === subnet.gateway
        ? 'gateway'
        : reserved.has(address)
          ? 'reserved'
          : 'free';
    return { address, holding, state: holding === undefined ? otherwise : stateOf(holding) };
  });
  return { kind: 'cells', cells };
}

function stateOf({ state, kind }: Holding): CellState {
  if (state === 'resting') return 'resting';
  return kind === 'endpoint' ? 'held' : kind;
}

function blocksOf(
  part: string,
  known: readonly { readonly holding: Holding; readonly at: ReturnType<typeof addressOf> }[],
): AddressMap {
  const shown = cidrOf(part);
  const prefixLength = shown.prefixLength + blockBits;
  const size = cidrSize(subnetAt(shown, { prefixLength, index: 0n }));
  const counts = new Map<bigint, { held: number; resting: number }>();
  for (const { holding, at } of known) {
    const index = offsetOf(shown, at) / size;
    const count = counts.get(index) ?? { held: 0, resting: 0 };
    if (holding.state === 'held') count.held += 1;
    else count.resting += 1;
    counts.set(index, count);
  }
  const blocks = Array.from({ length: 2 ** blockBits }, (_, index): Block => {
    const { held = 0, resting = 0 } = counts.get(BigInt(index)) ?? {};
    return {
      cidr: cidrText(subnetAt(shown, { prefixLength, index: BigInt(index) })),
      held,
      resting,
      size: String(size),
      fill: Math.min(1, (held + resting) / Number(size)),
    };
  });
  return { kind: 'blocks', blocks };
}

/** What the endpoints of a world hold: of the past, where rest is not known. */
export function holdingsOf(world: World, networkId: string): Holding[] {
  return [...world.endpoints.values()]
    .filter((endpoint) => endpoint.networkId === networkId)
    .flatMap(({ id, host, addresses }) =>
      addresses.map((prefixed) => ({
        address: prefixed.split('/')[0] ?? prefixed,
        state: 'held' as const,
        kind: 'endpoint' as const,
        endpointId: id,
        host,
      })),
    );
}

export function countStates(cells: readonly Cell[]): Readonly<Record<CellState, number>> {
  const counts = { held: 0, resting: 0, reserved: 0, gateway: 0, free: 0, unusable: 0 };
  for (const { state } of cells) counts[state] += 1;
  return counts;
}
