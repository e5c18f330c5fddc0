// One turn of a network's actor: commands that were waiting, run on the view one after the other, and the one transaction that
// makes all of them true or none. A key is written once a turn; a command that does not fit waits for the next one.

import {
  allocateAll,
  releaseAll,
  sweepRested,
  type Allocation,
  type AllocationRequest,
} from './allocate';
import { type NetworkView } from './network-view';
import {
  accept,
  put,
  refuse,
  transactionLimit,
  unchanged,
  type Cause,
  type Compare,
  type Keyspace,
  type Operation,
  type Outcome,
  type Transaction,
} from './records';

export type AddressCommand =
  | {
      readonly kind: 'allocate';
      readonly requests: readonly AllocationRequest[];
      readonly cause: Cause;
    }
  | { readonly kind: 'release'; readonly endpointIds: readonly string[]; readonly cause: Cause };

export type AddressReply =
  | { readonly kind: 'allocate'; readonly allocations: Allocation[] }
  | { readonly kind: 'release'; readonly released: number };

export interface TurnContext {
  readonly keys: Keyspace;
  /** Holds as long as this activation is the current one. */
  readonly fence: Compare;
  readonly fencing: number;
  readonly now: number;
  readonly restMs: number;
}

export class Turn {
  /** Addresses that are answered though nothing is written: they must be at the commit as the view has them. */
  private readonly confirmed = new Set<string>();
  private readonly written = new Set<string>();

  constructor(
    private readonly view: NetworkView,
    private readonly context: TurnContext,
  ) {
    if (view.mark !== 0) throw new Error('a turn begins on a settled view');
  }

  /** Null: nothing was done, ask again in the next turn. */
  run(command: AddressCommand): Outcome<AddressReply> | null {
    const { view } = this;
    const mark = view.mark;
    const confirmed = new Set<string>();
    const outcome = this.decide(command, confirmed);
    if (!outcome.ok) {
      view.rollBack(mark);
      return outcome;
    }
    const isFirst = mark === 0 && this.confirmed.size === 0;
    const fits = this.size(confirmed.size) <= transactionLimit;
    const ids = view.changes(mark).map(({ id }) => id);
    if (fits && ids.every((id) => !this.written.has(id))) {
      for (const id of ids) this.written.add(id);
      for (const sortable of confirmed) this.confirmed.add(sortable);
      return outcome;
    }
    view.rollBack(mark);
    return isFirst && !fits ? tooLarge(command) : null;
  }

  /** Uses what room is left to drop records of addresses that have rested. */
  sweep(): void {
    const { view } = this;
    const mark = view.mark;
    const limit = Math.min(sweptATurn, transactionLimit - this.size(0));
    sweepRested(view, { now: this.context.now, limit });
    const isClean = view.changes(mark).every(({ id }) => !this.written.has(id));
    if (!isClean) view.rollBack(mark);
  }

  transaction(): Transaction {
    const { keys, fence } = this.context;
    const { id } = this.view.network;
    const compare: Compare[] = [fence];
    const success: Operation[] = [];
    for (const { kind, id: name, before } of this.view.changes()) {
      const key = kind === 'address' ? keys.address(id, name) : keys.mac(id, name);
      // Invariant: nobody gets an address that someone got since the view was read.
      compare.push(unchanged(key, before?.modRevision ?? 0));
      const after = kind === 'address' ? this.view.entry(name) : this.view.mac(name);
      success.push(after === undefined ? { type: 'delete', key } : put(key, after.record));
    }
    for (const sortable of this.confirmed) {
      if (this.written.has(sortable)) continue;
      const modRevision = this.view.entry(sortable)?.modRevision ?? 0;
      compare.push(unchanged(keys.address(id, sortable), modRevision));
    }
    return { compare, success };
  }

  private decide(command: AddressCommand, confirmed: Set<string>): Outcome<AddressReply> {
    const { now, fencing, restMs } = this.context;
    const { cause } = command;
    switch (command.kind) {
      case 'allocate': {
        const onConfirmed = (sortable: string): unknown => confirmed.add(sortable);
        const context = { cause, now, fencing, onConfirmed };
        const outcome = allocateAll(this.view, command.requests, context);
        return outcome.ok ? accept({ kind: 'allocate', allocations: outcome.reply }) : outcome;
      }
      case 'release': {
        const rest = { cause, fencing, until: now + restMs };
        const released = releaseAll(this.view, command.endpointIds, rest);
        return accept({ kind: 'release', released });
      }
    }
  }

  /** Compares are never fewer than operations: the fence, and one for each key written or confirmed. */
  private size(more: number): number {
    return 1 + this.view.mark + this.confirmed.size + more;
  }
}

/** Swept at most with one turn, so that a turn after a mass release stays short. */
const sweptATurn = 64;

function tooLarge(command: AddressCommand): Outcome<never> {
  const field = command.kind === 'allocate' ? 'requests' : 'endpointIds';
  const facts = { limit: transactionLimit };
  const message = 'the request needs more keys than one transaction takes: make it smaller';
  return refuse('invalid_request', message, { field, facts });
}
