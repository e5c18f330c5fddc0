// That nobody has any of these addresses, said in as few compares as it takes: those given out together mostly follow each other.

import { unchanged, type Compare } from './records';

/** Holds exactly if none of the keys exists. Keys of addresses, whose texts follow each other as the addresses do. */
export function allAbsent(keys: readonly string[]): Compare[] {
  const compares: Compare[] = [];
  let first = '';
  let last = '';
  for (const key of [...keys].sort()) {
    if (first !== '' && isNext(last, key)) {
      last = key;
      continue;
    }
    if (first !== '') compares.push(absentBetween(first, last));
    first = last = key;
  }
  if (first !== '') compares.push(absentBetween(first, last));
  return compares;
}

/** A span without a key stands for one that is absent. */
function absentBetween(first: string, last: string): Compare {
  if (first === last) return unchanged(first, 0);
  return { ...unchanged(first, 0), rangeEnd: `${last}\0` };
}

/** Whether no address lies between: the number at the end of the one, in hexadecimal, is one less than the other's. */
function isNext(key: string, next: string): boolean {
  let at = key.length - 1;
  while (key[at] === 'f') at -= 1;
  const digit = Number.parseInt(key[at] ?? '', 16);
  if (Number.isNaN(digit)) return false;
  const zeros = '0'.repeat(key.length - 1 - at);
  return next === `${key.slice(0, at)}${(digit + 1).toString(16)}${zeros}`;
}
