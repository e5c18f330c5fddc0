// From one share to the next. Items are whole: one that differs in anything is put again. Order of items means nothing.

import { canonicalJson } from './digest';
import type { Share, ShareDelta } from './facts';

interface Identified {
  readonly id: string;
}

/** What turns `before` into `after`. */
export function diff(before: Share, after: Share): ShareDelta {
  const hosts = diffItems(before.hosts, after.hosts);
  const networks = diffItems(before.networks, after.networks);
  const endpoints = diffItems(before.endpoints, after.endpoints);
  return {
    put: { hosts: hosts.put, networks: networks.put, endpoints: endpoints.put },
    removed: { hosts: hosts.removed, networks: networks.removed, endpoints: endpoints.removed },
  };
}

/** The share after the delta. Removing what is not there changes nothing. */
export function applyDelta(share: Share, delta: ShareDelta): Share {
  return {
    hosts: applyItems(share.hosts, delta.put.hosts, delta.removed.hosts),
    networks: applyItems(share.networks, delta.put.networks, delta.removed.networks),
    endpoints: applyItems(share.endpoints, delta.put.endpoints, delta.removed.endpoints),
  };
}

function diffItems<Item extends Identified>(before: readonly Item[], after: readonly Item[]) {
  const old = new Map(before.map((item) => [item.id, item]));
  const put: Item[] = [];
  for (const item of after) {
    const known = old.get(item.id);
    old.delete(item.id);
    if (known === item) continue;
    if (known === undefined || canonicalJson(known) !== canonicalJson(item)) put.push(item);
  }
  return { put, removed: [...old.keys()] };
}

function applyItems<Item extends Identified>(
  items: readonly Item[],
  put: readonly Item[],
  removed: readonly string[],
): Item[] {
  const byId = new Map(items.map((item) => [item.id, item]));
  for (const id of removed) byId.delete(id);
  for (const item of put) byId.set(item.id, item);
  return [...byId.values()];
}
