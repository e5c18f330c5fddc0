// The store in one process, for unit tests of what builds on it: the same state machine, committed at once, nothing between.
// Has no clock: a lease ends when the test says so.

import { SkeinError } from '@skein/contracts';
import {
  createStore,
  newestProtocol,
  spanOf,
  type Outcome,
  type ReplyByType,
  type Store as StoreCore,
  type StoreRequest,
} from '@skein/store';
import type { Store, Watch, WatchRequest } from './store';

export interface MemoryStore extends Store {
  /** Ends a lease as its running out would. */
  expireLease(lease: string): void;
  compact(revision: number): void;
  /** Every call throws `unavailable` while this is set. */
  isUnavailable: boolean;
  readonly revision: number;
}

/** `now` gives the time of each commit, in milliseconds since the epoch; default: counts commits. */
export function createMemoryStore(options: { now?: () => number } = {}): MemoryStore {
  return new InMemory(options.now);
}

/** A refusal of the state machine as the error that callers see. */
export function replyOrThrow<Reply>(outcome: Outcome<Reply>): Reply {
  if (outcome.ok) return outcome.reply;
  const { code, message, ...rest } = outcome.refusal;
  throw new SkeinError(code, message, rest);
}

class InMemory implements MemoryStore {
  isUnavailable = false;
  private readonly core: StoreCore = createStore({ protocolVersion: newestProtocol });
  private readonly watches = new Set<MemoryWatch>();

  constructor(private readonly now: () => number = () => this.core.status.appliedIndex) {}

  get revision(): number {
    return this.core.status.revision;
  }

  async get(key: string) {
    return (await this.range({ key })).kvs[0];
  }

  async range({ consistency: _, ...request }: Parameters<Store['range']>[0]) {
    this.demandAvailable();
    return replyOrThrow(this.core.range(request));
  }

  async put(request: Parameters<Store['put']>[0]) {
    return this.commit({ type: 'put', ...request });
  }

  async delete(request: Parameters<Store['delete']>[0]) {
    return this.commit({ type: 'delete', ...request });
  }

  async txn(request: Parameters<Store['txn']>[0]) {
    return this.commit({ type: 'txn', compare: [], success: [], failure: [], ...request });
  }

  async grantLease(request: Parameters<Store['grantLease']>[0]) {
    return this.commit({ type: 'grantLease', ...request });
  }

  async keepAlive(lease: string) {
    this.demandAvailable();
    const found = this.core.lease(lease);
    if (found === undefined) throw new SkeinError('lease_not_found', 'There is no such lease');
    return { lease, ttlMs: found.ttlMs };
  }

  async revokeLease(lease: string) {
    return this.commit({ type: 'revokeLease', lease });
  }

  async leases() {
    this.demandAvailable();
    const leases = this.core.leases().map((each) => ({ ...each, remainingMs: each.ttlMs }));
    return { leases };
  }

  watch(request: WatchRequest): Watch {
    const watch = new MemoryWatch(request, this.core, () => this.watches.delete(watch));
    this.watches.add(watch);
    watch.wake();
    return watch;
  }

  expireLease(lease: string): void {
    this.commit({ type: 'expireLease', lease });
  }

  compact(revision: number): void {
    this.commit({ type: 'compact', revision });
  }

  private commit<R extends StoreRequest>(request: R): ReplyByType[R['type']] {
    this.demandAvailable();
    const { appliedIndex } = this.core.status;
    const [outcome] = this.core.apply(appliedIndex + 1, { at: this.now(), requests: [request] });
    for (const watch of this.watches) watch.wake();
    return replyOrThrow(outcome as Outcome<ReplyByType[R['type']]>);
  }

  private demandAvailable(): void {
    if (this.isUnavailable) throw new SkeinError('unavailable', 'The store does not answer');
  }
}

/** Delivers in a microtask after each commit, as a network would: never inside the writer's own call. */
class MemoryWatch implements Watch {
  readonly opened: Promise<number>;
  private isAwake = false;
  private isClosed = false;
  private next: number;

  constructor(
    private readonly request: WatchRequest,
    private readonly core: StoreCore,
    private readonly onClose: () => void,
  ) {
    this.next = request.fromRevision || core.status.revision + 1;
    this.opened = Promise.resolve(core.status.revision);
  }

  wake(): void {
    if (this.isAwake) return;
    this.isAwake = true;
    queueMicrotask(() => this.deliver());
  }

  close(): void {
    this.isClosed = true;
    this.onClose();
  }

  private deliver(): void {
    this.isAwake = false;
    if (this.isClosed) return;
    const { key, prefix, previous, onEvents, onProgress, onCompacted } = this.request;
    const span = spanOf(key === undefined ? { key: prefix ?? '', prefix: true } : { key });
    const outcome = this.core.eventsSince({ from: this.next, span, previous: previous ?? false });
    if (!outcome.ok) {
      this.close();
      onCompacted?.(this.core.status.compactRevision);
      return;
    }
    const { through, revisions } = outcome.reply;
    if (through < this.next) return;
    this.next = through + 1;
    if (revisions.length > 0) onEvents(revisions);
    onProgress?.(through);
  }
}
