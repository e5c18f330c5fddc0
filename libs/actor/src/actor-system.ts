// All actors of a process: spawns them under unique addresses, finds them, ends them. It schedules nothing itself.

import { ActorCell, type Surroundings } from './actor-cell';
import type { ActorRef, ActorTimers, BehaviorFactory, SpawnOptions } from './behavior';

export interface DeadLetter {
  readonly address: string;
  readonly message: unknown;
}

export interface ActorFailure {
  readonly address: string;
  readonly fault: unknown;
  /** `escalated`: nobody above could deal with it; the actor has ended. */
  readonly outcome: 'restarted' | 'stopped' | 'escalated';
}

export interface ActorSystemOptions {
  readonly timers: ActorTimers;
  readonly onDeadLetter?: (letter: DeadLetter) => void;
  readonly onFailure?: (failure: ActorFailure) => void;
}

export class ActorSystem {
  readonly #cells = new Map<string, ActorCell<never>>();
  readonly #surroundings: Surroundings;

  private constructor(options: ActorSystemOptions) {
    this.#surroundings = {
      timers: options.timers,
      spawn: (parent, kind, id, behavior, more) =>
        this.#spawn(kind, id, behavior, { ...more, parent }),
      deadLetter: (address, message) => options.onDeadLetter?.({ address, message }),
      failed: (address, fault, outcome) => options.onFailure?.({ address, fault, outcome }),
      ended: (cell) => {
        if (this.#cells.get(cell.address) === cell) this.#cells.delete(cell.address);
      },
    };
  }

  static create(options: ActorSystemOptions): ActorSystem {
    return new ActorSystem(options);
  }

  /** Starts an actor. Two of one address at a time are a bug. */
  spawn<Message>(
    kind: string,
    id: string,
    behavior: BehaviorFactory<Message>,
    options: SpawnOptions = {},
  ): ActorRef<Message> {
    return this.#spawn(kind, id, behavior, options);
  }

  /** The caller vouches for the type of message. */
  find<Message>(kind: string, id: string): ActorRef<Message> | undefined {
    const cell = this.#cells.get(addressOf(kind, id));
    return cell as unknown as ActorRef<Message> | undefined;
  }

  get size(): number {
    return this.#cells.size;
  }

  /** Ends all actors. */
  async stop(): Promise<void> {
    await Promise.all([...this.#cells.values()].map((cell) => cell.stop()));
  }

  #spawn<Message>(
    kind: string,
    id: string,
    behavior: BehaviorFactory<Message>,
    options: SpawnOptions & { readonly parent?: ActorCell<never> },
  ): ActorCell<Message> {
    const address = addressOf(kind, id);
    if (this.#cells.has(address)) throw new Error(`actor ${address} is running already`);
    const cell = new ActorCell(this.#surroundings, address, behavior, options);
    this.#cells.set(address, cell as unknown as ActorCell<never>);
    return cell;
  }
}

export function addressOf(kind: string, id: string): string {
  return `${kind}/${id}`;
}
