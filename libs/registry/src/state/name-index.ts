// Names of networks, hosts and endpoints to their ids, derived from the records as they change.

import type { CommittedState } from '@skein/share';
import type { EndpointEntry, EntryChange, HostEntry, NetworkEntry } from './entries';

type State = CommittedState<NetworkEntry, HostEntry, EndpointEntry>;

export class NameIndex {
  readonly #networks = new Map<string, string>();
  readonly #hosts = new Map<string, string>();
  /** By network, then by name or alias. */
  readonly #endpoints = new Map<string, Map<string, string>>();

  network(name: string): string | undefined {
    return this.#networks.get(name);
  }

  host(name: string): string | undefined {
    return this.#hosts.get(name);
  }

  endpoint(networkId: string, name: string): string | undefined {
    return this.#endpoints.get(networkId)?.get(name);
  }

  /** To be called before the state itself takes the changes: names of what is replaced are read from `before`. */
  apply(changes: readonly EntryChange[], before: State): void {
    const latest = new Map<string, EntryChange>();
    for (const change of changes) {
      const key = `${change.kind}/${change.id}`;
      const known = latest.get(key)?.record ?? this.#recordOf(change, before);
      latest.set(key, change);
      this.#replace(change, known);
    }
  }

  #recordOf(change: EntryChange, before: State): EntryChange['record'] {
    if (change.kind === 'network') return before.network(change.id) ?? null;
    if (change.kind === 'host') return before.host(change.id) ?? null;
    return before.endpoint(change.id) ?? null;
  }

  #replace(change: EntryChange, known: EntryChange['record']): void {
    switch (change.kind) {
      case 'network':
        return move(this.#networks, change.id, known?.name, change.record?.name);
      case 'host':
        return move(this.#hosts, change.id, known?.name, change.record?.name);
      case 'endpoint':
        return this.#replaceEndpoint(change.id, known as EndpointEntry | null, change.record);
    }
  }

  #replaceEndpoint(id: string, known: EndpointEntry | null, record: EndpointEntry | null): void {
    for (const name of known === null ? [] : namesOf(known)) {
      const names = this.#endpoints.get(known?.networkId ?? '');
      if (names?.get(name) === id) names.delete(name);
      if (names?.size === 0) this.#endpoints.delete(known?.networkId ?? '');
    }
    if (record === null) return;
    let names = this.#endpoints.get(record.networkId);
    if (names === undefined) this.#endpoints.set(record.networkId, (names = new Map()));
    for (const name of namesOf(record)) names.set(name, id);
  }
}

/** All names an endpoint takes in its network's one name space. */
export function namesOf(endpoint: { name: string; aliases: readonly string[] }): string[] {
  return [...new Set([endpoint.name, ...endpoint.aliases])];
}

function move(index: Map<string, string>, id: string, from?: string, to?: string): void {
  if (from !== undefined && index.get(from) === id) index.delete(from);
  if (to !== undefined) index.set(to, id);
}
