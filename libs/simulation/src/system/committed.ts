// The one history of what was committed, as the checkers hold everybody's word against it: for each host what its share was at any
// revision, for each endpoint from when to when it was there. It must not know who believed what.

import type { RevisionEvents, Share } from '@skein/contracts';
import { CommittedState } from '@skein/share';
import { changeOf } from '@skein/registry';

type Change = NonNullable<ReturnType<typeof changeOf>>;
type Entry<Kind extends Change['kind']> = NonNullable<Extract<Change, { kind: Kind }>['record']>;
export type EndpointEntry = Entry<'endpoint'>;

export interface EndpointLife {
  readonly entry: EndpointEntry;
  readonly attachedAt: number;
  detachedAt: number | null;
  readonly detachedMs: number | null;
}

export interface ShareAt {
  readonly since: number;
  readonly digest: string;
  readonly share: Share;
}

export interface CommitTime {
  readonly revision: number;
  readonly atMs: number;
}

export class CommittedHistory {
  readonly state = new CommittedState<Entry<'network'>, Entry<'host'>, EndpointEntry>();
  revision = 0;
  private readonly lives = new Map<string, EndpointLife>();
  private readonly shares = new Map<string, ShareAt[]>();
  private readonly commitMs = new Map<number, number>();
  /** Of hosts that are up: the revision since which they are. */
  private readonly upSince = new Map<string, number>();
  /** Of every endpoint that there ever was: `networkId address mac`. */
  private readonly rows = new Set<string>();

  constructor(private readonly nowMs: () => number) {}

  take({ revision, events }: RevisionEvents): void {
    this.revision = revision;
    this.commitMs.set(revision, this.nowMs());
    const changes = events.flatMap(({ kv, type }) => changeOf(kv, type) ?? []);
    if (changes.length === 0) return;
    for (const change of changes) if (change.kind === 'endpoint') this.note(change, revision);
    for (const change of changes) if (change.kind === 'host') this.noteHost(change, revision);
    const touched = this.state.apply(changes);
    const hosts = new Set(touched.keys());
    for (const change of changes) if (change.kind === 'host') hosts.add(change.id);
    for (const host of hosts) this.keepShare(host, revision);
  }

  private note({ id, record }: Extract<Change, { kind: 'endpoint' }>, revision: number): void {
    const known = this.lives.get(id);
    if (record === null) {
      if (known === undefined) return;
      this.lives.set(id, { ...known, detachedAt: revision, detachedMs: this.nowMs() });
      return;
    }
    const attachedAt = known?.attachedAt ?? revision;
    this.lives.set(id, { entry: record, attachedAt, detachedAt: null, detachedMs: null });
    for (const address of record.addresses) {
      this.rows.add(`${record.networkId} ${bare(address)} ${record.mac}`);
    }
  }

  private noteHost({ id, record }: Extract<Change, { kind: 'host' }>, revision: number): void {
    if (record?.state !== 'up') this.upSince.delete(id);
    else if (!this.upSince.has(id)) this.upSince.set(id, revision);
  }

  private keepShare(host: string, since: number): void {
    const all = this.shares.get(host) ?? [];
    this.shares.set(host, all);
    all.push({ since, digest: this.state.digestOf(host), share: this.state.shareOf(host) });
  }

  /** When the revision was committed. */
  timeOf(revision: number): number {
    return this.commitMs.get(revision) ?? Infinity;
  }

  endpoint(id: string): EndpointLife | undefined {
    return this.lives.get(id);
  }

  endpoints(): IterableIterator<EndpointLife> {
    return this.lives.values();
  }

  /** What the host's share was as of that revision; undefined: nothing was said of it by then. */
  shareAt(host: string, revision: number): ShareAt | undefined {
    return this.shares.get(host)?.findLast(({ since }) => since <= revision);
  }

  /** Whether the host was up at that revision and ever since. */
  wasUpSince(host: string, revision: number): boolean {
    return (this.upSince.get(host) ?? Infinity) <= revision;
  }

  /** Whether the network was in the host's share at that revision and ever since. */
  tookPartSince(host: string, networkId: string, revision: number): boolean {
    const then = this.shareAt(host, revision);
    const later = this.shares.get(host)?.filter(({ since }) => since > revision) ?? [];
    return [then, ...later].every(
      (each) => each?.share.networks.some(({ id }) => id === networkId) === true,
    );
  }

  hasHadRow(networkId: string, address: string, mac: string): boolean {
    return this.rows.has(`${networkId} ${address} ${mac}`);
  }

  networkIdOf(netns: string, prefix: string): string | undefined {
    return this.state.networks().find(({ vni }) => `${prefix}${vni}` === netns)?.id;
  }
}

export function bare(address: string): string {
  return address.split('/')[0] ?? '';
}
