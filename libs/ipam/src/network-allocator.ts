// The actor of one network as a pure state machine: inputs in, effects out. It gathers the commands of a turn into one
// transaction and answers them only when that is committed under its fence. Whoever drives it does the effects, one at a time.

import { type BeliefEntry } from './belief';
import { NetworkView, type NetworkContent } from './network-view';
import {
  refuse,
  type Compare,
  type KeyValue,
  type Keyspace,
  type Outcome,
  type Transaction,
} from './records';
import { Turn, type AddressCommand, type AddressReply, type Compared } from './turn';

export interface Now {
  /** Wall clock, milliseconds since the epoch: goes into records, decides nothing but rest. */
  readonly wallMs: number;
  /** Monotonic milliseconds: deadlines are on this clock. */
  readonly monotonicMs: number;
}

export interface SubmittedCommand {
  /** The driver's own number, by which it is answered. */
  readonly id: number;
  readonly command: AddressCommand;
  readonly deadlineMs: number;
}

export type AllocatorInput =
  /** Commands that came together are decided together. */
  | { readonly type: 'submit'; readonly commands: readonly SubmittedCommand[] }
  | { readonly type: 'activated'; readonly fence: Compare; readonly fencing: number }
  /** Another replica has the activation. */
  | { readonly type: 'heldElsewhere'; readonly holder: string }
  | { readonly type: 'deactivated' }
  /** `isCurrent`: the activation's key still is the one that was taken, read together with the content. */
  | {
      readonly type: 'loaded';
      readonly content: NetworkContent | null;
      readonly isCurrent: boolean;
    }
  /** Of the keys asked for, those that exist; as of one moment after the refusal. */
  | { readonly type: 'reread'; readonly found: readonly KeyValue[] }
  | { readonly type: 'committed'; readonly revision: number }
  /** A compare did not hold. */
  | { readonly type: 'rejected' }
  /** The transaction may or may not take effect, now or later. */
  | { readonly type: 'unknownOutcome' }
  /** An activation, a load or a reread did not succeed. */
  | { readonly type: 'failed'; readonly failure: unknown }
  /** The activation's lease has run out. */
  | { readonly type: 'lost' }
  /** Somebody found the view to differ from the store. */
  | { readonly type: 'reload' }
  /** Nothing was asked for a while. */
  | { readonly type: 'passivate' };

export type AllocatorEffect =
  | { readonly type: 'activate' }
  | { readonly type: 'deactivate' }
  | { readonly type: 'load' }
  | { readonly type: 'reread'; readonly keys: readonly string[] }
  | { readonly type: 'commit'; readonly transaction: Transaction }
  | {
      readonly type: 'answer';
      readonly id: number;
      readonly outcome: Outcome<AddressReply>;
      readonly revision: number;
    }
  | { readonly type: 'elsewhere'; readonly id: number; readonly holder: string }
  | { readonly type: 'fail'; readonly id: number; readonly failure: unknown };

interface Waiting extends SubmittedCommand {
  readonly attempts: number;
}
interface Decided {
  readonly waiting: Waiting;
  readonly outcome: Outcome<AddressReply>;
}

type Phase =
  'idle' | 'activating' | 'deactivating' | 'loading' | 'rereading' | 'ready' | 'committing';

export interface AllocatorOptions {
  readonly keys: Keyspace;
  readonly networkId: string;
  /** How long a released address rests. */
  readonly restMs: number;
  /** Commands that may wait. */
  readonly maxWaiting?: number;
}

/** How often a command is decided before a compare that does not hold is an error. */
const maxAttempts = 4;
/** Refusals after which the whole network is read, and not only what was compared. */
const attemptsBeforeLoad = 2;
const defaultMaxWaiting = 4_096;

export class NetworkAllocator {
  private phase: Phase = 'idle';
  private waiting: Waiting[] = [];
  private decided: Decided[] = [];
  private view: NetworkView | null = null;
  /** Nothing was decided on the view since it was read. */
  private isFresh = false;
  /** Whose transaction is under way. */
  private turn: Turn | null = null;
  /** What a transaction compared that was refused. */
  private compared: readonly Compared[] = [];
  private isLost = false;
  private fence: Compare | null = null;
  private fencing = 0;
  private effects: AllocatorEffect[] = [];

