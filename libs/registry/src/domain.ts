// The composition root of the registry's domain: who gets what. Its world – store, agents, ipam, time – comes from outside, so
// that a service and a simulation run the same.

import type { Logger, Messenger } from '@skein/messaging';
import type { Store } from '@skein/store-client';
import type { Time } from '@skein/time';
import { AddressSweep } from './endpoints/address-sweep';
import { Attachments } from './endpoints/attachments';
import { TransactionMerger } from './endpoints/transaction-merger';
import { Explainer } from './explain/explainer';
import { Feeds } from './feeds/feeds';
import type { Program } from './feeds/host-feed';
import { HostRegistry, type Admit } from './hosts/host-registry';
import { HostRemoval } from './hosts/host-removal';
import { LivenessLoop } from './hosts/liveness-loop';
import { defaultLivenessLimits } from './hosts/liveness-rule';
import { Roster } from './hosts/roster';
import type { AddressBook, Chance, Fence } from './ports';
import type { FreshView } from './state/fresh-view';
import { Queries } from './views/queries';

export interface DomainParts {
  readonly config: { readonly holdDownMs: number };
  readonly messenger: Pick<Messenger, 'request'>;
  readonly logger: Logger;
  readonly store: Store;
  readonly view: FreshView;
  readonly addresses: AddressBook;
  readonly program: Program;
  readonly time: Time;
  readonly chance: Chance;
  readonly admit?: Admit | undefined;
}

export type Domain = ReturnType<typeof domainOf>;

export function domainOf(parts: DomainParts, fence: Fence) {
  const { config, messenger, logger, store, view, addresses, program, time, chance } = parts;
  const roster = new Roster(time.monotonicMs());
  const feeds = new Feeds({ view, program, time, logger });
  const registry = new HostRegistry({
    store,
    view,
    feeds,
    roster,
    time,
    fence,
    admit: parts.admit,
  });
  const merger = new TransactionMerger(store, time);
  const attachments = new Attachments({
    store,
    view,
    feeds,
    merger,
    addresses,
    time,
    chance,
    fence,
    logger,
  });
  const isAttaching = (endpointId: string): boolean => attachments.isAttaching(endpointId);
  return {
    view,
    feeds,
    registry,
    removal: new HostRemoval({ store, view, roster, addresses, fence, logger }),
    attachments,
    queries: new Queries(view, roster),
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
    sweep: new AddressSweep({ store, view, addresses, time, logger, isAttaching }),
  };
}

/** What the active replica does of itself. Answers what ends it. */
export function startDomain({ feeds, liveness, sweep }: Domain): () => void {
  feeds.start();
  liveness.start();
  sweep.start();
  return () => {
    liveness.stop();
    sweep.stop();
    feeds.stop();
  };
}
