// One revision in the making: writes go into the index at the next revision at once, and are gathered as that revision's
// events. Whoever uses it has checked everything first; there is no way back from a write.

import { type KeyIndex } from './key-index';
import { type Leases } from './leases';
import { spanOf } from './span';
import { type KeyValue, type PutOperation, type SpanRequest, type StoreEvent } from './types';

export class Draft {
  readonly events: StoreEvent[] = [];

  constructor(
    readonly revision: number,
    private readonly index: KeyIndex,
    private readonly leases: Leases,
  ) {}

  put({ key, value, lease }: PutOperation): KeyValue | undefined {
    const previous = this.index.get(key);
    const kv: KeyValue = {
      key,
      value,
      createRevision: previous?.createRevision ?? this.revision,
      modRevision: this.revision,
      version: (previous?.version ?? 0) + 1,
      ...(lease === undefined ? {} : { lease }),
    };
    this.index.add(kv);
    if (previous?.lease !== undefined) this.leases.detach(previous.lease, key);
    if (lease !== undefined) this.leases.attach(lease, key);
    this.events.push({ type: 'put', kv, ...(previous === undefined ? {} : { previous }) });
    return previous;
  }

  delete(request: SpanRequest): KeyValue[] {
    const found = this.index.collect(spanOf(request));
    for (const previous of found) this.bury(previous);
    return found;
  }

  private bury(previous: KeyValue): void {
    const { key, lease } = previous;
    const kv = { key, value: '', createRevision: 0, modRevision: this.revision, version: 0 };
    this.index.add(kv);
    if (lease !== undefined) this.leases.detach(lease, key);
    this.events.push({ type: 'delete', kv, previous });
  }
}
