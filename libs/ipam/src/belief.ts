// What an activation believes of a network's addresses, short enough to be sent and compared: a digest a bucket, and the
// entries of a bucket where digests differ. Equal revisions mean equal records, so no record is looked into.

/** An address in sortable form, and the revision at which its record was last written. */
export type BeliefEntry = readonly [sortable: string, modRevision: number];

export const beliefBuckets = 64;

/** Hexadecimal, one a bucket; the order of the entries does not matter. */
export function beliefDigests(entries: Iterable<BeliefEntry>): string[] {
  const sums = new Uint32Array(2 * beliefBuckets);
  for (const [sortable, modRevision] of entries) {
    const text = `${sortable}@${modRevision}`;
    const at = 2 * bucketOf(sortable);
    sums[at] = (sums[at] ?? 0) + hash(text, 0x811c9dc5);
    sums[at + 1] = (sums[at + 1] ?? 0) ^ hash(text, 0x01000193);
  }
  const hex = (value = 0): string => value.toString(16).padStart(8, '0');
  return Array.from({ length: beliefBuckets }, (_, bucket) => {
    return `${hex(sums[2 * bucket])}${hex(sums[2 * bucket + 1])}`;
  });
}

export function entriesOfBucket(entries: Iterable<BeliefEntry>, bucket: number): BeliefEntry[] {
  return [...entries].filter(([sortable]) => bucketOf(sortable) === bucket);
}

function bucketOf(sortable: string): number {
  return hash(sortable, 0x811c9dc5) % beliefBuckets;
}

/** FNV-1a, with a final mix, since neighbouring addresses differ in their last character only. */
function hash(text: string, start: number): number {
  let value = start;
  for (let at = 0; at < text.length; at += 1) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  return (value ^ (value >>> 13)) >>> 0;
}