  constructor(private readonly options: AllocatorOptions) {}

  /** Neither waits for anything nor holds an activation: it can be forgotten. */
  get isIdle(): boolean {
    return this.phase === 'idle' && this.waiting.length === 0;
  }

  /** What is believed of the addresses; null while nothing settled is. */
  get beliefs(): Iterable<BeliefEntry> | null {
    return this.phase === 'ready' && this.view !== null ? this.view.beliefs() : null;
  }

  step(input: AllocatorInput, now: Now): AllocatorEffect[] {
    this.effects = [];
    this.take(input, now);
    this.advance(now);
    // A view is fresh for the turn that begins with its reading, and for no later one.
    if (this.phase === 'ready') this.isFresh = false;
    return this.effects;
  }

  private take(input: AllocatorInput, now: Now): void {
    switch (input.type) {
      case 'submit':
        for (const command of input.commands) this.submit(command);
        return;
      case 'activated':
        this.enter('activating', 'loading');
        this.fence = input.fence;
        this.fencing = input.fencing;
        this.isLost = false;
        this.effects.push({ type: 'load' });
        return;
      case 'heldElsewhere':
        this.enter('activating', 'idle');
        for (const { id } of this.waiting.splice(0)) {
          this.effects.push({ type: 'elsewhere', id, holder: input.holder });
        }
        return;
      case 'deactivated':
        return this.enter('deactivating', 'idle');
      case 'loaded':
        return this.loaded(input.content, input.isCurrent, now);
      case 'reread':
        return this.reread(input.found, now);
      case 'committed':
        return this.committed(input.revision, now);
      case 'rejected':
        return this.rejected();
      case 'unknownOutcome':
        // The transaction could still take effect under this fence: only a new activation rules that out.
        this.enter('committing', 'ready');
        this.waiting.unshift(...this.decided.splice(0).map(({ waiting }) => waiting));
        return this.deactivate();
      case 'failed':
        return this.failed(input.failure);
      case 'lost':
        this.isLost = this.phase !== 'idle' && this.phase !== 'activating';
        if (this.phase === 'ready') this.forget();
        return;
      case 'reload':
        if (this.phase === 'ready') this.reload();
        return;
      case 'passivate':
        if (this.phase === 'ready' && this.waiting.length === 0) this.deactivate();
        return;
    }
  }

  private submit(command: SubmittedCommand): void {
    const limit = this.options.maxWaiting ?? defaultMaxWaiting;
    if (this.waiting.length < limit) {
      this.waiting.push({ ...command, attempts: 0 });
      return;
    }
    const facts = { waiting: limit };
    const message = 'too many requests wait for this network';
    this.answer(command.id, refuse('overloaded', message, { facts }), 0);
  }

  private loaded(content: NetworkContent | null, isCurrent: boolean, now: Now): void {
    this.enter('loading', 'ready');
    if (!isCurrent || this.isLost) return this.forget();
    if (content === null) {
      for (const { id } of this.waiting.splice(0)) {
        const facts = { network: this.options.networkId };
        const message = 'the network does not exist any more';
        this.answer(id, refuse('network_not_found', message, { field: 'network', facts }), 0);
      }
      return this.deactivate();
    }
    // How long an address has rested already nobody can tell without trusting clocks: its rest begins again.
    this.view = new NetworkView(content, now.monotonicMs + this.options.restMs);
    this.isFresh = true;
  }

  private committed(revision: number, { monotonicMs }: Now): void {
    this.enter('committing', 'ready');
    this.view?.settle(revision, monotonicMs + this.options.restMs);
    const doubtful: Waiting[] = [];
    for (const { waiting, outcome } of this.decided.splice(0)) {
      // The commit compared what an answer stands on, but not that nothing is free: a copy may have missed what others released.
      if (outcome.ok || this.isFresh || outcome.refusal.code !== 'pool_exhausted')
        this.answer(waiting.id, outcome, revision);
      else doubtful.push(waiting);
    }
    this.waiting.unshift(...doubtful);
    this.isFresh = false;
    if (this.isLost) this.forget();
    else if (doubtful.length > 0) this.reload();
  }

