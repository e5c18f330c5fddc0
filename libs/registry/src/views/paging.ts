// One page of a sorted list. The cursor is the sort key of the last item given, so that pages stay true to each other while
// items come and go.

export interface Page<Item> {
  readonly items: Item[];
  readonly cursor?: string;
}

/** `keyOf` must be unique among the items. */
export function pageOf<Item>(
  items: Iterable<Item>,
  keyOf: (item: Item) => string,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
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
