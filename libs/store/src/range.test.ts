// Reading spans: order, bounds, limits, the room of an answer; and the set of keys below, against a plain list.

import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Asker } from './fixture';
import { KeyIndex } from './key-index';
import { jsonBytes, maxReplyBytes } from './reply-size';
import { SortedKeys } from './sorted-keys';
import { type RangeReply, type RangeRequest } from './types';

let asker: Asker;

beforeEach(() => {
  asker = new Asker();
});

function reply(request: RangeRequest): RangeReply {
  const outcome = asker.store.range(request);
  if (!outcome.ok) throw new Error(outcome.refusal.code);
  return outcome.reply;
}

const keysOf = (request: Omit<RangeRequest, 'key'>) =>
  reply({ key: 'k/', prefix: true, ...request }).kvs.map(({ key }) => key.slice(2));

describe('order of a range', () => {
  // create revisions a1 b2 c3, mod revisions a5 b2 c4, versions a2 b1 c2, values a=m b=z c=m
  beforeEach(() => {
    asker.put('k/a', 'x');
    asker.put('k/b', 'z');
    asker.put('k/c', 'y');
    asker.put('k/c', 'm');
    asker.put('k/a', 'm');
  });

  it.each([
    ['key', 'ascending', 'a b c'],
    ['key', 'descending', 'c b a'],
    ['version', 'ascending', 'b a c'],
    ['version', 'descending', 'a c b'],
    ['createRevision', 'ascending', 'a b c'],
    ['createRevision', 'descending', 'c b a'],
    ['modRevision', 'ascending', 'b c a'],
    ['modRevision', 'descending', 'a c b'],
    ['value', 'ascending', 'a c b'],
    ['value', 'descending', 'b a c'],
  ] as const)('by %s, %s: %s', (by, order, expected) => {
    expect(keysOf({ sort: { by, order } }).join(' ')).toBe(expected);
  });

  it('is made before the limit is counted', () => {
    const sort = { by: 'modRevision', order: 'descending' } as const;
    expect(keysOf({ sort, limit: 2 })).toEqual(['a', 'c']);
    expect(reply({ key: 'k/', prefix: true, sort, limit: 2 })).toMatchObject({
      count: 3,
      more: true,
    });
    expect(reply({ key: 'k/', prefix: true, sort, limit: 3 }).more).toBe(false);
  });

  it('goes by the values even where only keys are wanted', () => {
    const sort = { by: 'value', order: 'descending' } as const;
    expect(keysOf({ sort, keysOnly: true })).toEqual(['b', 'a', 'c']);
    expect(asker.read({ key: 'k/', prefix: true, sort, keysOnly: true })[0]).toBe('k/b=');
  });

  it.each([
    [{ minModRevision: 4 }, 'a c'],
    [{ maxModRevision: 4 }, 'b c'],
    [{ minModRevision: 3, maxModRevision: 4 }, 'c'],
    [{ minCreateRevision: 2 }, 'b c'],
    [{ maxCreateRevision: 1 }, 'a'],
    [{ minModRevision: 0, maxModRevision: 0 }, 'a b c'],
    [{ minModRevision: 9 }, ''],
  ])('chooses by %j: %s', (bounds, expected) => {
    expect(keysOf(bounds).join(' ')).toBe(expected);
    expect(reply({ key: 'k/', prefix: true, ...bounds }).count).toBe(3);
  });

  it('fills the limit with what passes the bounds', () => {
    expect(reply({ key: 'k/', prefix: true, minModRevision: 4, limit: 2 })).toMatchObject({
      kvs: [{ key: 'k/a' }, { key: 'k/c' }],
      more: false,
    });
  });

  it('is that of the revision that is read', () => {
    const sort = { by: 'value', order: 'ascending' } as const;
    expect(keysOf({ sort, revision: 3 })).toEqual(['a', 'c', 'b']);
    expect(keysOf({ descending: true, revision: 2 })).toEqual(['b', 'a']);
  });
});

