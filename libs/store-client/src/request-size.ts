// About how long a request is as JSON, in characters before escapes: cheap, and never far too little.

const fieldCharacters = 16;

/** Sums the text in an object, however deep, and an allowance for each field and number. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 8;
  let size = 2;
  if (Array.isArray(value)) {
    for (const each of value) size += sizeOf(each) + 1;
    return size;
  }
  for (const name in value) {
    size += fieldCharacters + sizeOf((value as Record<string, unknown>)[name]);
  }
  return size;
}
