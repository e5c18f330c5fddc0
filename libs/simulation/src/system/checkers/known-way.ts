// P6: when attach answers, the way is known: every live host of the network has the new endpoint's rows at that instant, but for
// those that the answer names, and it names none that has no part in it. It must not know how hosts are told.

import { desiredOf } from '@skein/vxlan';
import type { CommittedHistory } from '../committed';
import type { Host } from '../host';
import type { Violations } from '../violations';

export interface AttachAnswer {
  readonly endpoints: readonly { readonly id: string }[];
  readonly revision: number;
  readonly behind: readonly string[];
}

export class KnownWay {
  answered = 0;
  behind = 0;

  constructor(
    private readonly violations: Violations,
    private readonly committed: CommittedHistory,
    private readonly hosts: ReadonlyMap<string, Host>,
    /** Whether this kernel was laid hands on, or started anew, since that moment. */
    private readonly isHarmedSince: (hostId: string, atMs: number) => boolean,
  ) {}

  attached({ endpoints, revision, behind }: AttachAnswer): void {
    this.answered += 1;
    if (behind.length > 0) this.behind += 1;
    for (const { id } of endpoints) this.check(id, revision, behind);
  }

  private check(id: string, revision: number, behind: readonly string[]): void {
    const endpoint = this.committed.state.endpoint(id);
    // Gone again already: nobody has to know the way.
    if (endpoint === undefined) return;
    const participants = this.committed.state.participantsOf(endpoint.networkId);
    const committedMs = this.committed.timeOf(revision);
    for (const hostId of participants.keys()) {
      if (behind.includes(hostId) || hostId === endpoint.host) continue;
      const host = this.hosts.get(hostId);
      const isUp = this.committed.state.host(hostId)?.state === 'up';
      const tookPart = this.committed
        .shareAt(hostId, revision)
        ?.share.networks.some((network) => network.id === endpoint.networkId);
      if (host === undefined || !isUp || tookPart !== true) continue;
      if (this.isHarmedSince(hostId, committedMs)) continue;
      const fault = this.wayFault(host, endpoint);
      if (fault !== null) {
        this.violations.report('P6', `attach of ${id} at ${revision} is answered; ${fault}`);
      }
    }
    const strangers = behind.filter((hostId) => !this.hasTakenPart(hostId, endpoint.networkId));
    if (strangers.length > 0) {
      this.violations.report('P6', `attach of ${id} names ${strangers.join(' ')} as behind`);
    }
  }

  private hasTakenPart(hostId: string, networkId: string): boolean {
    return [...this.committed.endpoints()].some(
      ({ entry }) => entry.host === hostId && entry.networkId === networkId,
    );
  }

  private wayFault(
    host: Host,
    endpoint: NonNullable<ReturnType<CommittedHistory['state']['endpoint']>>,
  ): string | null {
    const share = this.committed.state.shareOf(host.id);
    const desired = desiredOf(share, host.id, host.settings);
    for (const [netns, { id, fdb }] of desired.networks) {
      if (id !== endpoint.networkId) continue;
      const wanted = fdb.get(endpoint.mac);
      const found = host.kernel.networks.get(netns);
      const row = found?.fdb.get(endpoint.mac);
      if (wanted === undefined) continue;
      if (row?.port !== wanted.port || row.nhid !== wanted.nhid) {
        return `${host.id} has no row for ${endpoint.mac}`;
      }
      for (const address of endpoint.addresses) {
        const [bare = ''] = address.split('/');
        if (found?.neighbors.get(bare) !== endpoint.mac) return `${host.id} lacks ${bare}`;
      }
    }
    return null;
  }
}
