// The world as it was: all events up to a place in the history, folded as the live ones are. Pure.

import type { HistoryEvent } from '@skein/contracts';
import { afterEvents, emptyWorld, type World } from './world';

/** What is known today of those that are still there fills in what events do not tell. */
export function worldUpTo(events: readonly HistoryEvent[], count: number, today: World): World {
  const past = afterEvents(emptyWorld, events.slice(0, count));
  const networks = [...past.networks].map(([id, network]) => {
    const { subnets, vni, created } = today.networks.get(id) ?? {};
    return [id, { ...network, ...defined({ subnets, vni, created }) }] as const;
  });
  const hosts = [...past.hosts].map(([id, host]) => {
    const { name = host.name, vtep } = today.hosts.get(id) ?? {};
    return [id, { ...host, name, ...defined({ vtep }) }] as const;
  });
  return { ...past, networks: new Map(networks), hosts: new Map(hosts) };
}

/** Both in the order of the history, each event once. */
export function joinEvents(
  read: readonly HistoryEvent[],
  heard: readonly HistoryEvent[],
): readonly HistoryEvent[] {
  const last = read.at(-1);
  const isLater = (event: HistoryEvent) =>
    last === undefined ||
    event.revision > last.revision ||
    (event.revision === last.revision && event.position > last.position);
  const later = heard
    .filter(isLater)
    .sort((a, b) => a.revision - b.revision || a.position - b.position);
  return later.length === 0 ? read : [...read, ...later];
}

/** Where a slider has to stand to show the state right after `revision`. */
export function placeOf(events: readonly HistoryEvent[], revision: number): number {
  const after = events.findIndex((event) => event.revision > revision);
  return after === -1 ? events.length : after;
}

function defined<T extends object>(fields: T) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
