// Tables for people: no lines, one space of air, as wide as the terminal at most. A column that must give way is cut with `…`.

import CliTable from 'cli-table3';
import pc from 'picocolors';

const gap = 2;
const minColumn = 6;
const noLines = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};

export type Cell = string | number | boolean | null | undefined;

/** `columns` is the terminal's width; undefined: as wide as it takes. */
export function table(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  columns: number | undefined,
): string {
  const text = rows.map((row) => row.map(cellText));
  const natural = head.map((title, index) =>
    Math.max(title.length, ...text.map((row) => visible(row[index] ?? '').length)),
  );
  const widths = fitWidths(
    natural,
    columns === undefined ? undefined : columns - gap * head.length,
  );
  const made = new CliTable({
    chars: noLines,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': gap },
    colWidths: widths.map((width) => width + gap),
    wordWrap: false,
  });
  made.push(
    head.map((title) => pc.bold(title.toUpperCase())),
    ...text,
  );
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** The widest columns give way first, and none below a readable width. */
export function fitWidths(natural: readonly number[], available: number | undefined): number[] {
  const widths = [...natural];
  if (available === undefined) return widths;
  const total = (): number => widths.reduce((sum, width) => sum + width, 0);
  while (total() > available) {
    const widest = Math.max(...widths);
    if (widest <= minColumn) break;
    widths[widths.indexOf(widest)] = widest - 1;
  }
  return widths;
}

/** `name  value` lines of one thing. */
export function fields(pairs: readonly (readonly [string, Cell])[]): string {
  const shown = pairs.filter(([, value]) => value !== undefined);
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown
    .map(([name, value]) => `${pc.bold(name.padEnd(width))}  ${cellText(value)}`)
    .join('\n');
}

export function time(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

function cellText(cell: Cell): string {
  if (cell === null || cell === undefined || cell === '') return '-';
  if (typeof cell === 'boolean') return cell ? 'yes' : 'no';
  return String(cell);
}

function visible(text: string): string {
  return text.replace(/\x1b\[[0-9;]*m/g, '');
}
