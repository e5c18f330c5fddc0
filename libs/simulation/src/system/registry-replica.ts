// One replica of the registry: the registry's own classes, put together as the service does it, over simulated messages. It must
// not know what faults there are.

import {
  createEndpointsContract,
  deleteEndpointContract,
  heartbeatContract,
  registerHostContract,
  removeHostContract,
  type Compare,
  type Contract,
} from '@skein/contracts';
import { silentLogger } from '@skein/messaging';
import {
  agentPrograms,
  domainOf,
  fenced,
  FreshView,
  ipamAddresses,
  Office,
  startDomain,
  StoreFollower,
  type AddressBook,
  type Domain,
  type Program,
} from '@skein/registry';
import type { Store } from '@skein/store-client';
import type { Time } from '@skein/time';
import type { Random } from '../random';
import type { AttachAnswer } from './checkers/known-way';
import type { Handler, HubMessenger } from './hub';

export interface RegistryOptions {
  readonly name: string;
  readonly store: Store;
  readonly messenger: HubMessenger;
  readonly time: Time;
  readonly random: Random;
  readonly ttlMs: number;
  readonly holdDownMs: number;
  /** Where planted faults get in. */
  readonly alter: (parts: RegistryAlterations) => RegistryAlterations;
  /** False: a planted fault. */
  readonly isSweeping: boolean;
  /** An attach is about to be answered. */
  readonly onAttached: (answer: AttachAnswer) => void;
}

export interface RegistryAlterations {
  readonly fence: () => Compare;
  readonly store: Store;
  readonly program: Program;
  readonly addresses: AddressBook;
}

export class RegistryReplica {
  readonly view: FreshView;
  domain: Domain | null = null;
  private readonly follower: StoreFollower;
  private readonly office: Office;

  constructor(private readonly options: RegistryOptions) {
    const { store, time, name: replicaId, ttlMs } = options;
    const parts = { store, time, logger: silentLogger };
    const view = new FreshView(parts);
    this.view = view;
    this.follower = new StoreFollower(parts, {
      onState: (revision, kvs) => view.reset(revision, kvs),
      onEvents: (revisions) => view.advance(revisions),
      onProgress: (revision) => view.progress(revision),
      resumeAt: () => undefined,
      onGap: () => undefined,
    });
    this.office = new Office({
      ...parts,
      replicaId,
      ttlMs,
      openDuty: (...given) => this.openDuty(...given),
    });
  }

  start(): void {
    void this.follower.start().then(() => this.office.start());
  }

  private async openDuty(
    fence: () => Compare,
    isInOffice: () => boolean,
  ): Promise<{ close(): Promise<void> }> {
    const { options, view } = this;
    const { store, messenger, time, random, holdDownMs } = options;
    const altered = options.alter({
      fence,
      store,
      program: fenced(agentPrograms(messenger), fence),
      addresses: ipamAddresses(messenger),
    });
    const chance = { id: () => letters(random) };
    const domain = domainOf(
      {
        config: { holdDownMs },
        messenger,
        logger: silentLogger,
        store: altered.store,
        view,
        addresses: altered.addresses,
        program: altered.program,
        time,
        chance,
        isInOffice,
      },
      altered.fence,
    );
    this.domain = domain;
    const end = startDomain(domain);
    if (!options.isSweeping) domain.sweep.stop();
    const closes = this.serve(domain);
    return {
      close: async () => {
        end();
        for (const close of closes) close();
        this.domain = null;
      },
    };
  }

  private serve({ registry, attachments, removal, queries }: Domain): (() => void)[] {
    const { messenger, onAttached } = this.options;
    const closes: (() => void)[] = [];
    const serve = (contract: Contract, handler: Handler): void =>
      void closes.push(messenger.serve(contract, handler));
    serve(registerHostContract, (request, context) => registry.register(request, context));
    serve(heartbeatContract, (request) => registry.heartbeat(request));
    serve(createEndpointsContract, async (request, context) => {
      const { endpoints, ...attached } = await attachments.create(request, context);
      onAttached({ endpoints, ...attached });
      return { ...attached, endpoints: endpoints.map((each) => queries.endpoint(each)) };
    });
    serve(deleteEndpointContract, (request, context) => attachments.delete(request, context));
    serve(removeHostContract, ({ host }: { host: string }, context) =>
      removal.remove(host, context),
    );
    return closes;
  }
}

function letters(random: Random): string {
  return Array.from({ length: 12 }, () => random.int(36).toString(36)).join('');
}
