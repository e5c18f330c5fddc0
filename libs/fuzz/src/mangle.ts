// A JSON value with one thing in it changed: another type, a missing or an unknown field, an odd text or number, far too much.

import type { Random } from '@skein/simulation';
import { nastyNumbers, nastyTexts } from './vocabulary';

const tooMany = 3_000;
const tooDeep = 500;

/** A changed copy. */
export function mangle(value: unknown, random: Random): unknown {
  const isArray = Array.isArray(value);
  const isObject = typeof value === 'object' && value !== null;
  const keys = isObject ? Object.keys(value) : [];
  if (!isObject || random.chance(0.15)) return odd(value, random);
  if (isArray) {
    if (keys.length > 0 && random.chance(0.7)) return changeAt(value, random.int(value.length));
    return random.chance(0.5) ? [...value, odd(value[0], random)] : many(value[0] ?? null);
  }
  const record = value as Readonly<Record<string, unknown>>;
  if (keys.length === 0 || random.chance(0.15))
    return { ...record, [random.pick(['colour', 'Name', 'names', '', '$ref', 'once'])]: 1 };
  const key = random.pick(keys);
  if (random.chance(0.2)) return without(record, key);
  return {
    ...record,
    [key]: random.chance(0.5) ? mangle(record[key], random) : odd(record[key], random),
  };

  function changeAt(list: readonly unknown[], at: number): unknown[] {
    return list.map((each, index) => (index === at ? mangle(each, random) : each));
  }
}

const many = (item: unknown): unknown[] => Array.from({ length: tooMany }, () => item);

function without(record: Readonly<Record<string, unknown>>, key: string): object {
  return Object.fromEntries(Object.entries(record).filter(([each]) => each !== key));
}

/** Something else in its place. */
function odd(value: unknown, random: Random): unknown {
  if (typeof value === 'string' && random.chance(0.6)) return random.pick(nastyTexts);
  if (typeof value === 'number' && random.chance(0.6)) return random.pick(nastyNumbers);
  return random.pick([
    null,
    true,
    7,
    'text',
    [],
    {},
    [[value]],
    { value },
    nested(tooDeep),
    random.pick(nastyTexts),
    random.pick(nastyNumbers),
  ]);
}

function nested(depth: number): unknown {
  let value: unknown = 0;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}

/** Texts that are no JSON, or that readers of JSON disagree about. */
export function brokenJson(text: string, random: Random): string {
  return random.pick([
    text.slice(0, -1),
    `${text}}`,
    `${text}${text}`,
    `\ufeff${text}`,
    "{'name':'web'}",
    '{"name":web}',
    '{"name":"web",}',
    '{"name":"\u0001"}',
    '{"name":"\\x"}',
    '{"a":01}',
    '{"a":NaN}',
    '{"__proto__":{"admin":true}}',
    'name=web&host=h1',
    '<name>web</name>',
    '\0',
    '['.repeat(100_000),
    '{"a":'.repeat(20_000),
  ]);
}

/** The same object with one of its members twice. */
export function withDuplicate(text: string): string {
  return text.replace(/^\{("(?:[^"\\]|\\.)*":)/, '{$1{"twice":1},$1');
}
