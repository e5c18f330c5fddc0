// What is wrong with one value, in words for people: a schema speaks its own language.

import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

const nouns: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

/** How a schema begins to speak if nobody gave it words of its own. */
const ownWords = /^(Invalid (input|option|string|discriminator value|key)|Too (small|big))/;

/** `value`: what stands there, if anything does. */
export function faultWords(issue: Issue, value: unknown): string {
  if (!ownWords.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return demand(value, `has to be ${nounOf(issue.expected)}`, kindOf(value), issue.expected);
    case 'invalid_value':
      return choice(value, issue.values);
    case 'invalid_union': {
      const { options } = issue as { options?: readonly unknown[] };
      return options === undefined ? alternatives(issue, value) : choice(value, options);
    }
    case 'too_small':
      return `has to ${bound(issue.origin, 'at least', 'more than', issue.inclusive)} ${issue.minimum}${unitOf(issue.origin)}`;
    case 'too_big':
      return `has to ${bound(issue.origin, 'at most', 'less than', issue.inclusive)} ${issue.maximum}${unitOf(issue.origin)}`;
    default:
      return issue.message.replace(/^Invalid (input|string): /, '');
  }
}

function alternatives(issue: z.core.$ZodIssueInvalidUnion, value: unknown): string {
  const firsts = issue.errors.flatMap(([first]) => first ?? []);
  const kinds = firsts.flatMap((first) =>
    first.code === 'invalid_type' && first.path.length === 0 ? [nounOf(first.expected)] : [],
  );
  if (kinds.length > 0 && kinds.length === issue.errors.length)
    return demand(value, `has to be ${kinds.join(' or ')}`);
  return firsts[0] === undefined ? 'does not fit' : faultWords(firsts[0], value);
}

function demand(value: unknown, demanded: string, kind?: string, expected?: string): string {
  if (value === undefined) return `missing, ${demanded}`;
  // Of a fraction where a whole number is wanted: that it is a number says nothing.
  const isKindTold = kind !== undefined && !(expected === 'int' && typeof value === 'number');
  return isKindTold ? `${demanded}, not ${kind}` : demanded;
}

function choice(value: unknown, options: readonly unknown[]): string {
  const [only] = options;
  if (options.length === 1) return demand(value, `has to be ${String(only)}`);
  const listed = options.map(String).join(', ');
  if (value === undefined) return `missing, one of ${listed}`;
  const shown = typeof value === 'string' ? `'${value.slice(0, 64)}'` : kindOf(value);
  return `${shown} is none of ${listed}`;
}

function bound(origin: string, limit: string, beyond: string, isInclusive = true): string {
  const verb = unitOf(origin) === '' ? 'be' : 'have';
  return `${verb} ${isInclusive ? limit : beyond}`;
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' || origin === 'set' ? ' entries' : '';
}

const nounOf = (type: string): string => nouns[type] ?? type;

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : nounOf(typeof value);
}
