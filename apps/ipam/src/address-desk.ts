// Takes requests for addresses to wherever the network's actor is: here, at another replica by the actor's own subject, or
// nowhere yet, in which case it is activated here. While a dead replica's lease runs out the request waits.

import {
  actorAllocateContract,
  actorBeliefContract,
  actorReloadContract,
  actorReleaseContract,
  SkeinError,
  type AllocationRequest,
  type ErrorCode,
  type ReplyOf,
} from '@skein/contracts';
import { ActorSystem, AskFailure, type ActorRef } from '@skein/actor';
import {
  beliefDigests,
  entriesOfBucket,
  networkActorKind,
  type AddressCommand,
  type AddressReply,
  type BeliefEntry,
} from '@skein/ipam';
import type { Messenger, RequestContext, ServiceEndpoints, Serving } from '@skein/messaging';
import type { Store } from '@skein/store-client';
import type { Logger } from '@skein/messaging';
import { causeOf, type NetworkCatalog } from './network-catalog';
import { NetworkActor, type NetworkAnswer, type NetworkMessage } from './network.actor';
import { replyOrThrow } from './refusal';

export interface AddressDeskOptions {
  readonly store: Store;
  readonly messenger: Pick<Messenger, 'request'>;
  /** Where actors that are active here are served. */
  readonly actorService: () => Pick<ServiceEndpoints, 'serve'>;
  readonly catalog: NetworkCatalog;
  readonly replica: string;
  readonly restMs: number;
  readonly activationTtlMs: number;
  readonly logger: Logger;
}

type AllocateReply = ReplyOf<typeof actorAllocateContract>;
type ReleaseReply = ReplyOf<typeof actorReleaseContract>;

/** Between two looks for an actor whose place is held by nobody who answers. */
const lookAgainMs = 100;
/** A replica that has just died may still look subscribed: then it is asked again, or another takes its place. */
const forwardTimeoutMs = 1_000;
const maxCachedNames = 4_096;

const renewTimeoutMs = 1_000;

export class AddressDesk {
  private readonly system: ActorSystem;
  private readonly active = new Map<string, Serving[]>();
  private readonly ids = new Map<string, string>();

  constructor(private readonly options: AddressDeskOptions) {
    const { logger } = options;
    this.system = ActorSystem.create({
      timers: {
        schedule(ms, run) {
          const timer = setTimeout(run, ms);
          timer.unref();
          return () => clearTimeout(timer);
        },
      },
      onFailure: ({ address, fault, outcome }) =>
        logger.error({ actor: address, fault: String(fault), outcome }, 'actor failed'),
    });
  }

  async allocate(
    { network, requests }: { network: string; requests: readonly AllocationRequest[] },
    context: RequestContext,
  ): Promise<AllocateReply> {
    const command: AddressCommand = { kind: 'allocate', requests, cause: causeOf(context) };
    return this.withNetwork(network, context, (networkId) =>
      this.route({
        networkId,
        command,
        context,
        forward: () => {
          const body = { network: networkId, requests: [...requests] };
          return this.ask(actorAllocateContract, networkId, body, context);
        },
      }),
    ) as Promise<AllocateReply>;
  }

  async release(
    { network, endpointIds }: { network: string; endpointIds: readonly string[] },
    context: RequestContext,
  ): Promise<ReleaseReply> {
    const command: AddressCommand = { kind: 'release', endpointIds, cause: causeOf(context) };
    return this.withNetwork(network, context, (networkId) =>
      this.route({
        networkId,
        command,
        context,
        forward: () => {
          const body = { network: networkId, endpointIds: [...endpointIds] };
          return this.ask(actorReleaseContract, networkId, body, context);
        },
      }),
    ) as Promise<ReleaseReply>;
  }

