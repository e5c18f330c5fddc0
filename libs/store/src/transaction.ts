// A transaction in three steps: choose the branches by the state before it, check every operation that will run, run them as one
// revision. Nothing is written before everything is checked, so there is nothing to take back.

import { compareHolds } from './compare';
import { Draft } from './draft';
import { damageFault, growthFault, leaseFault, revisionFault } from './faults';
import { readRange } from './range';
import { Room } from './reply-size';
import { spanOf } from './span';
import { sizeOf, type StoreState } from './state';
import {
  refuse,
  type DeleteOperation,
  type Fault,
  type Operation,
  type OperationResult,
  type Outcome,
  type PutOperation,
  type RangeOperation,
  type TransactionOperation,
  type TransactionReply,
} from './types';

/** What will run of a transaction: its branch is chosen, and those of all transactions in it. */
interface Chosen {
  readonly type: 'txn';
  readonly succeeded: boolean;
  readonly branch: 'success' | 'failure';
  readonly steps: readonly Step[];
}
type Step = PutOperation | DeleteOperation | RangeOperation | Chosen;

export function transact(
  state: StoreState,
  request: TransactionOperation,
): Outcome<TransactionReply> {
  const chosen = choose(state, request);
  const room = new Room();
  const fault = new Check(state, room).run(chosen);
  if (fault !== undefined) return fault;
  const draft = new Draft(state);
  const results = chosen.steps.map((step) => runStep(state, step, draft, room));
  const { succeeded } = chosen;
  return { ok: true, reply: { succeeded, revision: draft.commit(), results } };
}

function choose(state: StoreState, request: TransactionOperation): Chosen {
  const succeeded = request.compare.every((compare) => compareHolds(compare, state.index));
  const branch = succeeded ? 'success' : 'failure';
  const steps = request[branch].map((operation: Operation): Step =>
    operation.type === 'txn' ? choose(state, operation) : operation,
  );
  return { type: 'txn', succeeded, branch, steps };
}

/** Everything that could stand in the way of a chosen transaction, found before its first write. */
class Check {
  private growth = 0;

  constructor(
    private readonly state: StoreState,
    private readonly room: Room,
  ) {}

  run(chosen: Chosen): Fault {
    const fault = this.steps(chosen, '');
    if (fault !== undefined || this.growth === 0) return fault;
    return growthFault(this.state, this.growth);
  }

  private steps({ branch, steps }: Chosen, path: string): Fault {
    for (const [at, step] of steps.entries()) {
      const fault = this.step(step, `${path}${branch}.${at}.`);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  private step(step: Step, path: string): Fault {
    switch (step.type) {
      case 'put':
        this.growth += growthOf(this.state, step);
        return putFault(this.state, step, path, this.room);
      case 'delete':
        return deleteFault(this.state, step, path, this.room);
      case 'range':
        return revisionFault(this.state, step.revision ?? 0, path);
      case 'txn':
        return this.steps(step, path);
    }
  }
}

/** How much larger a put makes the store: what it replaces stays as history. */
export function growthOf(state: StoreState, operation: PutOperation): number {
  if (operation.ignoreValue !== true) return sizeOf(operation);
  return sizeOf(state.index.get(operation.key) ?? operation);
}

/** Whether a put can run, quota apart. */
export function putFault(
  state: StoreState,
  operation: PutOperation,
  path: string,
  room: Room | undefined,
): Fault {
  const { key, lease, ignoreValue, ignoreLease, previous } = operation;
  const fault = damageFault(state) ?? leaseFault(state, lease, path);
  if (fault !== undefined) return fault;
  if (ignoreValue !== true && ignoreLease !== true && previous !== true) return undefined;
  const kv = state.index.get(key);
  if (kv === undefined) {
    return previous === true && ignoreValue !== true && ignoreLease !== true
      ? undefined
      : refuse('key_not_found', 'There is no such key whose value or lease could be kept', {
          field: `${path}key`,
          facts: { key },
        });
  }
  if (previous !== true || room === undefined || room.take(kv, false)) return undefined;
  return tooLarge(path);
}

/** Previous values are wanted whole or not at all: a list cut short would say that fewer keys had gone. */
export function deleteFault(
  state: StoreState,
  operation: DeleteOperation,
  path: string,
  room: Room,
): Fault {
  const fault = damageFault(state);
  if (fault !== undefined || operation.previous !== true) return fault;
  let fits = true;
  state.index.scan(spanOf(operation), undefined, (kv) => !(fits = room.take(kv, false)));
  return fits ? undefined : tooLarge(path);
}

function tooLarge(path: string): Fault {
  return refuse('payload_too_large', 'The previous values are too large for one answer', {
    field: `${path}previous`,
  });
}

function runStep(state: StoreState, step: Step, draft: Draft, room: Room): OperationResult {
  switch (step.type) {
    case 'put': {
      const previous = draft.put(step);
      if (step.previous !== true || previous === undefined) return { type: 'put' };
      return { type: 'put', previous };
    }
    case 'delete': {
      const previous = draft.delete(step);
      const result = { type: 'delete' as const, deleted: previous.length };
      return step.previous === true ? { ...result, previous } : result;
    }
    case 'range':
      return { type: 'range', ...readRange(step, state.index, room) };
    case 'txn': {
      const results = step.steps.map((inner) => runStep(state, inner, draft, room));
      return { type: 'txn', succeeded: step.succeeded, results };
    }
  }
}
