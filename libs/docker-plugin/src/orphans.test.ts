// When an endpoint that no container has is released, and when not.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { Book, type Hold } from './book';
import { OrphanWatch } from './orphans';

const graceMs = 1_000;
let book: Book;
let watch: OrphanWatch;
const hold = (id: string, more: Partial<Hold> = {}) =>
  book.put({
    ...{ id, network: 'n1', mac: '02:00:00:00:00:01', addresses: ['10.1.0.2/24'] },
    ...{ isClaimed: false, isReleased: false, isPlugged: true },
    ...more,
  });
const look = (nowMs: number, committed: string[], engineIds: string[] | null = []) =>
  watch.look({
    book,
    committed: new Map(committed.map((id) => [id, 'n1'])),
    engineIds: engineIds === null ? null : new Set(engineIds),
    nowMs,
  });

beforeEach(() => {
  book = new Book();
  watch = new OrphanWatch(graceMs);
});

describe('an endpoint is released after the grace', () => {
  it('if it is committed and not in the book', () => {
    expect(look(0, ['lost']).release).toEqual([]);
    expect(look(graceMs - 1, ['lost']).release).toEqual([]);
    expect(look(graceMs, ['lost']).release).toEqual([{ id: 'lost', network: 'n1' }]);
  });

  it('if it was held for a call that nothing followed', () => {
    hold('held');
    look(0, ['held']);
    expect(look(graceMs, ['held']).release).toEqual([{ id: 'held', network: 'n1' }]);
  });

  it('if the engine does not have it any more', () => {
    hold('made', { engineId: 'e1' });
    look(0, ['made'], ['e2']);
    expect(look(graceMs, ['made'], ['e2']).release).toEqual([{ id: 'made', network: 'n1' }]);
  });
});

describe('an endpoint stays', () => {
  it('while the engine has it, or can’t be asked', () => {
    hold('made', { engineId: 'e1' });
    for (const nowMs of [0, graceMs, 9 * graceMs]) {
      expect(look(nowMs, ['made'], ['e1'])).toEqual({ release: [], forget: [] });
      expect(look(nowMs, ['made'], null)).toEqual({ release: [], forget: [] });
    }
  });

  it('if its container came back in time, and then has the whole grace again', () => {
    hold('made', { engineId: 'e1' });
    look(0, ['made'], []);
    look(500, ['made'], ['e1']);
    look(900, ['made'], []);
    expect(look(graceMs, ['made'], []).release).toEqual([]);
  });

  it('while it is being attached', () => {
    hold('new', { addresses: [] });
    look(0, []);
    expect(look(graceMs, [])).toEqual({ release: [], forget: [] });
  });
});

it('what the registry has taken back is forgotten', () => {
  hold('gone', { engineId: 'e1' });
  look(0, [], ['e1']);
  expect(look(graceMs, [], ['e1'])).toEqual({ release: [], forget: ['gone'] });
});
