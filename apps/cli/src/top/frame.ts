// What `skein top` shows, as lines of exactly the terminal's size. Pure: a view, a size and where the reader is in, lines out.

import pc from 'picocolors';
import { marginText } from '../commands/quorum';
import { formatBytes, formatDuration } from '../output/units';
import type { TopView } from './look';

export const panes = ['hosts', 'networks', 'events'] as const;
export type Pane = (typeof panes)[number];

export interface FrameState {
  readonly columns: number;
  readonly rows: number;
  readonly focus: Pane;
  /** First line shown of each pane; of events, how many of the newest are passed over. */
  readonly offsets: Readonly<Record<Pane, number>>;
  /** Lines of what has happened, oldest first, plain. */
  readonly events: readonly string[];
}

type Style = (text: string) => string;
interface Span {
  readonly text: string;
  readonly style?: Style;
}
type Line = readonly Span[];

/** From so many columns on, hosts and networks stand side by side. */
const wideColumns = 120;
const leastColumns = 20;
const headLines = 4;
const gutter: Span = { text: ' │ ', style: pc.dim };

export function frame(view: TopView, state: FrameState): string[] {
  const columns = Math.max(leastColumns, state.columns);
  const rows = Math.max(headLines + 2, state.rows);
  const body = rows - headLines - 1;
  const lists =
    columns >= wideColumns ? sideBySide(view, state, body, columns) : stacked(view, state, body);
  const events = eventPane(state, body - lists.length);
  const lines = [...head(view), ...lists, ...events, [foot(view)]];
  return lines.slice(0, rows).map((line) => paint(line, columns));
}

function head({ cluster, at }: TopView): Line[] {
  const clock = new Date(at).toISOString().slice(11, 19);
  if (cluster === null) return [[{ text: `skein top  ${clock}`, style: pc.bold }], [], [], []];
  const { leaderId, term, revision, commitsPerSecond, quorum, bytes, members, alarms } = cluster;
  const rate = commitsPerSecond === null ? '–' : commitsPerSecond.toFixed(1);
  const margin = quorum.spare < 0 ? pc.red : quorum.spare === 0 ? pc.yellow : pc.green;
  const ids = members.map((each, index): Span => {
    const disk = each.diskLatencyMs === undefined ? '' : ` ${each.diskLatencyMs.toFixed(1)} ms`;
    const lag = each.lag > 0 ? ` lag ${each.lag}` : '';
    const text = `${index === 0 ? '' : '   '}${each.id} ${each.healthy ? each.role : 'unreachable'}${lag}${disk}`;
    return { text, style: each.healthy ? (each.role === 'leader' ? pc.cyan : plain) : pc.red };
  });
  return [
    [
      { text: `skein top  ${clock}  `, style: pc.bold },
      leaderId === null
        ? { text: 'no leader', style: pc.red }
        : { text: `leader ${leaderId}`, style: pc.cyan },
      { text: `  term ${term}  revision ${revision}  ${rate} commits/s  ${formatBytes(bytes)}` },
    ],
    [
      { text: 'quorum  ' },
      { text: marginText(quorum), style: margin },
      ...(alarms.length === 0 ? [] : [{ text: `  alarm: ${alarms.join(', ')}`, style: pc.red }]),
    ],
    [{ text: 'members ' }, ...ids],
    [],
  ];
}

function foot({ failure }: TopView): Span {
  if (failure !== null) return { text: failure, style: pc.red };
  return { text: 'q quits   tab next pane   ↑↓ scroll   ← → first, last', style: pc.dim };
}

const plain: Style = (text) => text;

interface List {
  readonly pane: Pane;
  readonly title: Line;
  readonly rows: readonly Line[];
}

function hostList({ hosts, at }: TopView, { focus }: FrameState): List {
  const title = row('  HOST', 'STATE', 'ENDPOINTS', 'REPAIRS', 'SINCE');
  const up = hosts.filter(({ state }) => state === 'up').length;
  return {
    pane: 'hosts',
    title: [heading(`${title}`, focus === 'hosts'), { text: `  ${up}/${hosts.length} up` }],
    rows: hosts.map((host) => {
      const shown = host.isDraining && host.state === 'up' ? 'draining' : host.state;
      const style = host.state !== 'up' ? pc.red : host.isDraining ? pc.yellow : plain;
      const since = formatDuration(wholeSeconds(at - host.since));
      const { name, endpoints, repairs } = host;
      return [{ text: row(`  ${name}`, shown, String(endpoints), String(repairs), since), style }];
    }),
  };
}

