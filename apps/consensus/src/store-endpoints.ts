// The conversations of the leader in office, each with its handler: translates between contracts and the core. Knows neither when
// they are served nor to whom.

import {
  alarmsContract,
  batchContract,
  batchedContracts,
  changeMembersContract,
  clearAlarmContract,
  closeWatchContract,
  clusterStatusContract,
  compactContract,
  deleteContract,
  grantLeaseContract,
  historyContract,
  keepAliveContract,
  leasesContract,
  leaseTimeToLiveContract,
  maxHistoryRevisions,
  putContract,
  rangeContract,
  revokeLeaseContract,
  setSettingsContract,
  settingsContract,
  transactionContract,
  transferLeadershipContract,
  watchContract,
  watchProgressContract,
  type Contract,
  type ParsedRequestOf,
  type ReplyOf,
} from '@skein/contracts';
import type { Handler } from '@skein/messaging';
import type { ReplicaCore } from '@skein/replica';
import { maxReplyBytes, spanOf, type ReplyByType, type StoreRequest } from '@skein/store';
import { answerOf, readAt, replyOf } from './answers';
import { Batches } from './batches';
import type { ConsensusConfiguration } from './consensus.config';
import type { Replica } from './replica.actor';
import { configurationOf, statusOf } from './replica-status';
import { renewWithinMs, type Watches } from './watches';

export interface Endpoint {
  readonly contract: Contract;
  readonly handler: Handler<Contract>;
}

export interface EndpointPorts {
  readonly replica: Replica;
  readonly config: ConsensusConfiguration;
  readonly watches: Watches;
  /** Something may be there for a watch. */
  readonly deliverSoon: () => void;
}

export function storeEndpoints(ports: EndpointPorts): Endpoint[] {
  const endpoints: Endpoint[] = [];
  const batches = new Batches();
  const batched = new Set<Contract>(Object.values(batchedContracts));
  const serve: Serve = (contract, handler) => {
    if (batched.has(contract)) batches.answeredBy(contract, handler);
    endpoints.push({ contract, handler: handler as unknown as Handler<Contract> });
  };
  keyEndpoints(serve, ports);
  leaseEndpoints(serve, ports);
  watchEndpoints(serve, ports);
  upkeepEndpoints(serve, ports);
  clusterEndpoints(serve, ports);
  serve(batchContract, (batch, context) => batches.answer(batch, context));
  return endpoints;
}

type Serve = <C extends Contract>(contract: C, handler: Handler<C>) => void;

function keyEndpoints(serve: Serve, { replica: { core } }: EndpointPorts): void {
  serve(rangeContract, (request) => readAt(core, request));
  serve(putContract, (request) => write(core, { type: 'put', ...request }));
  serve(deleteContract, (request) => write(core, { type: 'delete', ...request }));
  serve(transactionContract, (request) => write(core, { type: 'txn', ...request }));
  serve(historyContract, async (request) => {
    await answerOf((answer) => core.read('linearizable', {}, answer));
    return historyOf(core, request);
  });
}

function leaseEndpoints(serve: Serve, { replica: { core } }: EndpointPorts): void {
  serve(grantLeaseContract, (request) => write(core, { type: 'grantLease', ...request }));
  serve(revokeLeaseContract, (request) => write(core, { type: 'revokeLease', ...request }));
  serve(keepAliveContract, ({ lease }) => answerOf((answer) => core.keepAlive(lease, answer)));
  serve(leasesContract, async () => {
    const leases = await answerOf<ReplyOf<typeof leasesContract>['leases']>((answer) =>
      core.leases((listed) =>
        answer(listed.ok ? { ok: true, reply: listed.reply.map((each) => ({ ...each })) } : listed),
      ),
    );
    return { leases };
  });
  serve(leaseTimeToLiveContract, ({ lease, keys }) =>
    answerOf((answer) =>
      core.leaseTimeToLive(lease, (found) => {
        if (!found.ok) return answer(found);
        const { attached, ...rest } = found.reply;
        answer({ ok: true, reply: keys === true ? { ...rest, attached } : rest });
      }),
    ),
  );
}

