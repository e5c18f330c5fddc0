// One turn of a network's actor: commands that were waiting, run on the view one after the other, and the one transaction that
// makes all of them true or none. A key is written once a turn; a command that does not fit waits for the next one.

import { allocateAll, type Allocation, type AllocationRequest, type Evidence } from './allocate';
import { type NetworkView } from './network-view';
import { allAbsent } from './absence';
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
import { releaseAll, sweepRested } from './release';

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
  /** Milliseconds since the epoch: goes into records, decides nothing. */
  readonly now: number;
  readonly monotonicMs: number;
  readonly restMs: number;
}

/** What a turn's transaction compares, by what it is of: whoever finds it refused reads these again. */
export interface Compared {
  readonly kind: 'address' | 'mac' | 'attached';
  readonly id: string;
  readonly key: string;
}

/** What answers stand on besides what is written. */
class Grounds implements Evidence {
  readonly addresses = new Set<string>();
  readonly macs = new Set<string>();
  readonly attachments = new Map<string, boolean>();

  get size(): number {
    return this.addresses.size + this.macs.size + this.attachments.size;
  }
  address(sortable: string): void {
    this.addresses.add(sortable);
  }
  mac(mac: string): void {
    this.macs.add(mac);
  }
  attached(endpointId: string, isAttached: boolean): void {
    this.attachments.set(endpointId, isAttached);
  }
  take(other: Grounds): void {
    for (const sortable of other.addresses) this.address(sortable);
    for (const mac of other.macs) this.mac(mac);
    for (const [id, isAttached] of other.attachments) this.attached(id, isAttached);
  }
}

export class Turn {
  private readonly grounds = new Grounds();
  private readonly written = new Set<string>();

  constructor(
    private readonly view: NetworkView,
    private readonly context: TurnContext,
  ) {
    if (view.mark !== 0) throw new Error('a turn begins on a settled view');
  }

  /**
   * Null: nothing was done, ask again in the next turn. A refusal, too, is true only once the transaction is committed, which
   * compares what it stands on; of `pool_exhausted` that is the whole network, and is not compared.
   */
  run(command: AddressCommand): Outcome<AddressReply> | null {
    const { view } = this;
    const mark = view.mark;
    const grounds = new Grounds();
    const outcome = this.decide(command, grounds);
    if (!outcome.ok) view.rollBack(mark);
    const isFirst = mark === 0 && this.grounds.size === 0;
    const fits = this.size(grounds.size) <= transactionLimit;
    const ids = view.changes(mark).map(({ id }) => id);
    if (fits && ids.every((id) => !this.written.has(id))) {
      for (const id of ids) this.written.add(id);
      this.grounds.take(grounds);
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
    sweepRested(view, { monotonicMs: this.context.monotonicMs, limit });
    const ids = view.changes(mark).map(({ id }) => id);
    if (ids.some((id) => this.written.has(id))) {
      view.rollBack(mark);
      return;
    }
    // A refusal may stand on a record that is dropped here: it is compared as it was.
    for (const id of ids) this.written.add(id);
  }

  transaction(): Transaction {
    const { keys, fence } = this.context;
    const { view } = this;
    const { id } = view.network;
    const compare: Compare[] = [fence, unchanged(keys.network(id), view.networkRevision)];
    const success: Operation[] = [];
    const free: string[] = [];
    for (const { kind, id: name, before } of view.changes()) {
      const key = kind === 'address' ? keys.address(id, name) : keys.mac(id, name);
      // Invariant: nobody gets an address that someone got since the view was read.
      if (kind === 'address' && before === undefined) free.push(key);
      else compare.push(unchanged(key, before?.modRevision ?? 0));
      const after = kind === 'address' ? view.entry(name) : view.mac(name);
      success.push(after === undefined ? { type: 'delete', key } : put(key, after.record));
    }
    compare.push(...allAbsent(free));
    const { addresses, macs, attachments } = this.grounds;
    for (const sortable of addresses) {
      if (this.written.has(sortable)) continue;
      const modRevision = view.entry(sortable)?.modRevision ?? 0;
      compare.push(unchanged(keys.address(id, sortable), modRevision));
    }
    for (const mac of macs) {
      if (this.written.has(mac)) continue;
      compare.push(unchanged(keys.mac(id, mac), view.mac(mac)?.modRevision ?? 0));
    }
    for (const [endpointId, isAttached] of attachments) {
      const key = keys.endpoint(id, endpointId);
      const operator = isAttached ? '>' : '=';
      compare.push({ key, target: 'modRevision', operator, value: 0 });
    }
    return { compare, success };
  }

  /** All that the transaction compares, but for the fence and the network's record. */
  compared(): Compared[] {
    const { keys } = this.context;
    const { id: networkId } = this.view.network;
    const { addresses, macs, attachments } = this.grounds;
    const names = { address: new Set(addresses), mac: new Set(macs) };
    for (const { kind, id } of this.view.changes()) names[kind].add(id);
    return [
      ...[...names.address].map((id) => compared('address', id, keys.address(networkId, id))),
      ...[...names.mac].map((id) => compared('mac', id, keys.mac(networkId, id))),
      ...[...attachments.keys()].map((id) =>
        compared('attached', id, keys.endpoint(networkId, id)),
      ),
    ];
  }

  private decide(command: AddressCommand, evidence: Evidence): Outcome<AddressReply> {
    const { now, monotonicMs, fencing, restMs } = this.context;
    const { cause } = command;
    switch (command.kind) {
      case 'allocate': {
        const context = { cause, now, monotonicMs, fencing, evidence };
        const outcome = allocateAll(this.view, command.requests, context);
        return outcome.ok ? accept({ kind: 'allocate', allocations: outcome.reply }) : outcome;
      }
      case 'release': {
        const rest = { until: now + restMs, restedAt: monotonicMs + restMs };
        const context = { cause, fencing, evidence, ...rest };
        const outcome = releaseAll(this.view, command.endpointIds, context);
        return outcome.ok ? accept({ kind: 'release', released: outcome.reply }) : outcome;
      }
    }
  }

  /** Compares are never fewer than operations: the fence, the network, and one for each key written or looked at. */
  private size(more: number): number {
    return 2 + this.view.mark + this.grounds.size + more;
  }
}

/** Swept at most with one turn, so that a turn after a mass release stays short. */
const sweptATurn = 64;

function compared(kind: Compared['kind'], id: string, key: string): Compared {
  return { kind, id, key };
}

function tooLarge(command: AddressCommand): Outcome<never> {
  const field = command.kind === 'allocate' ? 'requests' : 'endpointIds';
  const facts = { limit: transactionLimit };
  const message = 'the request needs more keys than one transaction takes: make it smaller';
  return refuse('invalid_request', message, { field, facts });
}