const wholeSeconds = (ms: number): number => Math.max(0, Math.floor(ms / 1_000) * 1_000);

const row = (name: string, state: string, endpoints: string, repairs: string, since: string) =>
  `${fit(name, 16)} ${fit(state, 9)} ${endpoints.padStart(9)} ${repairs.padStart(8)}  ${fit(since, 8)}`;

function networkList({ networks }: TopView, { focus }: FrameState): List {
  const line = (name: string, used: string, endpoints: string, on: string): string =>
    `${fit(name, 20)} ${used.padStart(16)} ${endpoints.padStart(10)} ${on.padStart(6)}`;
  return {
    pane: 'networks',
    title: [heading(line('  NETWORK', 'USED/TOTAL', 'ENDPOINTS', 'HOSTS'), focus === 'networks')],
    rows: networks.map(({ name, used, total, endpoints, hosts }) => {
      const isFull = typeof total === 'number' && typeof used === 'number' && used >= total * 0.9;
      const usage = used === undefined ? '…' : `${amount(used)}/${amount(total ?? 0)}`;
      const text = line(`  ${name}`, usage, String(endpoints), String(hosts));
      return [{ text, style: isFull ? pc.yellow : plain }];
    }),
  };
}

/** Of 64 bits of addresses nobody reads every digit. */
const amount = (count: number | string): string =>
  Number(count) >= 1e9 ? Number(count).toExponential(1).replace('e+', 'e') : String(count);

const heading = (text: string, isFocused: boolean): Span => ({
  text: isFocused ? text.replace(/^ {2}/, '▸ ') : text,
  style: isFocused ? (each) => pc.bold(pc.cyan(each)) : pc.bold,
});

/** Narrow: one above the other; events get at least a third. */
function stacked(view: TopView, state: FrameState, lines: number): Line[] {
  const lists = [hostList(view, state), networkList(view, state)];
  const room = Math.floor((lines * 2) / 3);
  const half = Math.floor(room / 2);
  const [hosts = 0, networks = 0] = lists.map(({ rows }) => rows.length + 1);
  const first = Math.min(hosts, Math.max(half, room - networks));
  const second = Math.min(networks, room - first);
  const heights = [first, second];
  return lists.flatMap((list, index) => window(list, heights[index] ?? 0, state.offsets));
}

function sideBySide(view: TopView, state: FrameState, lines: number, columns: number): Line[] {
  const left = hostList(view, state);
  const right = networkList(view, state);
  const wanted = Math.max(left.rows.length, right.rows.length) + 1;
  const height = Math.min(wanted, Math.floor((lines * 2) / 3));
  const width = Math.floor((columns - gutter.text.length) / 2);
  const [hosts, networks] = [left, right].map((list) => window(list, height, state.offsets));
  return Array.from({ length: height }, (_, index) => [
    ...clip(hosts?.[index] ?? [], width),
    gutter,
    ...(networks?.[index] ?? []),
  ]);
}

/** A list's title and as many of its rows as fit, from where the reader is. */
function window(
  { pane, title, rows }: List,
  height: number,
  offsets: FrameState['offsets'],
): Line[] {
  if (height < 1) return [];
  const from = Math.max(0, Math.min(offsets[pane], rows.length - (height - 1)));
  return [title, ...rows.slice(from, from + height - 1)];
}

function eventPane({ events, focus, offsets }: FrameState, height: number): Line[] {
  if (height < 1) return [];
  const to = Math.max(Math.min(events.length, height - 1), events.length - offsets.events);
  const shown = events.slice(Math.max(0, to - height + 1), to);
  const padding = Array.from({ length: height - 1 - shown.length }, (): Line => []);
  const title = heading('  EVENTS', focus === 'events');
  return [[title], ...shown.map((text): Line => [{ text: `  ${text}` }]), ...padding];
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e\u00a0-\uffff]/g, '·');

const fit = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);

/** Exactly so wide: cut or filled. */
function clip(line: Line, width: number): Line {
  let left = width;
  const spans = line.map(({ text, ...rest }): Span => {
    const cut = printable(text).slice(0, left);
    left -= cut.length;
    return { text: cut, ...rest };
  });
  return [...spans, { text: ' '.repeat(left) }];
}

const paint = (line: Line, width: number): string =>
  clip(line, width)
    .map(({ text, style = plain }) => (text === '' ? '' : style(text)))
    .join('')
    .trimEnd();