function watchEndpoints(serve: Serve, { replica, watches, deliverSoon }: EndpointPorts): void {
  const { core } = replica;
  serve(watchContract, async (request) => {
    await answerOf((answer) => core.confirmOffice(answer));
    watches.open(request, performance.now());
    // What is there already goes out after the answer, so that the client knows the watch by then.
    deliverSoon();
    return { revision: replica.store.revision, renewWithinMs };
  });
  serve(closeWatchContract, ({ watch }) => {
    watches.close(watch);
    return {};
  });
  serve(watchProgressContract, async ({ watch }) => {
    await answerOf((answer) => core.confirmOffice(answer));
    watches.askProgress(watch);
    deliverSoon();
    return { revision: replica.store.revision };
  });
}

function upkeepEndpoints(serve: Serve, { replica: { core } }: EndpointPorts): void {
  serve(compactContract, ({ revision }) => write(core, { type: 'compact', revision }));
  serve(alarmsContract, async () => {
    await answerOf((answer) => core.read('linearizable', {}, answer));
    const { revision, alarms, bytes, quotaBytes } = core.store.status;
    return { revision, alarms: alarms.map((alarm) => ({ ...alarm })), bytes, quotaBytes };
  });
  serve(clearAlarmContract, ({ alarm, replica }) =>
    write(core, { type: 'clearAlarm', alarm, ...(replica === undefined ? {} : { replica }) }),
  );
  serve(settingsContract, async () => {
    await answerOf((answer) => core.read('linearizable', {}, answer));
    const { revision, settings } = core.store.status;
    return { ...settings, revision };
  });
  serve(setSettingsContract, (request) => write(core, { type: 'setSettings', ...request }));
}

function clusterEndpoints(serve: Serve, { replica, config }: EndpointPorts): void {
  const { core } = replica;
  serve(clusterStatusContract, () => statusOf(replica, config));
  serve(transferLeadershipContract, ({ to }) =>
    answerOf((answer) => core.transfer(to ?? null, answer)),
  );
  serve(changeMembersContract, async (request) => {
    const reply = await answerOf<Parameters<typeof configurationOf>[0]>((answer) =>
      core.changeMembers(withoutUndefined(request), answer),
    );
    const configuration = configurationOf(reply);
    return { configuration, index: configuration.index };
  });
}

function write<R extends StoreRequest>(
  core: ReplicaCore,
  request: R,
): Promise<ReplyByType[R['type']]> {
  return answerOf((answer) => core.submit(request, answer as Parameters<typeof core.submit>[1]));
}

function historyOf(
  core: ReplicaCore,
  {
    fromRevision,
    limit = maxHistoryRevisions,
    previous,
    ...span
  }: ParsedRequestOf<typeof historyContract>,
): ReplyOf<typeof historyContract> {
  const { revision, compactRevision } = core.store.status;
  const revisions: ReplyOf<typeof historyContract>['revisions'] = [];
  let from = fromRevision || compactRevision + 1;
  let characters = 0;
  while (from <= revision && revisions.length < limit) {
    const slice = replyOf(
      core.store.eventsSince({
        from,
        span: spanOf(span),
        limit: historyStride,
        ...(previous === undefined ? {} : { previous }),
      }),
    );
    for (const entry of slice.revisions) {
      characters += JSON.stringify(entry).length;
      const isFull = revisions.length >= limit || characters > maxReplyBytes / 3;
      if (isFull && revisions.length > 0) {
        return { revision, compactRevision, revisions, nextRevision: entry.revision };
      }
      revisions.push(entry);
    }
    from = slice.through + 1;
  }
  return {
    revision,
    compactRevision,
    revisions,
    ...(from <= revision ? { nextRevision: from } : {}),
  };
}

/** Revisions that are looked at in one go. */
const historyStride = 1_000;

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(request: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(request).filter(([, value]) => value !== undefined),
  ) as Defined<T>;
}
