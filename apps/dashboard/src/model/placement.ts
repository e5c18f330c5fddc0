// Where hosts and endpoints stand in the topology. Pure, and without forces: hosts keep their places, and an endpoint keeps its
// slot within its host for as long as it is there, so that nothing moves because something else came or went.

import { byName, type World } from './world';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Placement {
  readonly hosts: ReadonlyMap<string, Point>;
  readonly endpoints: ReadonlyMap<string, Point>;
  /** Width and height of each host's box. */
  readonly box: number;
  /** Slot of each endpoint within its host: what the next placement begins with. */
  readonly slots: ReadonlyMap<string, Slot>;
}

interface Slot {
  readonly host: string;
  readonly index: number;
}

const spacing = 36;
const padding = 26;
const gap = 96;
/** Between rows of hosts, which have no lines that need room. */
const rowGap = 62;
/** More hosts than this stand in rows instead of on a ring. */
const mostOnRing = 8;
const leastColumns = 2;

/** `aspect`: width by height of where it is shown; hosts in rows fill that. */
export function place(world: World, former?: Pick<Placement, 'slots'>, aspect = 1.4): Placement {
  const slots = assignSlots(world, former?.slots ?? new Map());
  const most = Math.max(0, ...[...slots.values()].map(({ index }) => index + 1));
  const columns = Math.max(leastColumns, Math.ceil(Math.sqrt(most)));
  const box = (columns - 1) * spacing + 2 * padding;
  const ids = byName(world.hosts.values()).map(({ id }) => id);
  const hosts = new Map(
    ids.map((id, index) => [id, hostPoint(index, { count: ids.length, box, aspect })]),
  );
  const endpoints = new Map<string, Point>();
  for (const [id, { host, index }] of slots) {
    const center = hosts.get(host);
    if (center === undefined) continue;
    const left = center.x - box / 2 + padding;
    const top = center.y - box / 2 + padding;
    endpoints.set(id, {
      x: left + (index % columns) * spacing,
      y: top + Math.floor(index / columns) * spacing,
    });
  }
  return { hosts, endpoints, box, slots };
}

/** Who is there keeps its slot; who is new gets the lowest free one of its host. */
function assignSlots(world: World, former: ReadonlyMap<string, Slot>): Map<string, Slot> {
  const slots = new Map<string, Slot>();
  const taken = new Map<string, Set<number>>();
  const newcomers: { id: string; host: string }[] = [];
  for (const { id, host } of world.endpoints.values()) {
    const slot = former.get(id);
    if (slot === undefined || slot.host !== host) newcomers.push({ id, host });
    else {
      slots.set(id, slot);
      takenOf(taken, host).add(slot.index);
    }
  }
  for (const { id, host } of newcomers) {
    const used = takenOf(taken, host);
    let index = 0;
    while (used.has(index)) index += 1;
    used.add(index);
    slots.set(id, { host, index });
  }
  return slots;
}

function takenOf(taken: Map<string, Set<number>>, host: string): Set<number> {
  const known = taken.get(host);
  if (known !== undefined) return known;
  const made = new Set<number>();
  taken.set(host, made);
  return made;
}

function hostPoint(
  index: number,
  { count, box, aspect }: { count: number; box: number; aspect: number },
): Point {
  if (count === 1) return { x: 0, y: 0 };
  const step = box + gap;
  if (count <= mostOnRing) {
    // As wide as neighbours on the ring need to stand clear of each other; flattened to the screen's shape.
    const radius = Math.max(step * 0.75, step / (2 * Math.sin(Math.PI / count)));
    const angle = -Math.PI / 2 + (index * 2 * Math.PI) / count;
    const [wide, tall] = aspect < 1 ? [1, 1.2] : [1.35, 1];
    return { x: wide * radius * Math.cos(angle), y: tall * radius * Math.sin(angle) };
  }
  const rowStep = box + rowGap;
  const columns = columnsFor(count, aspect);
  return { x: (index % columns) * rowStep, y: Math.floor(index / columns) * rowStep };
}

/** As many as let the boxes be shown largest. */
function columnsFor(count: number, aspect: number): number {
  let [best, size] = [1, 0];
  for (let columns = 1; columns <= count; columns += 1) {
    const room = Math.min(aspect / columns, 1 / Math.ceil(count / columns));
    if (room > size) [best, size] = [columns, room];
  }
  return best;
}

export interface Tunnel {
  readonly id: string;
  readonly networkId: string;
  readonly from: string;
  readonly to: string;
}

/** A tunnel a network between each two hosts that both take part in it. */
export function tunnelsOf({ endpoints, networks }: World): Tunnel[] {
  const participants = new Map<string, Set<string>>();
  for (const { networkId, host } of endpoints.values()) {
    if (networks.has(networkId)) takenIn(participants, networkId).add(host);
  }
  return [...participants].flatMap(([networkId, hosts]) => {
    const sorted = [...hosts].sort();
    return sorted.flatMap((from, index) =>
      sorted
        .slice(index + 1)
        .map((to) => ({ id: `${networkId} ${from} ${to}`, networkId, from, to })),
    );
  });
}

function takenIn(sets: Map<string, Set<string>>, key: string): Set<string> {
  const known = sets.get(key);
  if (known !== undefined) return known;
  const made = new Set<string>();
  sets.set(key, made);
  return made;
}
