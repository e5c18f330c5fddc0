// Which version of the protocol a request needs. A request that an older member would apply differently is refused by all until
// the cluster has agreed on a version that every member knows.

import { type Operation, type RangeRequest, type StoreRequest } from './types';

/** The newest version that this release applies. */
export const newestProtocol = 2;

export function protocolOf(request: StoreRequest): number {
  switch (request.type) {
    case 'setAlarm':
    case 'clearAlarm':
    case 'setSettings':
    case 'checkpointLease':
      return 2;
    case 'put':
      return putProtocol(request);
    case 'expireLease':
      return request.grant === undefined ? 1 : 2;
    case 'txn':
      return Math.max(branchProtocol(request.success), branchProtocol(request.failure));
    default:
      return 1;
  }
}

function branchProtocol(operations: readonly Operation[]): number {
  return operations.some(isNewOperation) ? 2 : 1;
}

function isNewOperation(operation: Operation): boolean {
  switch (operation.type) {
    case 'txn':
      return true;
    case 'put':
      return putProtocol(operation) > 1;
    case 'range':
      return isNewRange(operation);
    case 'delete':
      return false;
  }
}

function putProtocol({ ignoreValue, ignoreLease }: Extract<Operation, { type: 'put' }>): number {
  return ignoreValue === true || ignoreLease === true ? 2 : 1;
}

function isNewRange(range: RangeRequest): boolean {
  return (
    range.sort !== undefined ||
    Boolean(range.minModRevision) ||
    Boolean(range.maxModRevision) ||
    Boolean(range.minCreateRevision) ||
    Boolean(range.maxCreateRevision)
  );
}
