// A watch from the receiving side: opens it with the leader, renews it, checks that each message continues the one before, and
// opens it anew from the last revision seen whenever one is missing or the leader has changed. Revisions come in order, once.

import {
  SkeinError,
  type watchContract,
  watchMessageSchema,
  type RequestOf,
  type ReplyOf,
  type WatchMessage,
} from '@skein/contracts';
import type { Messenger, Subscription } from '@skein/messaging';
import type { Time } from '@skein/time';
import type { LeaderSignal } from './retry';
import type { Watch, WatchRequest } from './store';

/** Without a word from the leader for this long (two missed progress messages and some) the watch is opened anew. */
const silenceMs = 1_300;
const reopenMs = { from: 10, to: 200 } as const;

export interface WatchPorts {
  readonly messenger: Pick<Messenger, 'subscribeBytes'>;
  readonly time: Time;
  readonly signal: LeaderSignal;
  /** Id and subject of this watch, unique for all time. */
  readonly id: string;
  readonly deliver: string;
  readonly open: (
    request: RequestOf<typeof watchContract>,
  ) => Promise<ReplyOf<typeof watchContract>>;
  readonly close: (id: string) => void;
  readonly onClosed: () => void;
}

export class ClientWatch implements Watch {
  readonly opened: Promise<number>;
  private resolveOpened: (revision: number) => void = () => undefined;
  private readonly subscription: Subscription;
  /** All up to here has been delivered; absent until a watch for "from now on" knows where now is. */
  private seen: number | undefined;
  private generation = 0;
  private isOpening = false;
  private isClosed = false;
  private failures = 0;
  private cancelTimer: () => void = () => undefined;
  private renewAt = 0;
  private withdrawSignal: () => void = () => undefined;

  constructor(
    private readonly request: WatchRequest,
    private readonly ports: WatchPorts,
  ) {
    if ((request.key === undefined) === (request.prefix === undefined)) {
      throw new Error('a watch takes a key or a prefix');
    }
    this.opened = new Promise((resolve) => (this.resolveOpened = resolve));
    const { fromRevision } = request;
    this.seen = fromRevision === undefined || fromRevision === 0 ? undefined : fromRevision - 1;
    this.subscription = ports.messenger.subscribeBytes(ports.deliver, (data) => this.receive(data));
    this.awaitLeader();
    this.reopen();
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.cancelTimer();
    this.withdrawSignal();
    this.subscription.unsubscribe();
    this.ports.close(this.watchId);
    this.ports.onClosed();
  }

  /** Each opening has an id of its own, so that what an earlier one still sends can't be mistaken. */
  private get watchId(): string {
    return `${this.ports.id}-${this.generation}`;
  }

  private awaitLeader(): void {
    this.withdrawSignal = this.ports.signal.next(() => {
      this.awaitLeader();
      this.reopen();
    });
  }

  private reopen(): void {
    if (this.generation > 0) this.ports.close(this.watchId);
    this.generation += 1;
    void this.ask();
  }

  /** Opens or renews. One at a time; a new generation asks again when the one under way is done. */
  private async ask(): Promise<void> {
    if (this.isOpening || this.isClosed) return;
    this.isOpening = true;
    const { generation } = this;
    try {
      const reply = await this.ports.open(this.openingRequest());
      this.failures = 0;
      if (generation === this.generation) this.accepted(reply);
    } catch (thrown) {
      this.refused(SkeinError.from(thrown));
    } finally {
      this.isOpening = false;
    }
    if (generation !== this.generation) void this.ask();
  }

  private openingRequest(): RequestOf<typeof watchContract> {
    const { key, prefix, previous, filters } = this.request;
    return {
      watch: this.watchId,
      deliver: this.ports.deliver,
      key: key ?? prefix ?? '',
      ...(prefix === undefined ? {} : { prefix: true }),
      ...(this.seen === undefined ? {} : { fromRevision: this.seen + 1 }),
      ...(previous === undefined ? {} : { previous }),
      ...(filters === undefined ? {} : { filters }),
    };
  }

  private accepted({ revision, renewWithinMs }: ReplyOf<typeof watchContract>): void {
    this.seen ??= revision;
    this.renewAt = this.ports.time.monotonicMs() + renewWithinMs;
    this.resolveOpened(revision);
    this.expectMessage();
  }

  private refused(error: SkeinError): void {
    if (this.isClosed) return;
    if (error.code === 'revision_compacted') {
      const { compactRevision } = error.facts;
      this.compacted(typeof compactRevision === 'number' ? compactRevision : 0);
      return;
    }
    this.failures += 1;
    const waitMs = Math.min(reopenMs.to, reopenMs.from * 2 ** Math.min(this.failures, 10));
    this.schedule(waitMs, () => void this.ask());
  }

  private compacted(compactRevision: number): void {
    this.close();
    this.request.onCompacted?.(compactRevision);
  }

  private receive(data: Uint8Array): void {
    if (this.isClosed) return;
    const parsed = watchMessageSchema.safeParse(JSON.parse(decoder.decode(data)));
    if (!parsed.success || parsed.data.watch !== this.watchId) return;
    this.heard(parsed.data);
  }

  private heard(message: WatchMessage): void {
    if (message.kind === 'canceled') {
      if (message.code === 'revision_compacted') this.compacted(message.compactRevision ?? 0);
      else this.reopen();
      return;
    }
    // A watch for "from now on" may hear before it is answered: what it hears says where now is.
    this.seen ??= message.after;
    if (message.after > this.seen) {
      this.reopen();
      return;
    }
    this.take(message, this.seen);
    if (!this.isClosed) this.expectMessage();
  }

  private take(message: Exclude<WatchMessage, { kind: 'canceled' }>, seen: number): void {
    if (message.through < seen) return;
    this.seen = message.through;
    if (message.kind === 'events') {
      const revisions = message.revisions.filter(({ revision }) => revision > seen);
      if (revisions.length > 0) this.request.onEvents(revisions);
    }
    if (!this.isClosed) this.request.onProgress?.(message.through);
  }

  private expectMessage(): void {
    const untilRenewal = this.renewAt - this.ports.time.monotonicMs();
    if (untilRenewal <= 0) void this.ask();
    this.schedule(silenceMs, () => this.reopen());
  }

  private schedule(ms: number, act: () => void): void {
    this.cancelTimer();
    if (!this.isClosed) this.cancelTimer = this.ports.time.after(ms, act);
  }
}

const decoder = new TextDecoder();
