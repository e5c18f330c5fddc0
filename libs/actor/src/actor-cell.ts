// One running actor: takes its messages turn by turn, restarts or ends it after a fault. Turns are promise micro-tasks;
// at most one runs at a time. Invariant: no message is handled by two behaviours, and no ask is left unsettled at the end.

import {
  AskFailure,
  defaultMailboxLimit,
  defaultMaxBatch,
  type ActorContext,
  type ActorRef,
  type ActorTimers,
  type Behavior,
  type BehaviorFactory,
  type Reply,
  type SpawnOptions,
  type TellOutcome,
} from './behavior';
import { Mailbox, type Envelope } from './mailbox';
import { defaultSupervision, RestartBudget, type Supervision } from './supervision';

/** What a cell needs of the system around it. */
export interface Surroundings {
  readonly timers: ActorTimers;
  spawn<Child>(
    parent: ActorCell<never>,
    kind: string,
    id: string,
    behavior: BehaviorFactory<Child>,
    options?: SpawnOptions,
  ): ActorCell<Child>;
  deadLetter(address: string, message: unknown): void;
  /** A fault was supervised; `escalated` if it has reached the top. */
  failed(address: string, fault: unknown, outcome: 'restarted' | 'stopped' | 'escalated'): void;
  ended(cell: ActorCell<never>): void;
}

export class ActorCell<Message> implements ActorRef<Message> {
  readonly address: string;
  readonly #surroundings: Surroundings;
  readonly #parent: ActorCell<never> | undefined;
  readonly #factory: BehaviorFactory<Message>;
  readonly #mailbox: Mailbox<Message>;
  readonly #maxBatch: number;
  readonly #supervision: Supervision;
  readonly #budget: RestartBudget;
  readonly #children = new Set<ActorCell<never>>();
  readonly #watchers = new Set<() => void>();
  readonly #timers = new Set<() => void>();
  readonly #watching = new Set<() => void>();
  readonly #restartTimers = new Set<() => void>();
  readonly #context: ActorContext<Message>;
  #behavior: Behavior<Message> | undefined;
  #escalated: { readonly fault: unknown } | undefined;
  #running = false;
  #stopping = false;
  #ended = false;
  readonly #end: Promise<void>;
  #resolveEnd: () => void = () => undefined;

  constructor(
    surroundings: Surroundings,
    address: string,
    factory: BehaviorFactory<Message>,
    options: SpawnOptions & { readonly parent?: ActorCell<never> | undefined },
  ) {
    this.address = address;
    this.#surroundings = surroundings;
    this.#parent = options.parent;
    this.#factory = factory;
    this.#mailbox = new Mailbox(options.mailboxLimit ?? defaultMailboxLimit);
    this.#maxBatch = options.maxBatch ?? defaultMaxBatch;
    this.#supervision = { ...defaultSupervision, ...options.supervision };
    this.#budget = new RestartBudget(this.#supervision);
    this.#end = new Promise((resolve) => (this.#resolveEnd = resolve));
    this.#context = this.#createContext();
    options.parent?.adopt(this as unknown as ActorCell<never>);
    this.#wake();
  }

  get waiting(): number {
    return this.#mailbox.size;
  }

  get isStopped(): boolean {
    return this.#stopping || this.#ended;
  }

  tell(message: Message): TellOutcome {
    return this.#accept({ message });
  }

