// The token book over a store in memory: what happens while the store is away, and how uses are written down.

import { afterEach, expect, it } from '@jest/globals';
import { keys } from '@skein/contracts';
import { createMemoryStore, type MemoryStore } from '@skein/store-client';
import { TokenBook } from './token-book';

let now = 1_000_000;
const books: TokenBook[] = [];
afterEach(() => books.splice(0).forEach((each) => each.close()));

function open(store: MemoryStore): TokenBook {
  const book = new TokenBook({ store, now: () => now, warn: () => undefined });
  books.push(book);
  book.start();
  return book;
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 20));
const by = { name: 'local', requestId: 'r1' };
const code = (expected: string) => expect.objectContaining({ code: expected });

it('says that it can not tell before the tokens are read, and knows them in every gateway after', async () => {
  const store = createMemoryStore();
  const first = open(store);
  await settled();
  const { token, id } = await first.create({ name: 'ci', role: 'operator' }, by);
  const second = open(store);
  expect(() => second.find(token)).toThrow(code('unavailable'));
  await settled();
  expect(second.find(token)).toMatchObject({ id, name: 'ci', role: 'operator' });
  await first.revoke(id);
  await settled();
  expect(() => first.find(token)).toThrow(code('unauthenticated'));
  expect(() => second.find(token)).toThrow(code('unauthenticated'));
});

it('lets no other secret in under the id of a token', async () => {
  const book = open(createMemoryStore());
  await settled();
  const { token } = await book.create({ name: 'ci', role: 'admin' }, by);
  const other = token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A');
  expect(() => book.find(other)).toThrow(code('unauthenticated'));
});

it('writes a use down once in a while, and nothing for a token that is gone', async () => {
  const store = createMemoryStore();
  const book = open(store);
  await settled();
  const { token, id } = await book.create({ name: 'ci', role: 'viewer', ttlMs: 3_600_000 }, by);
  book.find(token);
  await book.flush();
  const usedAt = async () => (await book.list()).tokens[0]?.lastUsedAt;
  expect(await usedAt()).toBe(now);
  const before = now;
  now += 60_000;
  book.find(token);
  await book.flush();
  expect(await usedAt()).toBe(before);
  now += 600_000;
  book.find(token);
  await book.flush();
  expect(await usedAt()).toBe(now);
  now += 3_600_000;
  expect(() => book.find(token)).toThrow(code('unauthenticated'));
  expect((await book.list()).tokens[0]?.state).toBe('expired');
  await book.revoke(id);
  await book.flush();
  expect((await store.range({ key: keys.accessUses, prefix: true })).count).toBe(0);
});
