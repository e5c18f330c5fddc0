// The store behind the gateway's tests: the real state machine, committed at once by one process that serves the leader's
// subjects. What a leader does besides (deadlines, quorum reads) is left out.

import {
  alarmsContract,
  clearAlarmContract,
  closeWatchContract,
  compactContract,
  grantLeaseContract,
  historyContract,
  keepAliveContract,
  leasesContract,
  leaseTimeToLiveContract,
  rangeContract,
  revokeLeaseContract,
  setSettingsContract,
  settingsContract,
  SkeinError,
  transactionContract,
  watchContract,
} from '@skein/contracts';
import type { Messenger, ServiceEndpoints } from '@skein/messaging';
import {
  spanOf,
  Store,
  type Outcome,
  type ReplyByType,
  type SpanRequest,
  type StoreRequest,
} from '@skein/store';

interface OpenWatch {
  readonly deliver: string;
  readonly span: SpanRequest;
  readonly previous: boolean;
  readonly filters: readonly ('noput' | 'nodelete')[];
  next: number;
  told: number;
}

const encoder = new TextEncoder();

export class StandInStore {
  readonly core = Store.create({ protocolVersion: 2 });
  /** Watches that were opened, ever. */
  opened = 0;
  private readonly watches = new Map<string, OpenWatch>();
  private readonly progress: NodeJS.Timeout;

  constructor(private readonly messenger: Messenger) {
    const service = messenger.service({ name: 'store', version: '0.0.1', description: 'stand-in' });
    this.serveKeys(service);
    this.serveUpkeep(service);
    this.serveLeases(service);
    this.serveWatches(service);
    this.progress = setInterval(() => this.feed(true), 300);
  }

  stop(): void {
    clearInterval(this.progress);
  }

  /** As if a leader had been replaced: the watches that it knew are gone. */
  forgetWatches(): void {
    for (const [watch, { deliver }] of this.watches) {
      this.publish(deliver, { kind: 'canceled', watch, code: 'not_leader' });
    }
    this.watches.clear();
  }

  commit<R extends StoreRequest>(request: R): ReplyByType[R['type']] {
    const command = { at: Date.now(), requests: [request] };
    const [outcome] = this.core.apply(this.core.appliedIndex + 1, command);
    setImmediate(() => this.feed(false));
    return replyOf(outcome as Outcome<ReplyByType[R['type']]>);
  }

  private serveKeys(service: ServiceEndpoints): void {
    service.serve(rangeContract, ({ consistency: _, maxStalenessMs: __, ...request }) =>
      replyOf(this.core.range(request)),
    );
    service.serve(transactionContract, (request) => this.commit({ type: 'txn', ...request }));
    service.serve(historyContract, ({ fromRevision, limit = 100, previous = false, ...span }) => {
      const { revision, compactRevision } = this.core.status;
      const from = fromRevision ?? compactRevision + 1;
      const slice = replyOf(this.core.eventsSince({ from, span: spanOf(span), previous, limit }));
      const isAll = slice.through >= revision;
      const { revisions } = slice;
      return {
        revision,
        compactRevision,
        revisions,
        ...(isAll ? {} : { nextRevision: slice.through + 1 }),
      };
    });
  }

  private serveUpkeep(service: ServiceEndpoints): void {
    service.serve(compactContract, (request) => this.commit({ type: 'compact', ...request }));
    service.serve(alarmsContract, () => {
      const { revision, alarms, bytes, quotaBytes } = this.core.status;
      return { revision, alarms: [...alarms], bytes, quotaBytes };
    });
    service.serve(clearAlarmContract, (request) => this.commit({ type: 'clearAlarm', ...request }));
    service.serve(settingsContract, () => {
      const { settings, revision } = this.core.status;
      return { ...settings, revision };
    });
    service.serve(setSettingsContract, (request) =>
      this.commit({ type: 'setSettings', ...request }),
    );
  }

  private serveLeases(service: ServiceEndpoints): void {
    service.serve(grantLeaseContract, (request) => this.commit({ type: 'grantLease', ...request }));
    service.serve(revokeLeaseContract, (request) =>
      this.commit({ type: 'revokeLease', ...request }),
    );
    service.serve(keepAliveContract, ({ lease }) => ({ lease, ttlMs: this.lease(lease).ttlMs }));
    service.serve(leasesContract, () => ({
      leases: this.core.leases().map(({ lease, ttlMs, grant, keys }) => ({
        lease,
        ttlMs,
        grant,
        remainingMs: ttlMs,
        keys,
      })),
    }));
    service.serve(leaseTimeToLiveContract, ({ lease, keys }) => {
      const found = this.lease(lease);
      const { ttlMs, grant, attached } = found;
      const shown = { lease, ttlMs, grant, remainingMs: ttlMs, keys: found.keys };
      return keys === true ? { ...shown, attached } : shown;
    });
  }

  private serveWatches(service: ServiceEndpoints): void {
    service.serve(watchContract, ({ watch, deliver, fromRevision, previous, filters, ...span }) => {
      const { revision, compactRevision } = this.core.status;
      const next = fromRevision || revision + 1;
      if (next <= compactRevision) {
        throw new SkeinError('revision_compacted', 'compacted', { facts: { compactRevision } });
      }
      this.opened += 1;
      this.watches.set(watch, {
        deliver,
        span,
        previous: previous ?? false,
        filters: filters ?? [],
        next,
        told: next - 1,
      });
      setImmediate(() => this.feed(false));
      return { revision, renewWithinMs: 3_000 };
    });
    service.serve(closeWatchContract, ({ watch }) => {
      this.watches.delete(watch);
      return {};
    });
  }

  private lease(lease: string) {
    const found = this.core.leaseTimeToLive(lease);
    if (found !== undefined) return found;
    throw new SkeinError('lease_not_found', 'There is no such lease', { facts: { lease } });
  }

  private feed(isProgressDue: boolean): void {
    for (const [watch, open] of this.watches) {
      const { deliver, span, previous, filters, next, told } = open;
      const query = { from: next, span: spanOf(span), previous, filters };
      const outcome = this.core.eventsSince(query);
      if (!outcome.ok) {
        const { compactRevision } = this.core.status;
        this.publish(deliver, {
          kind: 'canceled',
          watch,
          code: 'revision_compacted',
          compactRevision,
        });
        this.watches.delete(watch);
        continue;
      }
      const { through, revisions } = outcome.reply;
      open.next = Math.max(next, through + 1);
      if (revisions.length === 0 && !isProgressDue) continue;
      open.told = open.next - 1;
      const head = { watch, after: told, through: open.told };
      if (revisions.length === 0) this.publish(deliver, { kind: 'progress', ...head });
      else this.publish(deliver, { kind: 'events', ...head, revisions });
    }
  }

  private publish(deliver: string, message: object): void {
    this.messenger.publishBytes(deliver, encoder.encode(JSON.stringify(message)));
  }
}

function replyOf<Reply>(outcome: Outcome<Reply>): Reply {
  if (outcome.ok) return outcome.reply;
  const { code, message, ...rest } = outcome.refusal;
  throw new SkeinError(code, message, rest);
}
