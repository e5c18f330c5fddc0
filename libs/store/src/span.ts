// Spans of keys: one key, a half-open range or a prefix, as one shape. Keys order by UTF-16 code units, which is what
// JavaScript's `<` compares; every replica does the same, so the order is the cluster's.

import { type SpanRequest } from './types';

/** `end` is exclusive; `undefined` means that nothing bounds the span above. */
export type Span =
  | { readonly single: true; readonly key: string }
  | { readonly single: false; readonly from: string; readonly end: string | undefined };

export function spanOf(request: SpanRequest): Span {
  if (request.prefix === true) {
    return { single: false, from: request.key, end: prefixEnd(request.key) };
  }
  if (request.rangeEnd !== undefined) {
    return { single: false, from: request.key, end: request.rangeEnd };
  }
  return { single: true, key: request.key };
}

/** The first key after all that start with `prefix`; `undefined` if there is none. */
export function prefixEnd(prefix: string): string | undefined {
  for (let at = prefix.length - 1; at >= 0; at -= 1) {
    const unit = prefix.charCodeAt(at);
    if (unit < 0xffff) return prefix.slice(0, at) + String.fromCharCode(unit + 1);
  }
  return undefined;
}

export function spanHolds(span: Span, key: string): boolean {
  if (span.single) return key === span.key;
  return key >= span.from && (span.end === undefined || key < span.end);
}
