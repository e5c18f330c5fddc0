// One replica of the registry: the registry's own classes, put together as the service does it, over simulated messages. It must
// not know what faults there are.

import {
  createEndpointsContract,
  deleteEndpointContract,
  drainHostContract,
  heartbeatContract,
  readmitHostContract,
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
import type { FencedCommit } from './checkers/activations';
import type { AttachAnswer } from './checkers/known-way';
import type { Handler, HubMessenger } from './hub';
import { withTransactions } from './store-wrap';

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
  readonly onCommitted: (commit: FencedCommit) => void;
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
        store: noting(altered.store, fence, options.onCommitted),
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
    serve(readmitHostContract, ({ host }: { host: string }, context) =>
      removal.readmit(host, context),
    );
    serve(drainHostContract, async (request, context) => {
      const host = await registry.drain(request, context);
      return { host: queries.host(host), remaining: await removal.preview(host.id, context) };
    });
    return closes;
  }
}

/** Tells of each transaction that has written something. */
function noting(
  store: Store,
  fence: () => Compare,
  onCommitted: (commit: FencedCommit) => void,
): Store {
  return withTransactions(store, async (request, options) => {
    const reply = await store.txn(request, options);
    const { key, value } = fence();
    const isWritten = request.success?.some(({ type }) => type !== 'range') === true;
    if (reply.succeeded && isWritten) {
      onCommitted({ key, fencing: Number(value), revision: reply.revision });
    }
    return reply;
  });
}

function letters(random: Random): string {
  return Array.from({ length: 12 }, () => random.int(36).toString(36)).join('');
}
