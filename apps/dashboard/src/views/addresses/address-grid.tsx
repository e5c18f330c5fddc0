// A subnet's map: one cell can be reached by the tab key, the others from there by arrows. What a cell says is written beside
// the map.

import { useMemo, useRef, useState, type KeyboardEvent } from 'react';
import type { SubnetRecord } from '@skein/contracts';
import {
  addressMap,
  countStates,
  type Block,
  type Cell,
  type CellState,
  type Holding,
} from '../../model/address-map';

const words: Readonly<Record<CellState, string>> = {
  held: 'held',
  resting: 'resting',
  reserved: 'reserved',
  gateway: 'gateway',
  free: 'free',
  unusable: 'not for hosts',
};
const columns = 32;

export function AddressGrid(props: {
  readonly subnet: Pick<SubnetRecord, 'cidr' | 'gateway' | 'reserved'>;
  readonly holdings: readonly Holding[];
  readonly nameOf: (endpointId: string) => string;
  readonly onLook?: (address: string) => void;
}) {
  const { subnet, holdings, nameOf, onLook } = props;
  const [path, setPath] = useState<readonly string[]>([]);
  const part = path.at(-1) ?? subnet.cidr;
  const map = useMemo(() => addressMap(subnet, part, holdings), [subnet, part, holdings]);
  const label = (cell: Cell) => {
    const { endpointId, reservedAs, host } = cell.holding ?? {};
    const who = endpointId === undefined ? (reservedAs ?? '') : nameOf(endpointId);
    const by = who === '' ? '' : ` by ${who}${host === undefined ? '' : ` on ${host}`}`;
    return `${cell.address} ${words[cell.state]}${by}`;
  };
  return (
    <div className="subnet">
      <p className="subnet-head">
        {[subnet.cidr, ...path].map((each, index) => (
          <button
            key={each}
            className="crumb mono"
            disabled={each === part}
            onClick={() => setPath(path.slice(0, index))}
          >
            {each}
          </button>
        ))}
        <span className="soft">
          {map.kind === 'cells' ? countWords(map.cells) : 'a cell is a block; press one to open it'}
        </span>
      </p>
      <Cells
        key={part}
        name={`Addresses of ${part}`}
        count={map.kind === 'cells' ? map.cells.length : map.blocks.length}
        cell={(index) =>
          map.kind === 'cells'
            ? cellOf(map.cells[index] as Cell, label)
            : blockOf(map.blocks[index] as Block)
        }
        onLook={(index) => map.kind === 'cells' && onLook?.(map.cells[index]?.address ?? '')}
        onOpen={(index) =>
          map.kind === 'blocks' && setPath([...path, map.blocks[index]?.cidr ?? part])
        }
      />
    </div>
  );
}

interface Shown {
  readonly label: string;
  readonly className: string;
  readonly fill?: number;
}

function cellOf(cell: Cell, label: (cell: Cell) => string): Shown {
  return { label: label(cell), className: cell.state };
}

function blockOf({ cidr, held, resting, size, fill }: Block): Shown {
  return {
    label: `${cidr} ${held} held, ${resting} resting of ${size}`,
    className: held + resting === 0 ? 'block' : 'block used',
    // A single address in a large block still has to be seen.
    fill: fill === 0 ? 0 : 0.25 + 0.75 * fill,
  };
}

function Cells(props: {
  readonly name: string;
  readonly count: number;
  readonly cell: (index: number) => Shown;
  readonly onLook: (index: number) => void;
  readonly onOpen: (index: number) => void;
}) {
  const { name, count, cell, onLook, onOpen } = props;
  const [current, setCurrent] = useState(0);
  const place = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const across = Math.max(1, columnsOf(place.current));
    const steps: Record<string, number> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: across,
      ArrowUp: -across,
      Home: -current,
      End: count - 1 - current,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = Math.min(count - 1, Math.max(0, current + step));
    setCurrent(next);
    (place.current?.children[next] as HTMLElement | undefined)?.focus();
  };
  return (
    <div className="cells-map" role="group" aria-label={name} ref={place} onKeyDown={move}>
      {Array.from({ length: count }, (_, index) => {
        const { label, className, fill } = cell(index);
        return (
          <button
            key={index}
            className={className}
            tabIndex={index === current ? 0 : -1}
            aria-label={label}
            title={label}
            style={fill === undefined ? undefined : { ['--fill' as string]: fill }}
            onFocus={() => {
              setCurrent(index);
              onLook(index);
            }}
            onMouseEnter={() => onLook(index)}
            onClick={() => onOpen(index)}
          />
        );
      })}
    </div>
  );
}

function columnsOf(grid: HTMLElement | null): number {
  if (grid === null) return columns;
  return getComputedStyle(grid).gridTemplateColumns.split(' ').length;
}

function countWords(cells: readonly Cell[]): string {
  const counts = countStates(cells);
  return (['held', 'resting', 'reserved', 'free'] as const)
    .filter((state) => counts[state] > 0)
    .map((state) => `${counts[state]} ${words[state]}`)
    .join(', ');
}

export function AddressLegend() {
  return (
    <p className="legend soft address-legend">
      {Object.entries(words).map(([state, text]) => (
        <span key={state}>
          <i className={`sample ${state}`} /> {text}
        </span>
      ))}
    </p>
  );
}
