// Watches as a leader keeps them: who gets what, in what order, and what each message says it follows.

import { describe, expect, it } from '@jest/globals';
import { createStore, type StoreRequest } from '@skein/store';
import { progressMs, Watches, watchTtlMs, type Delivery } from './watches';

function opened() {
  const store = createStore();
  const watches = new Watches(() => store);
  let logIndex = 0;
  const ask = (request: StoreRequest) =>
    void store.apply((logIndex += 1), { at: logIndex, requests: [request] });
  const put = (key: string, value = 'v') => ask({ type: 'put', key, value });
  return { store, watches, put, ask };
}
const steps = (deliveries: Iterable<Delivery>) =>
  [...deliveries].map(({ message }) =>
    message.kind === 'canceled'
      ? 'canceled'
      : `${message.kind} ${message.after}..${message.through}`,
  );
const opening = { watch: 'w', key: 'a/', prefix: true, deliver: 'skein.v1.watch.c.1' };

describe('watches', () => {
  it('sends what is new of a span, each message following the one before', () => {
    const { watches, put } = opened();
    put('a/1');
    watches.open({ ...opening, fromRevision: 1 }, 0);
    expect(steps(watches.deliveries(0))).toEqual(['events 0..1']);
    put('b');
    expect(steps(watches.deliveries(0))).toEqual([]);
    put('a/2');
    expect(steps(watches.deliveries(0))).toEqual(['events 1..3']);
    expect(steps(watches.deliveries(0))).toEqual([]);
  });

  it('starts after now if no revision is asked for', () => {
    const { watches, put } = opened();
    put('a/1');
    watches.open(opening, 0);
    put('a/2');
    expect(steps(watches.deliveries(0))).toEqual(['events 1..2']);
  });

  it('tells an idle watch how far it is, past what is not of its span', () => {
    const { watches, put } = opened();
    watches.open(opening, 0);
    put('b');
    expect(steps(watches.deliveries(0))).toEqual([]);
    expect(steps(watches.progress(progressMs - 1))).toEqual([]);
    expect(steps(watches.progress(progressMs))).toEqual(['progress 0..1']);
    expect(steps(watches.progress(progressMs * 2))).toEqual(['progress 1..1']);
  });

  it('leaves out the kinds of events that are not wanted', () => {
    const { watches, put, ask } = opened();
    watches.open({ ...opening, filters: ['noput'] }, 0);
    put('a/1');
    ask({ type: 'delete', key: 'a/1' });
    const [delivery] = [...watches.deliveries(0)];
    expect(delivery?.message).toMatchObject({
      revisions: [{ revision: 2, events: [{ type: 'delete' }] }],
    });
  });

  it('waits for a revision that is yet to come, and claims nothing before it (bug 37)', () => {
    const { watches, put } = opened();
    put('a/1');
    watches.open({ ...opening, fromRevision: 4 }, 0);
    expect(steps(watches.progress(progressMs))).toEqual(['progress 1..1']);
    put('a/2');
    put('a/3');
    expect(steps(watches.deliveries(0))).toEqual([]);
    expect(steps(watches.progress(progressMs * 2))).toEqual(['progress 1..3']);
    put('a/4');
    expect(steps(watches.deliveries(0))).toEqual(['events 3..4']);
  });

  it('never says more than it has sent when it is asked how far it is (bug 37)', () => {
    const { watches, put } = opened();
    watches.open(opening, 0);
    put('a/1');
    watches.askProgress('w');
    expect(steps(watches.progress(1))).toEqual(['progress 0..0']);
    expect(steps(watches.deliveries(1))).toEqual(['events 0..1']);
    watches.askProgress('w');
    expect(steps(watches.progress(2))).toEqual(['progress 1..1']);
  });

  it('gives a watch that is far behind its turns, and the others theirs', () => {
    const { watches, put } = opened();
    for (let n = 0; n < 10_000; n += 1) put('a/1');
    watches.open({ ...opening, fromRevision: 1 }, 0);
    watches.open({ ...opening, watch: 'v' }, 0);
    put('a/2');
    const first = [...watches.deliveries(0)].map(({ message }) => message.watch);
    expect(first).toContain('v');
    let through = 0;
    for (let turns = 0; through < 10_001 && turns < 10; turns += 1) {
      for (const { message } of watches.deliveries(0)) {
        if (message.kind === 'events' && message.watch === 'w') through = message.through;
      }
    }
    expect(first.filter((watch) => watch === 'w').length).toBeLessThan(20);
    expect(through).toBe(10_001);
  });

  it('splits what is large between revisions', () => {
    const { watches, put } = opened();
    watches.open(opening, 0);
    for (let n = 0; n < 5; n += 1) put('a/1', 'x'.repeat(60 * 1024));
    expect(steps(watches.deliveries(0))).toEqual(['events 0..2', 'events 2..4', 'events 4..5']);
  });

  it('renews without going back, and ends what is not renewed', () => {
    const { watches, put } = opened();
    put('a/1');
    watches.open({ ...opening, fromRevision: 1 }, 0);
    expect(steps(watches.deliveries(0))).toHaveLength(1);
    watches.open({ ...opening, fromRevision: 1 }, watchTtlMs);
    expect(steps(watches.deliveries(watchTtlMs))).toEqual([]);
    expect(steps(watches.progress(watchTtlMs * 2))).toEqual(['progress 1..1']);
    expect(steps(watches.progress(watchTtlMs * 2 + 1))).toEqual([]);
    expect(watches.size).toBe(0);
  });

  it('refuses a start that is compacted, and says what is', () => {
    const { watches, put, ask } = opened();
    put('a/1');
    put('a/2');
    ask({ type: 'compact', revision: 1 });
    expect(() => watches.open({ ...opening, fromRevision: 1 }, 0)).toThrow(
      expect.objectContaining({ code: 'revision_compacted', facts: { compactRevision: 1 } }),
    );
    watches.open({ ...opening, fromRevision: 2 }, 0);
    expect(steps(watches.deliveries(0))).toEqual(['events 1..2']);
  });

  it('splits a revision that fits into no message, and lets the receiver miss none of it', () => {
    const { watches, ask } = opened();
    const value = '\u0001'.repeat(50 * 1024);
    const keys = Array.from({ length: 8 }, (_, n) => `a/${n}`);
    for (const key of keys) ask({ type: 'put', key, value });
    watches.open({ ...opening, fromRevision: 9, previous: true }, 0);
    ask({ type: 'delete', key: 'a/', prefix: true });
    const deliveries = [...watches.deliveries(0)];
    for (const { message } of deliveries) {
      expect(Buffer.byteLength(JSON.stringify(message))).toBeLessThan(1024 * 1024);
    }
    expect(steps(deliveries)).toEqual(['events 8..8', 'events 8..8', 'events 8..9']);
    const events = deliveries.flatMap(({ message }) =>
      message.kind === 'events' ? message.revisions.flatMap((revision) => revision.events) : [],
    );
    expect(events.map(({ kv, previous }) => [kv.key, previous?.value])).toEqual(
      keys.map((key) => [key, value]),
    );
  });

  it('leaves out a previous value that fits into no message together with the new one', () => {
    const { watches, put } = opened();
    put('a/1', 'x'.repeat(512 * 1024));
    watches.open({ ...opening, fromRevision: 2, previous: true }, 0);
    put('a/1', 'y'.repeat(512 * 1024));
    const [delivery] = [...watches.deliveries(0)];
    expect(delivery?.message).toMatchObject({
      through: 2,
      revisions: [{ revision: 2, events: [{ type: 'put' }] }],
    });
    expect(JSON.stringify(delivery?.message).length).toBeLessThan(1024 * 1024);
  });

  it('ends a watch whose next revision was compacted before it was looked at', () => {
    const { watches, put, ask } = opened();
    for (let n = 0; n < 5; n += 1) put('a/1');
    watches.open({ ...opening, fromRevision: 1 }, 0);
    ask({ type: 'compact', revision: 3 });
    expect([...watches.deliveries(0)]).toEqual([
      {
        deliver: opening.deliver,
        message: { kind: 'canceled', watch: 'w', code: 'revision_compacted', compactRevision: 3 },
      },
    ]);
    expect(watches.size).toBe(0);
  });

  it.each([
    'to',
    'skein.v1.store.put',
    'skein.v1.watch.a b',
    'skein.v1.watch.a\r\nPUB x 0',
    'skein.v1.watch.>',
  ])('publishes to no subject but a watch’s own: %j', (deliver) => {
    const { watches } = opened();
    expect(() => watches.open({ ...opening, deliver }, 0)).toThrow(
      expect.objectContaining({ code: 'invalid_request', field: 'deliver' }),
    );
  });
});
