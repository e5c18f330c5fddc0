// What each host may know of networks before it takes part in them (P5), and networks that a host's engine was told of.

import {
  createNetworkContract,
  SkeinError,
  type declareNetworkContract,
  type HostRecord,
  type NetworkRecord,
  type ParsedRequestOf,
  type ReplyOf,
  type enrolmentContract,
} from '@skein/contracts';
import { cidr, cidrText } from '@skein/ip';
import type { Deadline, RequestContext } from '@skein/messaging';
import { canonicalJson, hashText, hashToHex } from '@skein/share';
import type { Asking } from '../conversations';
import type { HostEntry, NetworkEntry } from '../state/entries';
import type { FreshView } from '../state/fresh-view';
import { enrolledNetwork, isChosen } from './enrolment-rule';
import type { Heartbeat } from './roster';

export interface EnrolmentsOptions {
  readonly view: FreshView;
  readonly messenger: Asking;
  /** Whether the host's engine may make networks; throws if not. Absent: every host's may. */
  readonly demandDeclares?: ((host: string, context: RequestContext) => Promise<void>) | undefined;
}

type Declaration = ParsedRequestOf<typeof declareNetworkContract>;

interface Marked {
  /** Revision of the view, and the host's record. */
  readonly revision: number;
  readonly mark: string;
}

export class Enrolments {
  readonly #options: EnrolmentsOptions;
  readonly #marks = new Map<string, Marked>();

  constructor(options: EnrolmentsOptions) {
    this.#options = options;
  }

  async of(hostId: string, deadline: Deadline): Promise<ReplyOf<typeof enrolmentContract>> {
    const host = await this.#options.view.findHost(hostId, deadline);
    return { networks: this.#networksOf(host).map(enrolledNetwork), mark: this.#markOf(host) };
  }

  /** Whether the host knows another enrolment than the one that holds; false for one that does not ask. */
  isNew({ host: hostId, enrolment }: Heartbeat): boolean {
    const host = this.#options.view.state.host(hostId);
    return enrolment !== undefined && host !== undefined && enrolment !== this.#markOf(host);
  }

  /** Throws `network_not_attachable` or `host_not_enrolled`. */
  demand(network: NetworkRecord, host: HostRecord): void {
    const facts = { network: network.name, host: host.id };
    if (!network.attachable) {
      const message = `Network '${network.name}' is not attachable`;
      throw new SkeinError('network_not_attachable', message, { field: 'network', facts });
    }
    if (isChosen(network, host)) return;
    const message = `Network '${network.name}' is for other hosts: ${network.labels['hosts']}`;
    throw new SkeinError('host_not_enrolled', message, { field: 'network', facts });
  }

  /** Makes the network, or answers the one that is there and has these subnets. */
  async declare({ host: hostId, network: spec }: Declaration, context: RequestContext) {
    const { view, messenger, demandDeclares } = this.#options;
    const host = await view.findHost(hostId, context.deadline);
    try {
      // One that is there is only described, which changes nothing.
      if (view.network(spec.name) === undefined) await demandDeclares?.(hostId, context);
      const { network, revision } = await messenger.request(createNetworkContract, spec, {
        context,
      });
      await view.demandReached(revision, context.deadline);
      return { network };
    } catch (thrown) {
      if (SkeinError.from(thrown).code !== 'network_name_taken') throw thrown;
    }
    const { revision: _, ...known } = await view.findNetwork(spec.name, context.deadline);
    this.demand(known, host);
    const missing = (spec.subnets ?? []).find(
      (one) => !known.subnets.some((each) => each.cidr === canonical(one.cidr)),
    );
    if (missing === undefined) return { network: known };
    const has = known.subnets.map((each) => each.cidr);
    const message = `Network '${known.name}' has ${has.join(', ')}, not ${missing.cidr}`;
    const facts = { network: known.name, subnets: has, asked: missing.cidr };
    throw new SkeinError('network_differs', message, { field: 'network.subnets', facts });
  }

  #networksOf(host: HostEntry): NetworkEntry[] {
    return this.#options.view.state
      .networks()
      .filter((network) => network.attachable && isChosen(network, host));
  }

  #markOf(host: HostEntry): string {
    const { revision } = this.#options.view;
    const known = this.#marks.get(host.id);
    if (known?.revision === revision) return known.mark;
    const networks = this.#networksOf(host).map((each) => [each.id, each.revision]);
    const mark = hashToHex(hashText(canonicalJson(networks.sort())));
    this.#marks.set(host.id, { revision, mark });
    return mark;
  }
}

function canonical(text: string): string {
  return cidrText(cidr(text));
}
