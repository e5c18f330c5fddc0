import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  ActorSystem,
  AskFailure,
  type ActorFailure,
  type ActorTimers,
  type Behavior,
  type DeadLetter,
  type Directive,
  type Reply,
} from './index';

/** Time that stands still until a test moves it. */
class HandTimers implements ActorTimers {
  #now = 0;
  readonly #due = new Map<() => void, number>();

  schedule(ms: number, fn: () => void): () => void {
    const entry = (): void => fn();
    this.#due.set(entry, this.#now + ms);
    return () => this.#due.delete(entry);
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const [fn, at] of [...this.#due]) {
      if (at > this.#now || !this.#due.delete(fn)) continue;
      fn();
    }
  }

  get count(): number {
    return this.#due.size;
  }
}

/** Lets all micro-tasks that are due run. */
async function settle(): Promise<void> {
  for (let i = 0; i < 100; i += 1) await Promise.resolve();
}

interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

function gate(): Gate {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

let timers: HandTimers;
let letters: DeadLetter[];
let failures: ActorFailure[];
let system: ActorSystem;

beforeEach(() => {
  timers = new HandTimers();
  letters = [];
  failures = [];
  system = ActorSystem.create({
    timers,
    onDeadLetter: (letter) => letters.push(letter),
    onFailure: (failure) => failures.push(failure),
  });
});

describe('mailbox', () => {
  it('takes one message at a time, in order', async () => {
    const log: string[] = [];
    const gates = [gate(), gate()];
    const ref = system.spawn<number>('counter', 'a', () => ({
      async receive(n) {
        log.push(`begin ${n}`);
        await gates[n]?.opened;
        log.push(`end ${n}`);
      },
    }));
    ref.tell(0);
    ref.tell(1);
    await settle();
    expect(log).toEqual(['begin 0']);
    gates[1]?.open();
    gates[0]?.open();
    await settle();
    expect(log).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1']);
  });

  it('refuses a message past its limit and counts only what waits', async () => {
    const held = gate();
    const ref = system.spawn<number>('slow', 'a', () => ({ receive: () => held.opened }), {
      mailboxLimit: 2,
    });
    ref.tell(0);
    await settle();
    expect([ref.tell(1), ref.tell(2), ref.tell(3)]).toEqual(['accepted', 'accepted', 'overloaded']);
    expect(ref.waiting).toBe(2);
    await expect(ref.ask(() => 4)).rejects.toMatchObject({ code: 'overloaded' });
    held.open();
    await settle();
    expect(ref.tell(5)).toBe('accepted');
  });

  it('never runs the actor inside tell', () => {
    let ran = false;
    const ref = system.spawn<number>('lazy', 'a', () => ({
      receive: () => {
        ran = true;
      },
    }));
    ref.tell(1);
    expect(ran).toBe(false);
  });

  it('hands all waiting messages of a turn to receiveBatch, at most maxBatch', async () => {
    const batches: number[][] = [];
    const ref = system.spawn<number>(
      'batcher',
      'a',
      () => ({ receiveBatch: (messages) => void batches.push([...messages]) }),
      { maxBatch: 3 },
    );
    for (let n = 0; n < 5; n += 1) ref.tell(n);
    await settle();
    expect(batches).toEqual([
      [0, 1, 2],
      [3, 4],
    ]);
  });

  it('keeps order over many more messages than one batch', async () => {
    const seen: number[] = [];
    const ref = system.spawn<number>(
      'long',
      'a',
      () => ({ receiveBatch: (messages) => void seen.push(...messages) }),
      { mailboxLimit: 10_000, maxBatch: 7 },
    );
    for (let n = 0; n < 3_000; n += 1) ref.tell(n);
    while (ref.waiting > 0) await settle();
    await settle();
    expect(seen).toEqual(Array.from({ length: 3_000 }, (_, n) => n));
  });
});

describe('ask', () => {
  type Question = { reply: Reply<string>; how: 'answer' | 'refuse' | 'throw' | 'forget' };
  const oracle = (): Behavior<Question> => ({
    receive({ reply, how }) {
      if (how === 'answer') reply.resolve('yes');
      if (how === 'refuse') reply.reject(new Error('no'));
      if (how === 'throw') throw new Error('broken');
    },
  });

  it('gives the answer', async () => {
    const ref = system.spawn('oracle', 'a', oracle);
    expect(await ref.ask<string>((reply) => ({ reply, how: 'answer' }))).toBe('yes');
  });

  it('rejects with what the actor rejects with, and the actor goes on', async () => {
    const ref = system.spawn('oracle', 'a', oracle);
    await expect(ref.ask<string>((reply) => ({ reply, how: 'refuse' }))).rejects.toThrow('no');
    expect(failures).toEqual([]);
    expect(await ref.ask<string>((reply) => ({ reply, how: 'answer' }))).toBe('yes');
  });

  it('fails when the actor throws, and keeps the cause', async () => {
    const ref = system.spawn('oracle', 'a', oracle);
    const asked = ref.ask<string>((reply) => ({ reply, how: 'throw' }));
    await expect(asked).rejects.toMatchObject({ code: 'failed', cause: { message: 'broken' } });
  });

  it('times out by the port, and leaves no timer after an answer', async () => {
    const ref = system.spawn('oracle', 'a', oracle);
    const forgotten = ref.ask<string>((reply) => ({ reply, how: 'forget' }), { timeoutMs: 50 });
    await settle();
    timers.advance(50);
    await expect(forgotten).rejects.toMatchObject({ code: 'timed_out' });
    await ref.ask<string>((reply) => ({ reply, how: 'answer' }), { timeoutMs: 50 });
    expect(timers.count).toBe(0);
  });

  it('rejects what still waits when the actor ends, and calls it a dead letter', async () => {
    const held = gate();
    const ref = system.spawn<number>('slow', 'a', () => ({ receive: () => held.opened }));
    ref.tell(0);
    await settle();
    const asked = ref.ask(() => 1);
    const stopped = ref.stop();
    held.open();
    await expect(asked).rejects.toBeInstanceOf(AskFailure);
    await stopped;
    expect(ref.tell(2)).toBe('stopped');
    expect(letters).toEqual([
      { address: 'slow/a', message: 1 },
      { address: 'slow/a', message: 2 },
    ]);
    expect(system.size).toBe(0);
  });
});

describe('supervision', () => {
  const spawnFaulty = (directive: Directive, log: string[]) =>
    system.spawn<string>(
      'faulty',
      'a',
      () => ({
        started: () => void log.push('started'),
        receive: (message) => {
          if (message === 'throw') throw new Error('broken');
          log.push(message);
        },
        stopped: () => void log.push('stopped'),
      }),
      { supervision: { decide: () => directive, maxRestarts: 2, withinMs: 1_000 } },
    );

  it.each([
    { directive: 'restart', log: ['started', 'stopped', 'started', 'next'], outcome: 'restarted' },
    { directive: 'stop', log: ['started', 'stopped'], outcome: 'stopped' },
    { directive: 'escalate', log: ['started', 'stopped'], outcome: 'escalated' },
  ] as const)('$directive: $outcome', async ({ directive, log, outcome }) => {
    const seen: string[] = [];
    const ref = spawnFaulty(directive, seen);
    ref.tell('throw');
    ref.tell('next');
    await settle();
    expect(seen).toEqual(log);
    expect(failures.map((failure) => failure.outcome)).toEqual([outcome]);
    expect(ref.isStopped).toBe(directive !== 'restart');
  });

  it('escalates after too many restarts within the time, and forgives old ones', async () => {
    const ref = spawnFaulty('restart', []);
    for (const message of ['throw', 'throw']) ref.tell(message);
    await settle();
    timers.advance(1_000);
    for (const message of ['throw', 'throw']) ref.tell(message);
    await settle();
    expect(ref.isStopped).toBe(false);
    ref.tell('throw');
    await settle();
    expect(ref.isStopped).toBe(true);
    expect(failures.at(-1)?.outcome).toBe('escalated');
  });

  it('restarts the parent with the fault of a child that escalates, and ends the child', async () => {
    const log: string[] = [];
    const parent = system.spawn<string>('parent', 'p', () => ({
      started: ({ spawn }) => {
        log.push('parent started');
        spawn<string>(
          'child',
          'c',
          () => ({
            receive: () => {
              throw new Error('from the child');
            },
          }),
          { supervision: { decide: () => 'escalate' } },
        );
      },
      receive: () => undefined,
    }));
    await settle();
    system.find<string>('child', 'c')?.tell('go');
    await settle();
    expect(log).toEqual(['parent started', 'parent started']);
    expect(failures).toMatchObject([{ address: 'parent/p', outcome: 'restarted' }]);
    await parent.stop();
    expect(system.size).toBe(0);
    expect(timers.count).toBe(0);
  });

  it('ends an actor whose start keeps failing', async () => {
    const ref = system.spawn<string>(
      'stillborn',
      'a',
      () => ({
        started: () => {
          throw new Error('no disk');
        },
        receive: () => undefined,
      }),
      { supervision: { maxRestarts: 3 } },
    );
    await settle();
    expect(ref.isStopped).toBe(true);
    expect(failures).toHaveLength(4);
  });
});

describe('context', () => {
  it('tells later by the port, and forgets when the actor ends', async () => {
    const seen: string[] = [];
    const ref = system.spawn<string>('clock', 'a', () => ({
      started: ({ schedule }) => {
        schedule(10, 'first');
        schedule(20, 'second');
        schedule(15, 'cancelled')();
      },
      receive: (message) => void seen.push(message),
    }));
    await settle();
    timers.advance(15);
    await settle();
    expect(seen).toEqual(['first']);
    await ref.stop();
    expect(timers.count).toBe(0);
  });

  it('watches another actor to its end, and one that has ended already', async () => {
    const seen: string[] = [];
    const other = system.spawn<string>('other', 'a', () => ({ receive: () => undefined }));
    const watching = () => ({
      started: ({ watch }: Parameters<NonNullable<Behavior<string>['started']>>[0]) =>
        void watch(other, 'gone'),
      receive: (message: string) => void seen.push(message),
    });
    system.spawn<string>('early', 'a', watching);
    await settle();
    expect(seen).toEqual([]);
    await other.stop();
    system.spawn<string>('late', 'a', watching);
    await settle();
    expect(seen).toEqual(['gone', 'gone']);
  });

  it('lets an actor end itself after its turn', async () => {
    const ref = system.spawn<string>('shy', 'a', () => ({
      receive: (_message, context) => context.stop(),
    }));
    ref.tell('go');
    await settle();
    expect(system.find('shy', 'a')).toBeUndefined();
    expect(ref.isStopped).toBe(true);
  });

  it('takes two actors of one address for a bug, but allows the address again after the end', async () => {
    const spawn = () => system.spawn<string>('one', 'a', () => ({ receive: () => undefined }));
    const first = spawn();
    expect(spawn).toThrow('one/a');
    await first.stop();
    spawn();
    await system.stop();
    expect(system.size).toBe(0);
  });
});
