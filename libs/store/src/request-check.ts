// What makes a request well-formed whatever the state: keys, spans, the kinds of compared values, and no key written twice in
// one transaction. Refusals name the field. Depends on nothing but the request, so edge and log agree on it.

import { spanHolds, spanOf } from './span';
import {
  refuse,
  type Compare,
  type Operation,
  type Refusal,
  type SpanRequest,
  type StoreRequest,
  type TransactionRequest,
} from './types';

type Fault = { ok: false; refusal: Refusal } | undefined;

/** The first fault of a request, or `undefined`. */
export function requestFault(request: StoreRequest): Fault {
  switch (request.type) {
    case 'put':
    case 'delete':
      return operationFault(request, '');
    case 'txn':
      return transactionFault(request);
    case 'grantLease':
      return request.ttlMs > 0 && request.lease !== ''
        ? undefined
        : refuse('invalid_request', 'A lease lives for more than no time and has a name', {
            field: 'ttlMs',
          });
    case 'revokeLease':
    case 'expireLease':
    case 'compact':
      return undefined;
  }
}

function transactionFault(request: TransactionRequest): Fault {
  for (const [at, compare] of request.compare.entries()) {
    const fault = compareFault(compare, `compare.${at}.`);
    if (fault !== undefined) return fault;
  }
  return branchFault(request.success, 'success') ?? branchFault(request.failure, 'failure');
}

function compareFault(compare: Compare, path: string): Fault {
  const wantsText = compare.target === 'value' || compare.target === 'lease';
  if (wantsText !== (typeof compare.value === 'string')) {
    const expected = wantsText ? 'text' : 'a number';
    return refuse('invalid_request', `A compare of ${compare.target} takes ${expected}`, {
      field: `${path}value`,
    });
  }
  return spanFault(compare, path);
}

function branchFault(operations: readonly Operation[], branch: string): Fault {
  for (const [at, operation] of operations.entries()) {
    const fault = operationFault(operation, `${branch}.${at}.`);
    if (fault !== undefined) return fault;
  }
  return duplicateFault(operations, branch);
}

/** One revision holds one event a key (etcd: "duplicate key given in txn request"). */
function duplicateFault(operations: readonly Operation[], branch: string): Fault {
  const written = new Set<string>();
  for (const [at, operation] of operations.entries()) {
    if (operation.type !== 'put') continue;
    if (written.has(operation.key)) return duplicate(operation.key, `${branch}.${at}.key`);
    written.add(operation.key);
  }
  for (const [at, operation] of operations.entries()) {
    if (operation.type !== 'delete') continue;
    const span = spanOf(operation);
    for (const key of span.single ? [span.key] : written) {
      if (written.has(key) && spanHolds(span, key)) return duplicate(key, `${branch}.${at}.key`);
    }
  }
  return undefined;
}

function duplicate(key: string, field: string): Fault {
  return refuse('invalid_request', 'A transaction writes a key at most once', {
    field,
    facts: { key },
  });
}

function operationFault(operation: Operation, path: string): Fault {
  if (operation.type !== 'put') return spanFault(operation, path);
  return operation.key === '' ? emptyKey(path) : undefined;
}

export function spanFault(request: SpanRequest, path = ''): Fault {
  if (request.prefix === true && request.rangeEnd !== undefined) {
    return refuse('invalid_request', 'A span has an end or is a prefix, not both', {
      field: `${path}rangeEnd`,
    });
  }
  const isSpan = request.prefix === true || request.rangeEnd !== undefined;
  return request.key === '' && !isSpan ? emptyKey(path) : undefined;
}

function emptyKey(path: string): Fault {
  return refuse('key_invalid', 'A key has at least one character', { field: `${path}key` });
}