  /**
   * The network's record was changed beside its actor, wherever that is: it reads anew. It would find out by itself before it commits
   * anything; until then it would be seen to differ.
   */
  async renew(network: string): Promise<void> {
    const options = { instance: network, timeoutMs: renewTimeoutMs };
    // Without an actor there is nothing to renew.
    await this.options.messenger
      .request(actorReloadContract, { network }, options)
      .catch(() => undefined);
  }

  /** Gives all places up, so that other replicas can take them at once. */
  async stop(): Promise<void> {
    await this.system.stop();
  }

  /** A name that was kept may be another network's by now: then it is looked up once more. */
  private async withNetwork<Result>(
    reference: string,
    context: RequestContext,
    run: (networkId: string) => Promise<Result>,
  ): Promise<Result> {
    const kept = this.active.has(reference) ? reference : this.ids.get(reference);
    if (kept !== undefined) {
      try {
        return await run(kept);
      } catch (thrown) {
        if (codeOf(thrown) !== 'network_not_found') throw thrown;
        this.ids.delete(reference);
      }
    }
    const { record } = await this.options.catalog.find(reference, context);
    if (this.ids.size >= maxCachedNames) this.ids.clear();
    this.ids.set(reference, record.id);
    return run(record.id);
  }

  private async route(request: {
    readonly networkId: string;
    readonly command: AddressCommand;
    readonly context: RequestContext;
    readonly forward: () => Promise<AllocateReply | ReleaseReply>;
  }): Promise<AllocateReply | ReleaseReply> {
    const { networkId, command, context } = request;
    for (;;) {
      const local = this.system.find<NetworkMessage>(networkActorKind, networkId);
      if (local === undefined) {
        const reply = await request.forward().catch(tryElsewhere);
        if (reply !== null) return reply;
      }
      const answer = await this.askLocal(networkId, command, context);
      if (answer !== null && 'outcome' in answer) return wireReply(answer);
      if (answer !== null) {
        const reply = await request.forward().catch(tryElsewhere);
        if (reply !== null) return reply;
      }
      await this.waitToLookAgain(networkId, answer, context);
    }
  }

  /** Null: the actor ended before it could answer, or is somewhere between. */
  private async askLocal(
    networkId: string,
    command: AddressCommand,
    { deadline, requestId, alsoFor = [] }: RequestContext,
  ): Promise<NetworkAnswer | null> {
    const requestIds = [requestId, ...alsoFor];
    const timeoutMs = deadline.remainingMs();
    if (timeoutMs <= 0) throw tooLate(networkId);
    const deadlineMs = performance.now() + timeoutMs;
    try {
      return await this.actor(networkId).ask<NetworkAnswer>(
        (reply) => ({ type: 'submit', command, deadlineMs, requestIds, reply }),
        { timeoutMs },
      );
    } catch (thrown) {
      if (!(thrown instanceof AskFailure)) throw thrown;
      if (thrown.code === 'stopped') return null;
      if (thrown.code === 'timed_out') throw tooLate(networkId);
      if (thrown.code === 'failed') throw new SkeinError('internal', 'The actor failed');
      throw new SkeinError('overloaded', 'Too many requests wait for this network');
    }
  }

  private actor(networkId: string): ActorRef<NetworkMessage> {
    const known = this.system.find<NetworkMessage>(networkActorKind, networkId);
    if (known !== undefined) return known;
    const { store, replica, restMs, activationTtlMs } = this.options;
    const onActive = (isActive: boolean): void => this.announce(networkId, isActive);
    return this.system.spawn<NetworkMessage>(
      networkActorKind,
      networkId,
      () => new NetworkActor({ store, networkId, replica, restMs, activationTtlMs, onActive }),
    );
  }

