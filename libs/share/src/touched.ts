// Which items of a host's share may have changed. Sets of ids add up over revisions, so that pushes coalesce for free.

export interface Touched {
  readonly hosts: Set<string>;
  readonly networks: Set<string>;
  readonly endpoints: Set<string>;
}

export function nothingTouched(): Touched {
  return { hosts: new Set(), networks: new Set(), endpoints: new Set() };
}

export function isUntouched(touched: Touched): boolean {
  return touched.hosts.size === 0 && touched.networks.size === 0 && touched.endpoints.size === 0;
}

/** Adds `from` to `into`. */
export function mergeTouched(into: Touched, from: Touched): void {
  for (const id of from.hosts) into.hosts.add(id);
  for (const id of from.networks) into.networks.add(id);
  for (const id of from.endpoints) into.endpoints.add(id);
}

/** Collects, for every host, what one step of the state touched. */
export class TouchedByHost {
  readonly byHost = new Map<string, Touched>();

  touch(hostId: string, kind: keyof Touched, id: string): void {
    let touched = this.byHost.get(hostId);
    if (touched === undefined) this.byHost.set(hostId, (touched = nothingTouched()));
    touched[kind].add(id);
  }
}
