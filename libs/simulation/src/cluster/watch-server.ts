// The watches that one simulated replica serves: what is new for whom, from its store's history. It must
// not know how messages travel, nor what receivers make of them.
import type { ReplicaListener } from '@skein/replica';
import { spanOf, type RevisionEvents, type Span, type SpanRequest } from '@skein/store';
import type { ClusterReplica } from './replica';

export type WatchMessage =
  /** Everything after `after` and through `through` that the watch is about. */
  | {
      readonly kind: 'events';
      readonly after: number;
      readonly through: number;
      readonly revisions: readonly RevisionEvents[];
    }
  | { readonly kind: 'compacted'; readonly compactRevision: number };

interface Watch {
  readonly span: Span;
  readonly deliver: (message: WatchMessage) => void;
  next: number;
  toldAtMs: number;
}

const PROGRESS_MS = 100;
const MAX_REVISIONS = 7;

export class WatchServer {
  private watches = new Set<Watch>();

  constructor(private readonly replica: ClusterReplica) {}

  open(span: SpanRequest, from: number, deliver: (message: WatchMessage) => void): () => void {
    const watch = { span: spanOf(span), deliver, next: from, toldAtMs: -Infinity };
    this.watches.add(watch);
    this.deliverAll();
    return () => this.watches.delete(watch);
  }

  clear(): void {
    this.watches = new Set();
  }

  listener(): ReplicaListener {
    return {
      tookOffice: () => undefined,
      leftOffice: () => undefined,
      caughtUp: () => this.deliverAll(),
      tick: (nowMs) => this.progress(nowMs),
      roleChanged: () => undefined,
      said: () => undefined,
      storeReplaced: () => undefined,
    };
  }

  private deliverAll(): void {
    for (const watch of this.watches) this.deliver(watch, false);
  }

  private progress(nowMs: number): void {
    for (const watch of this.watches) {
      if (nowMs - watch.toldAtMs < PROGRESS_MS) continue;
      watch.toldAtMs = nowMs;
      this.deliver(watch, true);
    }
  }

  private deliver(watch: Watch, evenWithoutNews: boolean): void {
    const { store } = this.replica;
    if (store === null) return;
    for (;;) {
      const after = watch.next - 1;
      const outcome = store.eventsSince({
        from: watch.next,
        span: watch.span,
        previous: true,
        limit: MAX_REVISIONS,
      });
      if (!outcome.ok) {
        this.watches.delete(watch);
        const { compactRevision } = store.status;
        return watch.deliver({ kind: 'compacted', compactRevision });
      }
      const { through, revisions } = outcome.reply;
      const hasMoved = through > after;
      watch.next = Math.max(watch.next, through + 1);
      if (revisions.length > 0 || (evenWithoutNews && !hasMoved)) {
        watch.deliver({ kind: 'events', after, through: watch.next - 1, revisions });
      } else if (hasMoved) {
        // Nothing for this watch: told with the next message, which then says so.
        watch.deliver({ kind: 'events', after, through: watch.next - 1, revisions: [] });
      }
      if (!hasMoved) return;
    }
  }
}