  ask<Answer>(
    message: (reply: Reply<Answer>) => Message,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const timer: { cancel?: () => void } = {};
      const settle = (act: () => void): void => {
        timer.cancel?.();
        act();
      };
      const abandon = (code: AskFailure['code'], cause?: unknown): void =>
        settle(() => reject(new AskFailure(code, this.address, cause)));
      const reply: Reply<Answer> = {
        resolve: (answer) => settle(() => resolve(answer)),
        reject: (fault) => settle(() => reject(fault)),
      };
      const outcome = this.#accept({ message: message(reply), abandon });
      if (outcome !== 'accepted') return abandon(outcome);
      if (options.timeoutMs === undefined) return;
      timer.cancel = this.#surroundings.timers.schedule(options.timeoutMs, () =>
        abandon('timed_out'),
      );
    });
  }

  stop(): Promise<void> {
    this.#stopping = true;
    this.#wake();
    return this.#end;
  }

  adopt(child: ActorCell<never>): void {
    this.#children.add(child);
  }

  disown(child: ActorCell<never>): void {
    this.#children.delete(child);
  }

  /** A child's fault that the child could not deal with: this actor fails with it. */
  escalate(fault: unknown): void {
    this.#escalated = { fault };
    this.#wake();
  }

  /** Calls back at the end, at once if it is over. */
  onEnd(callback: () => void): () => void {
    if (this.#ended) {
      callback();
      return () => undefined;
    }
    this.#watchers.add(callback);
    return () => this.#watchers.delete(callback);
  }

  #accept(envelope: Envelope<Message>): TellOutcome {
    if (this.isStopped) {
      this.#surroundings.deadLetter(this.address, envelope.message);
      return 'stopped';
    }
    if (!this.#mailbox.offer(envelope)) return 'overloaded';
    this.#wake();
    return 'accepted';
  }

  #wake(): void {
    if (this.#running || this.#ended) return;
    this.#running = true;
    void Promise.resolve().then(() => this.#run());
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const turn = await this.#turn();
      if (turn === 'idle') break;
    }
    this.#running = false;
    if (this.#stopping) await this.#finish();
    else if (this.#mailbox.size > 0 || this.#escalated !== undefined) this.#wake();
  }

  async #turn(): Promise<'busy' | 'idle'> {
    let taken: Envelope<Message>[] = [];
    try {
      if (this.#escalated !== undefined) throw this.#takeEscalated();
      const behavior = this.#behavior ?? (await this.#begin());
      taken = this.#mailbox.take(behavior.receiveBatch === undefined ? 1 : this.#maxBatch);
      if (taken.length === 0) return 'idle';
      const work = this.#handle(behavior, taken);
      if (work !== undefined) await work;
    } catch (fault) {
      for (const envelope of taken) envelope.abandon?.('failed', fault);
      await this.#supervise(fault);
    }
    return 'busy';
  }

  #handle(behavior: Behavior<Message>, taken: Envelope<Message>[]): void | Promise<void> {
    if (behavior.receiveBatch !== undefined) {
      const messages = taken.map(({ message }) => message);
      return behavior.receiveBatch(messages, this.#context);
    }
    const [only] = taken;
    if (only === undefined || behavior.receive === undefined) {
      throw new Error(`${this.address} has neither receive nor receiveBatch`);
    }
    return behavior.receive(only.message, this.#context);
  }

  #takeEscalated(): unknown {
    const fault = this.#escalated?.fault;
    this.#escalated = undefined;
    return fault;
  }

  async #begin(): Promise<Behavior<Message>> {
    const behavior = this.#factory();
    this.#behavior = behavior;
    await behavior.started?.(this.#context);
    return behavior;
  }

  async #supervise(fault: unknown): Promise<void> {
    const directive = this.#budget.decide(fault);
    if (directive === 'restart') {
      this.#countRestart();
      this.#surroundings.failed(this.address, fault, 'restarted');
      await this.#release();
      return;
    }
    this.#stopping = true;
    if (directive === 'stop') {
      this.#surroundings.failed(this.address, fault, 'stopped');
    } else if (this.#parent === undefined) {
      this.#surroundings.failed(this.address, fault, 'escalated');
    } else {
      this.#parent.escalate(fault);
    }
  }

  #countRestart(): void {
    const cancel = this.#surroundings.timers.schedule(this.#supervision.withinMs, () => {
      this.#restartTimers.delete(cancel);
      this.#budget.giveBack();
    });
    this.#restartTimers.add(cancel);
  }

  /** Lets go of everything that the behaviour has started. */
  async #release(): Promise<void> {
    for (const cancel of [...this.#timers, ...this.#watching]) cancel();
    this.#timers.clear();
    this.#watching.clear();
    await Promise.all([...this.#children].map((child) => child.stop()));
    const behavior = this.#behavior;
    this.#behavior = undefined;
    try {
      await behavior?.stopped?.();
    } catch (fault) {
      this.#surroundings.failed(this.address, fault, 'stopped');
    }
  }

  async #finish(): Promise<void> {
    if (this.#ended) return;
    this.#running = true;
    await this.#release();
    for (const cancel of this.#restartTimers) cancel();
    for (const { message, abandon } of this.#mailbox.take(Number.MAX_SAFE_INTEGER)) {
      abandon?.('stopped');
      this.#surroundings.deadLetter(this.address, message);
    }
    this.#ended = true;
    const self = this as unknown as ActorCell<never>;
    this.#parent?.disown(self);
    this.#surroundings.ended(self);
    for (const callback of this.#watchers) callback();
    this.#watchers.clear();
    this.#resolveEnd();
  }

  #deliver(message: Message): void {
    if (this.isStopped) return;
    this.#mailbox.force({ message });
    this.#wake();
  }

  #createContext(): ActorContext<Message> {
    return {
      self: this,
      spawn: (kind, id, behavior, options) =>
        this.#surroundings.spawn(this as unknown as ActorCell<never>, kind, id, behavior, options),
      schedule: (ms, message) => {
        const cancel = this.#surroundings.timers.schedule(ms, () => {
          this.#timers.delete(cancel);
          this.#deliver(message);
        });
        this.#timers.add(cancel);
        return () => {
          this.#timers.delete(cancel);
          cancel();
        };
      },
      watch: (other, message) => {
        const end = (other as unknown as ActorCell<never>).onEnd(() => this.#deliver(message));
        this.#watching.add(end);
        return end;
      },
      stop: () => {
        this.#stopping = true;
      },
    };
  }
}