  /** An actor is served under its own subject while it is active. */
  private announce(networkId: string, isActive: boolean): void {
    for (const serving of this.active.get(networkId) ?? []) void serving.stop();
    this.active.delete(networkId);
    if (!isActive) return;
    const options = { instance: networkId };
    const service = this.options.actorService();
    this.active.set(networkId, [
      service.serve(
        actorAllocateContract,
        ({ requests }, context) =>
          this.answerHere(
            networkId,
            { kind: 'allocate', requests, cause: causeOf(context) },
            context,
          ),
        options,
      ) as Serving,
      service.serve(
        actorReleaseContract,
        ({ endpointIds }, context) =>
          this.answerHere(
            networkId,
            { kind: 'release', endpointIds, cause: causeOf(context) },
            context,
          ),
        options,
      ) as Serving,
      service.serve(
        actorBeliefContract,
        ({ bucket }) => this.belief(networkId, bucket),
        options,
      ) as Serving,
      service.serve(actorReloadContract, () => this.reload(networkId), options) as Serving,
    ]);
  }

  private async belief(
    networkId: string,
    bucket: number | undefined,
  ): Promise<ReplyOf<typeof actorBeliefContract>> {
    const { replica } = this.options;
    const believed = await this.system
      .find<NetworkMessage>(networkActorKind, networkId)
      ?.ask<BeliefEntry[] | null>((reply) => ({ type: 'inspect', reply }), { timeoutMs: 2_000 });
    if (believed == null) return { replica, isSettled: false, digests: [] };
    const digests = beliefDigests(believed);
    if (bucket === undefined) return { replica, isSettled: true, digests };
    const entries = entriesOfBucket(believed, bucket).map(([at, revision]) => [at, revision]);
    return { replica, isSettled: true, digests, entries: entries as [string, number][] };
  }

  private async reload(networkId: string): Promise<{ replica: string }> {
    const actor = this.system.find<NetworkMessage>(networkActorKind, networkId);
    await actor?.ask<null>((reply) => ({ type: 'reload', reply }), { timeoutMs: 2_000 });
    return { replica: this.options.replica };
  }

  /** For another replica: it goes on looking if the actor is not here any more. */
  private async answerHere<Result>(
    networkId: string,
    command: AddressCommand,
    context: RequestContext,
  ): Promise<Result> {
    const answer = await this.askLocal(networkId, command, context);
    if (answer !== null && 'outcome' in answer) return wireReply(answer) as Result;
    throw new SkeinError('fenced', 'The actor has moved', { facts: { network: networkId } });
  }

  private ask(
    contract: typeof actorAllocateContract | typeof actorReleaseContract,
    instance: string,
    body: object,
    context: RequestContext,
  ): Promise<AllocateReply | ReleaseReply> {
    const options = { instance, context, timeoutMs: forwardTimeoutMs };
    return this.options.messenger.request(contract, body as never, options);
  }

  private async waitToLookAgain(
    networkId: string,
    answer: NetworkAnswer | null,
    { deadline }: RequestContext,
  ): Promise<void> {
    if (deadline.remainingMs() <= lookAgainMs) {
      const holder = answer !== null && 'holder' in answer ? answer.holder : undefined;
      throw tooLate(networkId, holder);
    }
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
  }
}

/** Null if the actor is not there: whoever asked looks elsewhere. Both requests may be sent twice. */
function tryElsewhere(thrown: unknown): null {
  const code = codeOf(thrown);
  if (code === 'unavailable' || code === 'fenced' || code === 'deadline_exceeded') return null;
  throw thrown;
}

function codeOf(thrown: unknown): ErrorCode {
  return SkeinError.from(thrown).code;
}

function tooLate(networkId: string, holder?: string): SkeinError {
  const facts = { network: networkId, ...(holder === undefined ? {} : { holder }) };
  return new SkeinError('deadline_exceeded', 'The network’s actor did not answer in time', {
    facts,
  });
}

function wireReply(
  answer: Extract<NetworkAnswer, { outcome: unknown }>,
): AllocateReply | ReleaseReply {
  const reply: AddressReply = replyOrThrow(answer.outcome);
  const { revision } = answer;
  switch (reply.kind) {
    case 'allocate':
      return { allocations: reply.allocations, revision };
    case 'release':
      return { released: reply.released, revision };
  }
}
