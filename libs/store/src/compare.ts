// Compares of a transaction, as etcd defines them: every key of the span must satisfy, and a span without a key stands for
// one absent key, whose revisions and version are 0, whose lease is '' and whose value compares as nothing at all.

import { type KeyIndex } from './key-index';
import { spanOf } from './span';
import { type Compare, type KeyValue } from './types';

export function compareHolds(compare: Compare, index: KeyIndex): boolean {
  let isEmpty = true;
  let holds = true;
  index.scan(spanOf(compare), undefined, (kv) => {
    isEmpty = false;
    holds = relates(compared(kv, compare.target), compare);
    return !holds;
  });
  if (!isEmpty) return holds;
  return compare.target !== 'value' && relates(absent[compare.target], compare);
}

const absent = { version: 0, createRevision: 0, modRevision: 0, lease: '' } as const;

function compared(kv: KeyValue, target: Compare['target']): string | number {
  return target === 'lease' ? (kv.lease ?? '') : kv[target];
}

function relates(actual: string | number, { operator, value }: Compare): boolean {
  switch (operator) {
    case '=':
      return actual === value;
    case '!=':
      return actual !== value;
    case '<':
      return actual < value;
    case '>':
      return actual > value;
  }
}
