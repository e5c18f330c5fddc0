// One caller of ipam: asks for a few endpoints' addresses, keeps them for a while, gives them back; asks again when no answer
// comes, of any replica. It never gives back before its last request can no longer take effect.

import type { AddressCommand } from '@skein/ipam';
import type { EventQueue } from '../event-queue';
import type { Random } from '../random';
import type { AddressChecker, Batch } from './checker';
import type { Answer, Replica } from './replica';

export interface ClientOptions {
  readonly name: string;
  readonly queue: EventQueue;
  readonly random: Random;
  readonly replicas: readonly Replica[];
  readonly checker: AddressChecker;
  /** Addresses that it may ask for by name, allowed or not. */
  readonly addresses: readonly string[];
  readonly conditions: { loss: number; duplication: number };
  /** The client's host reboots: all that it holds is taken back, without asking ipam. False if something stood in the way. */
  readonly reboot: (endpointIds: readonly string[]) => boolean;
  readonly trace: (line: string) => void;
}

const timeoutMs = 1_500;
const maxTries = 12;

export class Client {
  /** Begins no more batches, and keeps or gives back what it has. */
  isClosing = false;
  isDone = false;
  private count = 0;

  constructor(private readonly options: ClientOptions) {
    this.options.queue.after(options.random.between(0, 300), () => this.next());
  }

  private next(): void {
    const { random, name, checker, addresses } = this.options;
    if (this.isClosing) {
      this.isDone = true;
      return;
    }
    this.count += 1;
    const isStatic = random.chance(0.25);
    const size = isStatic ? 1 : random.between(1, 3);
    const endpointIds = Array.from({ length: size }, (_, n) => `${name}-${this.count}-${n}`);
    const wanted = isStatic ? random.pick(addresses) : undefined;
    const batch: Batch = { endpointIds, wanted, isReleasing: false };
    checker.begin(batch);
    const command: AddressCommand = {
      kind: 'allocate',
      requests: endpointIds.map((endpointId) => ({
        endpointId,
        host: name,
        ...(wanted === undefined ? {} : { addresses: [wanted] }),
      })),
      cause: { request: `${name}-${this.count}`, at: 0 },
    };
    this.ask(command, maxTries, (answer, overMs) =>
      this.allocated({ batch, command }, answer, overMs),
    );
  }

  /** Before `overMs` what was sent could still take effect. */
  private allocated(
    asked: { readonly batch: Batch; readonly command: AddressCommand },
    answer: Answer | null,
    overMs: number,
  ): void {
    const { batch, command } = asked;
    const { checker, random, queue } = this.options;
    if (answer?.kind === 'accepted') {
      checker.acknowledged(batch, answer.allocations ?? []);
      if (!this.isClosing && overMs <= queue.nowMs && random.chance(0.1)) {
        return this.reboot(batch, command);
      }
      // Some keep theirs to the end.
      if (this.isClosing && random.chance(0.5)) return this.next();
      queue.after(Math.max(random.between(1, 500), overMs - queue.nowMs + 1), () => {
        if (this.isClosing && random.chance(0.5)) this.next();
        else this.release(batch);
      });
    } else if (answer?.kind === 'refused' && overMs <= queue.nowMs) this.pause();
    else queue.after(overMs - queue.nowMs + 1, () => this.release(batch));
  }

  /** Loses all at once, and asks for it again under the same names. */
  private reboot(batch: Batch, command: AddressCommand): void {
    const { checker, reboot } = this.options;
    checker.releasing(batch);
    if (!reboot(batch.endpointIds)) return this.release(batch);
    checker.begin(batch);
    batch.isReleasing = false;
    this.ask(command, maxTries, (answer, overMs) =>
      this.allocated({ batch, command }, answer, overMs),
    );
  }

  private release(batch: Batch): void {
    this.options.checker.releasing(batch);
    const { endpointIds } = batch;
    const cause = { request: `${this.options.name}-release`, at: 0 };
    this.ask({ kind: 'release', endpointIds, cause }, Infinity, () => this.pause());
  }

  private pause(): void {
    this.options.queue.after(this.options.random.between(1, 100), () => this.next());
  }

  /** Null after too many tries without a definite answer. */
  private ask(
    command: AddressCommand,
    tries: number,
    done: (answer: Answer | null, overMs: number) => void,
    { preferred, overMs = 0 }: { preferred?: string | undefined; overMs?: number } = {},
  ): void {
    const { queue, random, replicas, trace, name } = this.options;
    const replica =
      replicas.find((one) => one.name === preferred && random.chance(0.8)) ?? random.pick(replicas);
    const deadlineMs = queue.nowMs + timeoutMs;
    const isDoubled = random.chance(this.options.conditions.duplication);
    const lastMs = isDoubled ? deadlineMs : overMs;
    let isDone = false;
    const settle = (answer: Answer | null): void => {
      if (isDone) return;
      isDone = true;
      trace(`${Math.round(queue.nowMs)} ${name} ${command.kind} ${answer?.kind} ${answer?.code}`);
      const isDefinite =
        answer?.kind === 'accepted' ||
        (answer?.kind === 'refused' &&
          !['fenced', 'deadline_exceeded'].includes(answer.code ?? ''));
      if (isDefinite) return done(answer, Math.max(queue.nowMs, lastMs));
      const holder = answer?.kind === 'elsewhere' ? answer.holder : undefined;
      if (tries <= 1) done(null, deadlineMs);
      else {
        const rest = { preferred: holder, overMs: lastMs };
        queue.after(random.between(5, 60), () => this.ask(command, tries - 1, done, rest));
      }
    };
    this.send({ replica, command, deadlineMs, copies: isDoubled ? 2 : 1 }, settle);
    queue.after(timeoutMs, () => settle(null));
  }

  private send(
    parcel: { replica: Replica; command: AddressCommand; deadlineMs: number; copies: number },
    settle: (answer: Answer) => void,
  ): void {
    const { queue, random, conditions } = this.options;
    const { replica, command, deadlineMs, copies } = parcel;
    for (let copy = 0; copy < copies; copy += 1) {
      if (random.chance(conditions.loss)) continue;
      queue.after(1 + random.next() * 15 * (copy * 40 + 1), () => {
        const answer = (reply: Answer): void => {
          if (random.chance(conditions.loss)) return;
          queue.after(1 + random.next() * 15, () => settle(reply));
        };
        replica.receive({ command, deadlineMs, answer });
      });
    }
  }
}
