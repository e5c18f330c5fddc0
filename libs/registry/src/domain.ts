// The composition root of the registry's domain: who gets what. Its world – store, agents, ipam, time – comes from outside, so
// that a service and a simulation run the same.

import type { Logger, Messenger } from '@skein/messaging';
import type { Store } from '@skein/store-client';
import type { Time } from '@skein/time';
import { AddressSweep } from './endpoints/address-sweep';
import { AttachGroup } from './endpoints/attach-group';
import { Attachments } from './endpoints/attachments';
import { OnceBook } from './endpoints/once-book';
import { OwnEndpoints } from './endpoints/own-endpoints';
import { LastHolder } from './endpoints/last-holder';
import { TransactionMerger } from './endpoints/transaction-merger';
import { Explainer } from './explain/explainer';
import { Feeds } from './feeds/feeds';
import type { Program } from './feeds/host-feed';
import { Enrolments, type EnrolmentsOptions } from './hosts/enrolments';
import { DownSightings } from './hosts/down-sightings';
import { FenceReclaim } from './hosts/fence-reclaim';
import { defaultHostLeaseMs } from './hosts/host-lease';
import { HostRegistry, type Admit } from './hosts/host-registry';
import { HostRemoval } from './hosts/host-removal';
import { HostRelease } from './hosts/host-release';
import { LivenessLoop } from './hosts/liveness-loop';
import { defaultLivenessLimits } from './hosts/liveness-rule';
import { Roster } from './hosts/roster';
import type { AddressBook, Chance, Fence } from './ports';
import { ServiceDesk } from './services/service-desk';
import type { HostEntry } from './state/entries';
import type { FreshView } from './state/fresh-view';
import { Queries } from './views/queries';
import { ReachabilityMatrix } from './views/reachability-matrix';
import { TrafficDesk } from './views/traffic-desk';

export interface DomainParts {
  readonly config: { readonly holdDownMs: number; readonly hostLeaseMs?: number };
  readonly messenger: Pick<Messenger, 'request'>;
  readonly logger: Logger;
  readonly store: Store;
  readonly view: FreshView;
  readonly addresses: AddressBook;
  readonly program: Program;
  readonly time: Time;
  readonly chance: Chance;
  readonly admit?: Admit | undefined;
  readonly demandDeclares?: EnrolmentsOptions['demandDeclares'];
  /** Whether this process is the active registry, for certain and now. Absent: always. */
  readonly isInOffice?: (() => boolean) | undefined;
}

export type Domain = ReturnType<typeof domainOf>;

export function domainOf(parts: DomainParts, fence: Fence) {
  const { config, messenger, logger, store, view, addresses, program, time, chance } = parts;
  const roster = new Roster(time.monotonicMs());
  const feeds = new Feeds({ view, program, time, logger });
  const { hostLeaseMs: leaseMs = defaultHostLeaseMs } = config;
  const isInOffice = parts.isInOffice ?? (() => true);
  const release = new HostRelease({ store, view, addresses, fence, logger });
  const sightings = new DownSightings();
  const registry = new HostRegistry({
    store,
    view,
    feeds,
    roster,
    release,
    sightings,
    time,
    fence,
    leaseMs,
    isInOffice,
    admit: parts.admit,
  });
  const fencing = new FenceReclaim({
    view,
    release,
    sightings,
    leaseMs,
    isInOffice,
    time,
    logger,
  });
  const merger = new TransactionMerger(store, time);
  const silentInMs = (host: HostEntry): number | null => fencing.silentInMs(host);
  const lastHolder = new LastHolder({ view, feeds, silentInMs });
  const book = new OnceBook(store);
  const attachments = new Attachments({
    store,
    view,
    feeds,
    merger,
    addresses,
    book,
    time,
    chance,
    fence,
    logger,
    lastHolder,
    silentInMs,
  });
  const enrolments = new Enrolments({
    view,
    messenger,
    demandDeclares: parts.demandDeclares,
  });
  const isAttaching = (endpointId: string): boolean => attachments.isAttaching(endpointId);
  return {
    view,
    feeds,
    registry,
    fencing,
    removal: new HostRemoval({ store, view, roster, release, fencing, time, fence }),
    attachments,
    attachGroup: new AttachGroup({ view, attachments, addresses, book, time, chance }),
    enrolments,
    ownEndpoints: new OwnEndpoints({
      store,
      view,
      attachments,
      enrolments,
      merger,
      addresses,
      fence,
    }),
    matrix: new ReachabilityMatrix(view, roster),
    traffic: new TrafficDesk({ view, messenger, time }),
    queries: new Queries({ view, roster, time, leaseMs, registry }),
    services: new ServiceDesk({ store, view, time, fence }),
    explainer: new Explainer({ store, view, feeds, messenger }),
    liveness: new LivenessLoop({
      view,
      roster,
      registry,
      time,
      logger,
      limits: defaultLivenessLimits,
      holdDownMs: config.holdDownMs,
    }),
    sweep: new AddressSweep({ store, view, addresses, time, logger, isAttaching, lastHolder }),
  };
}

/** What the active replica does of itself. Answers what ends it. */
export function startDomain({ feeds, liveness, fencing, sweep }: Domain): () => void {
  feeds.start();
  liveness.start();
  fencing.start();
  sweep.start();
  return () => {
    fencing.stop();
    liveness.stop();
    sweep.stop();
    feeds.stop();
  };
}
