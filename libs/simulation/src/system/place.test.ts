// A place's lives and pauses: what belongs to one life happens in no other.

import { describe, expect, it } from '@jest/globals';
import { EventQueue } from '../event-queue';
import { Random } from '../random';
import { Place } from './place';

function opened() {
  const queue = new EventQueue();
  const place = new Place('p', queue, new Random(1), () => undefined);
  const seen: string[] = [];
  const runFor = (ms: number): void => {
    let isOver = false;
    queue.after(ms, () => (isOver = true));
    while (!isOver) queue.runNext();
  };
  place.start();
  return { place, seen, runFor, note: (text: string) => () => void seen.push(text) };
}

describe('a place', () => {
  it('keeps timers and messages for the end of a pause', () => {
    const { place, seen, runFor, note } = opened();
    place.time.after(5, note('timer'));
    place.pause();
    place.whenAwake(note('message'));
    runFor(20);
    expect(seen).toEqual([]);
    place.resume();
    runFor(1);
    expect(seen.toSorted()).toEqual(['message', 'timer']);
  });

  it('runs nothing of an earlier life', () => {
    const { place, seen, runFor, note } = opened();
    place.time.after(5, note('old'));
    place.crash();
    place.whenAwake(note('while down'));
    place.start();
    place.time.after(5, note('new'));
    runFor(20);
    expect(seen).toEqual(['new']);
  });

  it('calls a timer off, even one that waits for the end of a pause', () => {
    const { place, seen, runFor, note } = opened();
    const cancel = place.time.after(5, note('timer'));
    place.pause();
    runFor(10);
    cancel();
    place.resume();
    runFor(10);
    expect(seen).toEqual([]);
  });

  it('lets its wall clock jump and its monotonic one never', () => {
    const { place } = opened();
    const [wall, monotonic] = [place.time.wallMs(), place.time.monotonicMs()];
    place.jumpWallClock(-60_000);
    expect(place.time.wallMs()).toBe(wall - 60_000);
    expect(place.time.monotonicMs()).toBe(monotonic);
  });
});
