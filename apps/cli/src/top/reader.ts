// Where the reader of `skein top` is: which pane has the keys, and how far each is scrolled. Pure.

import { panes, type Pane } from './frame';
import type { Key } from './terminal';

export interface ReaderState {
  readonly focus: Pane;
  readonly offsets: Readonly<Record<Pane, number>>;
}

export const atStart: ReaderState = {
  focus: 'hosts',
  offsets: { hosts: 0, networks: 0, events: 0 },
};

/** `lengths`: how many lines each pane has. Events are counted from the newest, which is below. */
export function moved(
  { focus, offsets }: ReaderState,
  key: Exclude<Key, 'quit'>,
  lengths: Readonly<Record<Pane, number>>,
): ReaderState {
  const at = panes.indexOf(focus);
  if (key === 'next') return { focus: panes[(at + 1) % panes.length] as Pane, offsets };
  if (key === 'previous')
    return { focus: panes[(at + panes.length - 1) % panes.length] as Pane, offsets };
  const most = Math.max(0, lengths[focus] - 1);
  const direction = focus === 'events' ? -1 : 1;
  const step = { up: -1, down: 1, first: -Infinity, last: Infinity }[key] * direction;
  const offset = Math.min(most, Math.max(0, offsets[focus] + step));
  return { focus, offsets: { ...offsets, [focus]: offset } };
}
