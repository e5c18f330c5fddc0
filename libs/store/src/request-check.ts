// What makes a request well-formed whatever the state: keys, spans, numbers, the kinds of compared values, how deep and large a
// transaction is, and no key written twice in one. Refusals name the field. Depends on nothing but the request, so edge and log
// agree on it.

import { writesFault } from './footprint';
import {
  refuse,
  type Compare,
  type Fault,
  type Operation,
  type PutOperation,
  type SpanRequest,
  type StoreRequest,
  type TransactionOperation,
} from './types';

/** Operations of a transaction with transactions in it, all branches together. */
export const maxOperations = 2_048;
/** Transactions inside each other, the outermost counted. */
export const maxDepth = 4;

/** The first fault of a request, or `undefined`. Throws on a kind that this release does not know. */
export function requestFault(request: StoreRequest): Fault {
  switch (request.type) {
    case 'put':
    case 'delete':
      return operationFault(request, '', 1);
    case 'txn':
      return sizeFault(request) ?? transactionFault(request, '', 1) ?? writesFault(request);
    case 'grantLease':
      return request.ttlMs > 0 && request.lease !== ''
        ? undefined
        : invalid('ttlMs', 'A lease lives for more than no time and has a name');
    case 'compact':
      return isWhole(request.revision, 1)
        ? undefined
        : invalid('revision', 'A compaction names a revision of 1 or more');
    case 'checkpointLease':
      return request.leases.every(({ remainingMs }) => isWhole(remainingMs, 0))
        ? undefined
        : invalid('leases', 'The time left of a lease is a whole number of milliseconds');
    case 'setSettings':
      return settingsFault(request);
    case 'setProtocol':
      return isWhole(request.version, 1)
        ? undefined
        : invalid('version', 'Versions of the protocol start at 1');
    case 'revokeLease':
    case 'expireLease':
    case 'setAlarm':
    case 'clearAlarm':
      return undefined;
    default:
      return unknownKind(request);
  }
}

/** To pass over what others apply would make this replica's state differ from theirs. */
function unknownKind(request: never): never {
  const { type } = request as { type: string };
  throw new Error(`store: this release does not know requests of type '${type}'`);
}

function settingsFault(request: Extract<StoreRequest, { type: 'setSettings' }>): Fault {
  for (const name of ['quotaBytes', 'historyRevisions', 'historyMs'] as const) {
    if (!isWhole(request[name] ?? 0, 0)) {
      return invalid(name, 'A setting is a whole number of 0 or more');
    }
  }
  return undefined;
}

function sizeFault(request: TransactionOperation): Fault {
  const operations = [...request.success, ...request.failure];
  if (!operations.some(({ type }) => type === 'txn')) return undefined;
  // Breadth first: the list grows while it is walked, and not beyond the bound.
  for (let at = 0; at < operations.length && operations.length <= maxOperations; at += 1) {
    const operation = operations[at];
    if (operation?.type === 'txn') operations.push(...operation.success, ...operation.failure);
  }
  if (operations.length <= maxOperations) return undefined;
  return invalid('success', `A transaction has at most ${maxOperations} operations in all`);
}

function transactionFault(request: TransactionOperation, path: string, depth: number): Fault {
  if (depth > maxDepth) {
    return invalid(`${path}type`, `Transactions go at most ${maxDepth} levels deep`);
  }
  for (const [at, compare] of request.compare.entries()) {
    const fault = compareFault(compare, `${path}compare.${at}.`);
    if (fault !== undefined) return fault;
  }
  return (
    branchFault(request.success, `${path}success`, depth) ??
    branchFault(request.failure, `${path}failure`, depth)
  );
}

function compareFault(compare: Compare, path: string): Fault {
  const wantsText = compare.target === 'value' || compare.target === 'lease';
  if (wantsText !== (typeof compare.value === 'string')) {
    const expected = wantsText ? 'text' : 'a number';
    return invalid(`${path}value`, `A compare of ${compare.target} takes ${expected}`);
  }
  return spanFault(compare, path);
}

function branchFault(operations: readonly Operation[], branch: string, depth: number): Fault {
  for (const [at, operation] of operations.entries()) {
    const fault = operationFault(operation, `${branch}.${at}.`, depth);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function operationFault(operation: Operation, path: string, depth: number): Fault {
  if (operation.type === 'put') return putFault(operation, path);
  if (operation.type === 'txn') return transactionFault(operation, path, depth + 1);
  return spanFault(operation, path);
}

function putFault(operation: PutOperation, path: string): Fault {
  if (operation.key === '') return emptyKey(path);
  if (operation.ignoreValue === true && operation.value !== '') {
    return invalid(`${path}value`, 'A put that keeps the value brings none');
  }
  if (operation.ignoreLease === true && operation.lease !== undefined) {
    return invalid(`${path}lease`, 'A put that keeps the lease brings none');
  }
  return undefined;
}

export function spanFault(request: SpanRequest, path = ''): Fault {
  if (request.prefix === true && request.rangeEnd !== undefined) {
    return invalid(`${path}rangeEnd`, 'A span has an end or is a prefix, not both');
  }
  const isSpan = request.prefix === true || request.rangeEnd !== undefined;
  return request.key === '' && !isSpan ? emptyKey(path) : undefined;
}

function emptyKey(path: string): Fault {
  return refuse('key_invalid', 'A key has at least one character', { field: `${path}key` });
}

function invalid(field: string, message: string): Fault {
  return refuse('invalid_request', message, { field });
}

function isWhole(number: number, least: number): boolean {
  return Number.isSafeInteger(number) && number >= least;
}
