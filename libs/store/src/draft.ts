// One revision in the making: writes go into the state at the next revision at once, and are gathered as that revision's.
// Whoever uses it has checked everything first; there is no way back from a write.

import { type Written } from './history';
import { visible, type Versions } from './key-index';
import { spanOf } from './span';
import { type StoreState } from './state';
import { type KeyValue, type PutOperation, type SpanRequest } from './types';

export class Draft {
  private readonly revision: number;
  private written: Written | undefined;

  constructor(private readonly state: StoreState) {
    this.revision = state.revision + 1;
  }

  put(operation: PutOperation): KeyValue | undefined {
    const versions = this.state.index.find(operation.key);
    const previous = visible(versions, undefined);
    const value = operation.ignoreValue === true ? (previous?.value ?? '') : operation.value;
    const lease = operation.ignoreLease === true ? previous?.lease : operation.lease;
    // One text of the key for all its versions.
    const key = previous?.key ?? operation.key;
    const createRevision = previous?.createRevision ?? this.revision;
    const version = (previous?.version ?? 0) + 1;
    const { revision: modRevision } = this;
    this.write(
      lease === undefined
        ? { key, value, createRevision, modRevision, version }
        : { key, value, createRevision, modRevision, version, lease },
      versions,
    );
    return previous;
  }

  delete(request: SpanRequest): KeyValue[] {
    const found = this.state.index.collect(spanOf(request));
    for (const { key } of found) this.bury(key);
    return found;
  }

  /** Deletes one key, which must be there. */
  bury(key: string): void {
    this.write(
      { key, value: '', createRevision: 0, modRevision: this.revision, version: 0 },
      this.state.index.find(key),
    );
  }

  /** The revision that it became; the present one if nothing was written, which takes none. */
  commit(): number {
    const { state, written } = this;
    if (written === undefined) return state.revision;
    if (!Array.isArray(written)) fold(state, written);
    else for (const kv of written) fold(state, kv);
    return state.commit(written);
  }

  /** As `commit`, of what was committed and hashed before. */
  replay(): void {
    if (this.written !== undefined) this.state.commit(this.written);
  }

  private write(kv: KeyValue, versions: Versions | undefined): void {
    this.state.write(kv, versions);
    if (this.written === undefined) this.written = kv;
    else if (Array.isArray(this.written)) this.written.push(kv);
    else this.written = [this.written, kv];
  }
}

function fold({ hash }: StoreState, kv: KeyValue): void {
  hash.text(kv.key);
  hash.number(kv.modRevision);
  hash.number(kv.createRevision);
  hash.number(kv.version);
  hash.text(kv.value);
  hash.text(kv.lease ?? '');
}
