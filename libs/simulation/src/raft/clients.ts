// Clients of the simulated cluster, and the history of what they saw. A client that hears nothing
// in time does not know what became of its command. It must not know how replicas work.
import type { NodeId } from '@skein/raft';
import type { EventQueue } from '../event-queue';
import type { Operation } from '../linearizability';
import type { Random } from '../random';
import { drawSpell, type SwarmConditions } from './options';
import type { RegisterCommand } from './register';
import type { Replica, Reply } from './replica';

const TIMEOUT_MS = 500;

interface Call {
  readonly command: RegisterCommand;
  readonly call: number;
  end: number;
  output: string | undefined;
  outcome: 'pending' | 'done' | 'refused' | 'unknown';
}

export interface ClientCounts {
  readonly done: number;
  readonly refused: number;
  readonly unknown: number;
}

export class Clients {
  private readonly calls: Call[] = [];
  private readonly firstAppliedAt = new Map<number, number>();
  /** One position for each thing that clients see or cause: the order that the checker goes by. */
  private position = 0;
  private isStopped = false;

  constructor(
    private readonly queue: EventQueue,
    private readonly random: Random,
    private readonly conditions: SwarmConditions,
    private readonly replicas: readonly Replica[],
  ) {}

  start(): void {
    for (let i = 0; i < this.conditions.clients; i += 1) this.thinkThenCall(null);
  }

  /** Calls under way go on; no new ones begin. */
  stop(): void {
    this.isStopped = true;
  }

  private thinkThenCall(believed: NodeId | null): void {
    this.queue.after(drawSpell(this.random, this.conditions.meanThinkMs), () => {
      if (!this.isStopped)
        this.call(this.drawCommand(), believed, (next) => this.thinkThenCall(next));
    });
  }

  private drawCommand(): RegisterCommand {
    const id = this.calls.length;
    const key = `k${this.random.int(this.conditions.keys)}`;
    const isRead = this.random.chance(this.conditions.readShare);
    // Appends make long values; a put now and then shortens them.
    const kind = isRead ? 'get' : this.random.chance(0.7) ? 'append' : 'put';
    return { id, kind, key, value: kind === 'get' ? '' : `${id}.` };
  }

  /** One write that must succeed once faults have stopped. */
  callOnce(to: NodeId, done: (isDone: boolean) => void): void {
    const command = { id: this.calls.length, kind: 'put', key: 'k0', value: 'last' } as const;
    const call = this.call(command, to, () => done(call.outcome === 'done'));
  }

  private call(
    command: RegisterCommand,
    believed: NodeId | null,
    next: (leader: NodeId | null) => void,
  ): Call {
    const call: Call = {
      command,
      call: this.tickPosition(),
      end: Infinity,
      output: undefined,
      outcome: 'pending',
    };
    this.calls.push(call);
    const isFaithful = believed !== null && this.random.chance(command.kind === 'get' ? 0.5 : 0.9);
    const named = isFaithful ? this.replicas.find((replica) => replica.id === believed) : undefined;
    const replica = named ?? this.random.pick(this.replicas);
    const settle = (reply: Reply | null): void => {
      if (call.outcome !== 'pending') return;
      call.end = this.tickPosition();
      call.outcome = reply?.kind ?? 'unknown';
      if (reply?.kind === 'done') call.output = reply.value;
      if (reply?.kind === 'refused') next(reply.leader);
      else next(reply === null ? null : replica.id);
    };
    const delay = (): number => this.random.next() * 3;
    this.queue.after(delay(), () => {
      replica.request(command, (reply) => this.queue.after(delay(), () => settle(reply)));
    });
    this.queue.after(TIMEOUT_MS, () => settle(null));
    return call;
  }

  private tickPosition(): number {
    this.position += 1;
    return this.position;
  }

  applied(command: RegisterCommand): void {
    if (!this.firstAppliedAt.has(command.id)) {
      this.firstAppliedAt.set(command.id, this.tickPosition());
    }
  }

  get counts(): ClientCounts {
    const count = (outcome: Call['outcome']): number =>
      this.calls.filter((call) => call.outcome === outcome).length;
    return { done: count('done'), refused: count('refused'), unknown: count('unknown') };
  }

  /**
   * What the linearizability checker judges. An unknown write that was applied took effect before
   * its first application; one that never was, with all logs converged, did not happen. Unknown
   * reads say nothing.
   */
  history(isConverged: boolean): Operation<RegisterCommand, string>[] {
    return this.calls.flatMap((call) => {
      const { command: input, outcome, output } = call;
      if (outcome === 'done') return [{ call: call.call, return: call.end, input, output }];
      if (outcome === 'refused' || input.kind === 'get') return [];
      const appliedAt = this.firstAppliedAt.get(input.id);
      if (appliedAt !== undefined) {
        return [{ call: call.call, return: appliedAt, input, output: undefined }];
      }
      return isConverged ? [] : [{ call: call.call, return: Infinity, input, output: undefined }];
    });
  }

  /** Commands that were refused for certain and yet took effect. */
  refusedButApplied(): RegisterCommand[] {
    return this.calls
      .filter((call) => call.outcome === 'refused' && this.firstAppliedAt.has(call.command.id))
      .map((call) => call.command);
  }

  acknowledgedWrites(): RegisterCommand[] {
    return this.calls
      .filter((call) => call.outcome === 'done' && call.command.kind !== 'get')
      .map((call) => call.command);
  }
}
