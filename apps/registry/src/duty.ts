// What the active replica does besides: serves the registry's conversations, feeds agents, judges liveness, sweeps. All of it
// begins with an activation, carries its fence, and ends with it.

import type { Compare } from '@skein/contracts';
import type { Logger, Messenger } from '@skein/messaging';
import {
  SkeinTransport,
  startMicroservice,
  type RunningApplication,
  type ServiceLogger,
} from '@skein/service-boot';
import type { Store } from '@skein/store-client';
import { DutyModule } from './duty.module';
import { AddressSweep } from './endpoints/address-sweep';
import { Attachments } from './endpoints/attachments';
import { TransactionMerger } from './endpoints/transaction-merger';
import { Explainer } from './explain/explainer';
import { Feeds } from './feeds/feeds';
import { AddressHistory } from './history/address-history';
import { EventHistory } from './history/event-history';
import { HostRegistry } from './hosts/host-registry';
import { HostRemoval } from './hosts/host-removal';
import { LivenessLoop } from './hosts/liveness-loop';
import { defaultLivenessLimits } from './hosts/liveness-rule';
import { Roster } from './hosts/roster';
import { registryService } from './listing';
import type { AddressBook, Chance, Clock } from './ports';
import type { After, Program } from './feeds/host-feed';
import type { RegistryConfig } from './registry.config';
import type { Replica } from './replica';
import { Queries } from './views/queries';

export interface DomainParts {
  readonly config: Pick<RegistryConfig, 'holdDownMs'>;
  readonly messenger: Pick<Messenger, 'request'>;
  readonly logger: Logger;
  readonly store: Store;
  readonly replica: Replica;
  readonly addresses: AddressBook;
  readonly program: Program;
  readonly after: After;
  readonly clock: Clock;
  readonly chance: Chance;
}

export interface DutyParts extends DomainParts {
  readonly config: RegistryConfig;
  readonly messenger: Messenger;
  readonly logger: ServiceLogger;
}

/** Resolves when requests are taken. */
export async function openDuty(
  parts: DutyParts,
  fence: () => Compare,
): Promise<RunningApplication> {
  const { config, messenger, logger, replica } = parts;
  const domain = domainOf({ ...parts, program: fenced(parts.program, fence) }, fence);
  const transport = new SkeinTransport({
    messenger,
    version: registryService.version,
    description: registryService.description,
    instanceId: config.replicaId,
  });
  domain.feeds.start();
  const application = await startMicroservice(DutyModule.of(domain), {
    config,
    messenger,
    logger,
    transport,
  });
  domain.liveness.start();
  domain.sweep.start();
  replica.announcer.speak();
  return {
    close: async () => {
      replica.announcer.fallSilent();
      domain.liveness.stop();
      domain.sweep.stop();
      domain.feeds.stop();
      await application.close();
    },
  };
}

/** Tells agents whose word is newer: a replica that stood still does not know yet that another has taken over. */
function fenced(program: Program, fence: () => Compare): Program {
  const { value } = fence();
  if (typeof value !== 'number') throw new Error('a fence compares a revision');
  return (hostId, request) => program(hostId, { ...request, fencing: value });
}

export type Domain = ReturnType<typeof domainOf>;

/** The composition root: who gets what. */
export function domainOf(parts: DomainParts, fence: () => Compare) {
  const { config, messenger, logger, store, replica, addresses, clock } = parts;
  const { program, after, chance } = parts;
  const { view, history, writer } = replica;
  const roster = new Roster(clock.monotonicMs());
  const feeds = new Feeds({ view, program, after, logger });
  const registry = new HostRegistry({ store, view, feeds, roster, clock, fence });
  const removal = new HostRemoval({ store, view, roster, addresses, fence, logger });
  const merger = new TransactionMerger(store);
  const attachments = new Attachments({
    store,
    view,
    feeds,
    merger,
    addresses,
    clock,
    chance,
    fence,
    logger,
  });
  const isAttaching = (endpointId: string): boolean => attachments.isAttaching(endpointId);
  return {
    view,
    feeds,
    registry,
    removal,
    attachments,
    queries: new Queries(view, roster),
    addressHistory: new AddressHistory({ view, store: history, writer }),
    eventHistory: new EventHistory(view, history, writer),
    explainer: new Explainer({ store, view, feeds, messenger }),
    liveness: new LivenessLoop({
      view,
      roster,
      registry,
      clock,
      logger,
      limits: defaultLivenessLimits,
      holdDownMs: config.holdDownMs,
    }),
    sweep: new AddressSweep({ store, view, addresses, clock, logger, isAttaching }),
  };
}
