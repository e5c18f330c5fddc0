// Reading a span of keys: filters, order, limit and the room of an answer. Counts without looking at values. Whether the
// revision may be read is checked by whoever asks.

import { type KeyIndex, type Visit } from './key-index';
import { type Room } from './reply-size';
import { spanOf, type Span } from './span';
import { type KeyValue, type RangeReply, type RangeRequest, type Sort } from './types';

export type Slice = Omit<RangeReply, 'revision'>;

export function readRange(request: RangeRequest, index: KeyIndex, room: Room): Slice {
  const span = spanOf(request);
  const revision = request.revision || undefined;
  const count = index.count(span, revision);
  if (request.countOnly === true || count === 0) return { kvs: [], count, more: false };
  const slice = new Taking(request, room);
  const order = orderOf(request);
  if (order.by === 'key') walk(index, span, revision, order.order, (kv) => slice.take(kv));
  else for (const kv of sorted(request, index, span, order)) if (slice.take(kv)) break;
  return { kvs: slice.kvs, count, more: slice.more };
}

/** Gathers what fits; says true once nothing more does. */
class Taking {
  readonly kvs: KeyValue[] = [];
  more = false;
  private readonly limit: number;
  private readonly keysOnly: boolean;

  constructor(
    private readonly request: RangeRequest,
    private readonly room: Room,
  ) {
    this.limit = request.limit || Infinity;
    this.keysOnly = request.keysOnly === true;
  }

  take(kv: KeyValue): boolean {
    if (!passes(kv, this.request)) return false;
    this.more = this.kvs.length >= this.limit || !this.room.take(kv, this.keysOnly);
    if (this.more) return true;
    this.kvs.push(this.keysOnly ? { ...kv, value: '' } : kv);
    return false;
  }
}

function passes(kv: KeyValue, request: RangeRequest): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  return (
    isWithin(kv.modRevision, minModRevision, maxModRevision) &&
    isWithin(kv.createRevision, minCreateRevision, maxCreateRevision)
  );
}

function isWithin(revision: number, min: number | undefined, max: number | undefined): boolean {
  return revision >= (min || 0) && revision <= (max || Infinity);
}

function orderOf({ sort, descending }: RangeRequest): Sort {
  return sort ?? { by: 'key', order: descending === true ? 'descending' : 'ascending' };
}

function walk(
  index: KeyIndex,
  span: Span,
  revision: number | undefined,
  order: Sort['order'],
  visit: Visit,
): void {
  if (order === 'ascending') index.scan(span, revision, visit);
  else if (revision === undefined) index.scanBack(span, visit);
  else index.collect(span, revision).reverse().some(visit);
}

function sorted(request: RangeRequest, index: KeyIndex, span: Span, sort: Sort): KeyValue[] {
  const { by, order } = sort as { by: Exclude<Sort['by'], 'key'>; order: Sort['order'] };
  const found = index.collect(span, request.revision || undefined);
  const sign = order === 'ascending' ? 1 : -1;
  // A stable sort: equals stay in the order of their keys.
  return found
    .filter((kv) => passes(kv, request))
    .sort((left, right) => (left[by] < right[by] ? -sign : left[by] > right[by] ? sign : 0));
}