  private rejected(): void {
    this.enter('committing', 'ready');
    const again: Waiting[] = [];
    for (const { waiting } of this.decided.splice(0)) {
      const attempts = waiting.attempts + 1;
      if (attempts < maxAttempts) again.push({ ...waiting, attempts });
      else this.answer(waiting.id, refuse('fenced', 'the state kept changing: try again'), 0);
    }
    this.waiting.unshift(...again);
    this.compared = this.turn?.compared() ?? [];
    this.view?.rollBack(0);
    this.isFresh = false;
    if (this.isLost) this.forget();
    else if (again.some(({ attempts }) => attempts >= attemptsBeforeLoad)) this.reload();
    else this.lookAgain();
  }

  /** Reads what was compared: something of it has changed. */
  private lookAgain(): void {
    const { fence, options } = this;
    if (fence === null) throw new Error('a turn needs a fence');
    this.phase = 'rereading';
    const { keys, networkId } = options;
    const own = [fence.key, keys.network(networkId)];
    this.effects.push({ type: 'reread', keys: [...own, ...this.compared.map(({ key }) => key)] });
  }

  private reread(found: readonly KeyValue[], now: Now): void {
    this.enter('rereading', 'ready');
    const { view, fence, options } = this;
    if (this.isLost || view === null || fence === null) return this.forget();
    const byKey = new Map(found.map((kv) => [kv.key, kv]));
    if ((byKey.get(fence.key)?.createRevision ?? 0) !== fence.value) return this.forget();
    const network = byKey.get(options.keys.network(options.networkId));
    if (network?.modRevision !== view.networkRevision) return this.reload();
    for (const { kind, id, key } of this.compared) {
      const kv = byKey.get(key);
      if (kind === 'address') view.refreshAddress(id, kv, now.monotonicMs + options.restMs);
      else if (kind === 'mac') view.refreshMac(id, kv);
      else view.refreshAttached(id, kv !== undefined);
    }
  }

  private failed(failure: unknown): void {
    const wasLoading = this.phase === 'loading' || this.phase === 'rereading';
    if (!wasLoading) this.enter('activating', 'idle');
    for (const { id } of this.waiting.splice(0)) this.effects.push({ type: 'fail', id, failure });
    if (wasLoading) this.deactivate();
  }

  private advance(now: Now): void {
    if (this.waiting.length === 0) return;
    if (this.phase === 'idle') {
      this.phase = 'activating';
      this.effects.push({ type: 'activate' });
    } else if (this.phase === 'ready') this.beginTurn(now);
  }

  private beginTurn(now: Now): void {
    const { view, fence, fencing } = this;
    if (view === null || fence === null) throw new Error('a turn needs a view and a fence');
    const { keys, restMs } = this.options;
    const { wallMs, monotonicMs } = now;
    const turn = new Turn(view, { keys, fence, fencing, now: wallMs, monotonicMs, restMs });
    let next = this.waiting[0];
    for (; next !== undefined; next = this.waiting[0]) {
      if (next.deadlineMs <= now.monotonicMs) {
        const message = 'the deadline passed before the request was decided';
        this.answer(next.id, refuse('deadline_exceeded', message), 0);
      } else {
        const outcome = turn.run(next.command);
        if (outcome === null) break;
        this.decided.push({ waiting: next, outcome });
      }
      this.waiting.shift();
    }
    if (this.decided.length === 0) return;
    turn.sweep();
    this.phase = 'committing';
    this.turn = turn;
    this.effects.push({ type: 'commit', transaction: turn.transaction() });
  }

  private reload(): void {
    this.phase = 'loading';
    this.view = null;
    this.effects.push({ type: 'load' });
  }

  private deactivate(): void {
    this.forget();
    this.phase = 'deactivating';
    this.effects.push({ type: 'deactivate' });
  }

  private forget(): void {
    this.phase = 'idle';
    this.view = null;
    this.fence = null;
    this.fencing = 0;
    this.isLost = false;
    this.isFresh = false;
  }

  private answer(id: number, outcome: Outcome<AddressReply>, revision: number): void {
    this.effects.push({ type: 'answer', id, outcome, revision });
  }

  private enter(from: Phase, to: Phase): void {
    if (this.phase !== from) throw new Error(`expected to be ${from}, not ${this.phase}`);
    this.phase = to;
  }
}
