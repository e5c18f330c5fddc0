// P6: when attach answers, the way is known: every host that is up and takes part ever since has the new endpoint's rows at that
// instant, and its own host those of the others, but for hosts that the answer names, and it names none that has no part in the
// network. It must not know how hosts are told.

import { desiredOf } from '@skein/vxlan';
import { bare, type CommittedHistory } from '../committed';
import type { Host } from '../host';
import type { Violations } from '../violations';

export interface AttachAnswer {
  readonly endpoints: readonly { readonly id: string }[];
  readonly revision: number;
  readonly behind: readonly string[];
}

/** Until what somebody's hand did to a kernel is repaired. */
const repairMs = 10_000;

type Endpoint = NonNullable<ReturnType<CommittedHistory['state']['endpoint']>>;

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
    for (const hostId of this.committed.state.participantsOf(endpoint.networkId).keys()) {
      const host = this.hosts.get(hostId);
      if (host === undefined || behind.includes(hostId)) continue;
      if (!this.mustKnow(hostId, endpoint, revision)) continue;
      const fault = this.firstFault(host, endpoint, revision);
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

  /**
   * One that left and came again, or came later, learns all ways with the attach that brought it; one that was down, and holds
   * nobody up, as it comes up.
   */
  private mustKnow(hostId: string, { host, networkId }: Endpoint, revision: number): boolean {
    const { committed } = this;
    // An attach writes the new row alone: older ones may still have to be repaired.
    const graceMs = hostId === host ? repairMs : 0;
    return (
      committed.wasUpSince(hostId, revision) &&
      committed.tookPartSince(hostId, networkId, revision) &&
      !this.isHarmedSince(hostId, committed.timeOf(revision) - graceMs)
    );
  }

  private firstFault(host: Host, endpoint: Endpoint, revision: number): string | null {
    if (host.id !== endpoint.host) return this.wayFault(host, [endpoint]);
    const { state } = this.committed;
    const others = [...state.endpointsOf(endpoint.networkId).values()].filter(
      ({ id, host: place }) =>
        place !== host.id && (this.committed.endpoint(id)?.attachedAt ?? Infinity) <= revision,
    );
    return this.wayFault(host, others);
  }

  private wayFault(host: Host, endpoints: readonly Endpoint[]): string | null {
    const share = this.committed.state.shareOf(host.id);
    const desired = desiredOf(share, host.id, host.settings);
    for (const { networkId, mac, addresses } of endpoints) {
      const [netns, network] = [...desired.networks].find(([, { id }]) => id === networkId) ?? [];
      const wanted = network?.fdb.get(mac);
      if (netns === undefined || wanted === undefined) continue;
      const found = host.kernel.networks.get(netns);
      const row = found?.fdb.get(mac);
      if (row?.port !== wanted.port || row.vteps.join() !== (wanted.vtep ?? '')) {
        return `${host.id} has no row for ${mac}`;
      }
      const lacking = addresses.map(bare).find((each) => found?.neighbors.get(each) !== mac);
      if (lacking !== undefined) return `${host.id} lacks ${lacking}`;
    }
    return null;
  }
}
