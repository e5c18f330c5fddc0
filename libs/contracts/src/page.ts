// How lists are read: page by page. The cursor is the sort key of the last item given, so that pages stay true to each other while
// items come and go.

import { z } from 'zod';
import { revisionSchema } from './names';

export const page = {
  limit: z.int().min(1).max(1_000).default(100),
  /** From the previous page's answer. */
  cursor: z.string().max(256).optional(),
};
export const pageReply = { cursor: z.string().optional(), revision: revisionSchema };

export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface Page<Item> {
  readonly items: Item[];
  readonly cursor?: string;
}

/** One page of a list, sorted. `keyOf` must be unique among the items. */
export function pageOf<Item>(
  items: Iterable<Item>,
  keyOf: (item: Item) => string,
  { limit, cursor }: PageRequest,
): Page<Item> {
  const rest = [...items]
    .map((item) => ({ item, key: keyOf(item) }))
    .filter(({ key }) => cursor === undefined || key > cursor)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(({ item }) => item),
    ...(rest.length > limit && last !== undefined ? { cursor: last.key } : {}),
  };
}
