// Text of IPv6 addresses: RFC 4291 §2.2 in, RFC 5952 out. Zones (`%eth0`) are refused: they mean something on one host only.

import { formatIpv4, parseIpv4 } from './ipv4';
import { parsed, refused, type Parsed } from './parsed';

const groupCount = 8;
const mappedPrefix = 0xffffn;

export function parseIpv6(text: string): Parsed<bigint> {
  if (text.includes('%')) return refused('zone_not_allowed', `'${text}' has a zone`);
  if (!/^[0-9a-fA-F:.]*$/.test(text)) {
    return refused('not_an_address', `'${text}' is not an address`);
  }
  const tail = dottedTail(text);
  if (!tail.ok) return tail;

  const halves = tail.value.split('::');
  if (halves.length > 2) return refused('group_count', `'${text}' has '::' twice`);
  const [left = [], right = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const given = left.length + right.length;
  // '::' stands for at least one group of zeros.
  if (halves.length === 2 ? given >= groupCount : given !== groupCount) {
    return refused('group_count', `'${text}' does not have 8 groups`);
  }
  const zeros = Array.from({ length: groupCount - given }, () => '0');
  let value = 0n;
  for (const group of [...left, ...zeros, ...right]) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) {
      return refused(
        'group_range',
        `group '${group}' of '${text}' is not 1 to 4 hexadecimal digits`,
      );
    }
    value = (value << 16n) | BigInt(`0x${group}`);
  }
  return parsed(value);
}

/** The same text with a dotted ending (`::ffff:10.0.0.1`) written as two groups. */
function dottedTail(text: string): Parsed<string> {
  if (!text.includes('.')) return parsed(text);
  const start = text.lastIndexOf(':') + 1;
  const tail = parseIpv4(text.slice(start));
  if (!tail.ok) return tail;
  const groups = `${(tail.value >> 16n).toString(16)}:${(tail.value & 0xffffn).toString(16)}`;
  return parsed(text.slice(0, start) + groups);
}

/** RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as `::`, mapped ones dotted. */
export function formatIpv6(value: bigint): string {
  if (value >> 32n === mappedPrefix) return `::ffff:${formatIpv4(value & 0xffffffffn)}`;
  const groups = Array.from({ length: groupCount }, (_, index) =>
    Number((value >> BigInt(16 * (groupCount - 1 - index))) & 0xffffn),
  );
  const run = longestZeroRun(groups);
  const text = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  if (run.length < 2) return text(groups);
  return `${text(groups.slice(0, run.start))}::${text(groups.slice(run.start + run.length))}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  groups.forEach((group, index) => {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: index - length + 1, length };
  });
  return best;
}