describe('room of an answer', () => {
  it('ends a range early and says that there is more', () => {
    for (let key = 0; key < 20; key += 1) asker.put(`k/${key + 10}`, 'v'.repeat(100_000));
    const { kvs, count, more } = reply({ key: 'k/', prefix: true });
    expect({ count, more }).toEqual({ count: 20, more: true });
    expect(JSON.stringify(kvs).length).toBeLessThanOrEqual(maxReplyBytes);
    expect(kvs).toHaveLength(7);
    expect(reply({ key: 'k/', prefix: true, keysOnly: true }).kvs).toHaveLength(20);
  });

  it('never keeps a single key back, however large', () => {
    asker.put('huge', '\u0001'.repeat(512 * 1024));
    asker.put('huger', 'x');
    expect(reply({ key: 'hug', prefix: true })).toMatchObject({
      kvs: [{ key: 'huge' }],
      more: true,
    });
  });

  it('measures no text smaller than it is', () => {
    const units = fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) });
    const holds = fc.property(fc.oneof(units, fc.string({ unit: 'binary' })), (text) => {
      const bytes = new TextEncoder().encode(JSON.stringify(text)).length - 2;
      expect(jsonBytes(text)).toBeGreaterThanOrEqual(bytes);
    });
    fc.assert(holds, { numRuns: 300 });
  });
});

describe('versions of a key', () => {
  it('are those that can still be read, oldest first', () => {
    for (const value of ['1', '2', '3']) asker.put('a', value);
    asker.done({ type: 'delete', key: 'a' });
    asker.put('a', '4');
    const values = () =>
      asker.store.versions('a').map(({ value, version }) => `${value}:${version}`);
    expect(values()).toEqual(['1:1', '2:2', '3:3', ':0', '4:1']);
    const source = asker.store.beginSnapshot();
    asker.done({ type: 'compact', revision: 2 });
    expect(values()).toEqual(['2:2', '3:3', ':0', '4:1']);
    asker.done({ type: 'compact', revision: 4 });
    expect(values()).toEqual(['4:1']);
    source.close();
    expect(asker.store.versions('none')).toEqual([]);
  });
});

describe('key index', () => {
  it('holds nothing of a key whose deletion is compacted', () => {
    const index = new KeyIndex();
    const kv = { key: 'a', value: '', createRevision: 1, modRevision: 1, version: 1 };
    index.add(kv, undefined);
    index.add({ ...kv, createRevision: 0, modRevision: 2, version: 0 }, index.find('a'));
    index.trim('a', 1);
    expect(index.find('a')).toHaveLength(2);
    index.trim('a', 2);
    expect(index.find('a')).toBeUndefined();
    index.add({ ...kv, modRevision: 3 }, undefined);
    expect(index.size).toBe(1);
  });
});

describe('set of keys', () => {
  it('does as a sorted list does', () => {
    const run = fc.property(fc.nat(), fc.nat(3_000), fc.nat(3_000), (seed, one, other) => {
      const keys = new SortedKeys();
      const model = new Set<string>();
      // Drawn from a seed, since a list of thousands takes minutes to shrink.
      for (let draw = seed, count = 0; count < 3_000; count += 1) {
        draw = (Math.imul(draw, 1_103_515_245) + 12_345) & 0x7fffffff;
        const key = String((draw >> 8) % 3_000);
        if (model.has(key)) keys.remove(key);
        else keys.add(key);
        if (!model.delete(key)) model.add(key);
      }
      const [from, end] = [String(one), String(other)];
      const expected = [...model].sort().filter((key) => key >= from && key < end);
      const there: string[] = [];
      const back: string[] = [];
      keys.scan(from, end, (key) => there.push(key) < 0);
      keys.scanBack(from, end, (key) => back.push(key) < 0);
      expect(there).toEqual(expected);
      expect(back.reverse()).toEqual(expected);
      expect(keys.count(from, end)).toBe(expected.length);
      expect(keys.count('', undefined)).toBe(model.size);
      expect(keys.count(from, undefined)).toBe([...model].filter((key) => key >= from).length);
    });
    fc.assert(run, { numRuns: 30 });
  });
});
