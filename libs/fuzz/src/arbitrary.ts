// Values that a JSON schema describes, made by fast-check: with the cluster's own words where a field has some, with whatever the
// schema lets through otherwise, and with a liking for the ends of every range.

import fc, { type Arbitrary } from 'fast-check';
import type { Definitions, JsonSchema } from './document';
import { wordsFor } from './vocabulary';

/** Of a hundred values of a field that has words, so many are one of them. */
const wordShare = 85;
const ownShare = 100 - wordShare;
const maxItems = 4;
const maxLength = 40;
const maxDepth = 3;

export class Arbitraries {
  readonly #definitions: Definitions;
  readonly #made = new Map<JsonSchema, Arbitrary<unknown>>();

  constructor(definitions: Definitions) {
    this.#definitions = definitions;
  }

  /** One value, the same for the same schema and seed. */
  sample(schema: JsonSchema, name: string, seed: number): unknown {
    const known = this.#made.get(schema);
    const made = known ?? this.#of(schema, name, 0);
    if (known === undefined) this.#made.set(schema, made);
    return fc.sample(made, { numRuns: 1, seed })[0];
  }

  #of(schema: JsonSchema, name: string, depth: number): Arbitrary<unknown> {
    const own = this.#byShape(schema, name, depth);
    const type = schema['type'];
    const fitting = (wordsFor(name) ?? []).filter((word) =>
      type === 'integer' || type === 'number'
        ? typeof word === 'number' && inRange(schema, word)
        : type === 'string' && typeof word === 'string' && fitsText(schema, word),
    );
    if (fitting.length === 0) return own;
    return fc.oneof(
      { weight: wordShare, arbitrary: fc.constantFrom(...fitting) },
      { weight: ownShare, arbitrary: own },
    );
  }

  #byShape(schema: JsonSchema, name: string, depth: number): Arbitrary<unknown> {
    const { $ref, anyOf, oneOf, type } = schema;
    if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]));
    if (Object.hasOwn(schema, 'const')) return fc.constant(schema['const']);
    if (typeof $ref === 'string') return this.#of(this.#resolve($ref), name, depth + 1);
    const branches = (anyOf ?? oneOf) as readonly JsonSchema[] | undefined;
    if (branches !== undefined) {
      const open = depth < maxDepth ? branches : branches.slice(0, 1);
      return fc.oneof(...open.map((branch) => this.#of(branch, name, depth)));
    }
    if (type === 'string') return textOf(schema);
    if (type === 'integer') return integerOf(schema);
    if (type === 'number') return fc.double({ noNaN: true, noDefaultInfinity: true });
    if (type === 'boolean') return fc.boolean();
    if (type === 'null') return fc.constant(null);
    if (type === 'array') return this.#arrayOf(schema, name, depth);
    if (type === 'object') return this.#objectOf(schema, name, depth);
    return fc.jsonValue({ maxDepth: 2 });
  }

  #resolve(ref: string): JsonSchema {
    const found = this.#definitions[ref.split('/').at(-1) ?? ''];
    if (found === undefined) throw new Error(`the document has no ${ref}`);
    return found;
  }

  #arrayOf(schema: JsonSchema, name: string, depth: number): Arbitrary<unknown> {
    const min = numberOf(schema['minItems'], 0);
    const most = depth >= maxDepth ? min : maxItems;
    const max = Math.min(numberOf(schema['maxItems'], most), Math.max(min, most));
    const items = (schema['items'] ?? {}) as JsonSchema;
    if (max === 0) return fc.constant([]);
    return fc.array(this.#of(items, name, depth + 1), { minLength: min, maxLength: max });
  }

  #objectOf(schema: JsonSchema, name: string, depth: number): Arbitrary<unknown> {
    const properties = (schema['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>;
    const required = (schema['required'] ?? []) as readonly string[];
    const fields = Object.fromEntries(
      Object.entries(properties).map(([key, each]) => [key, this.#of(each, key, depth + 1)]),
    );
    const known = fc.oneof(
      fc.record(fields, { requiredKeys: [...required], noNullPrototype: true }),
      fc.record(only(fields, required), { noNullPrototype: true }),
    );
    const further = schema['additionalProperties'];
    if (typeof further !== 'object' || further === null) return known;
    const keys = this.#of((schema['propertyNames'] ?? { type: 'string' }) as JsonSchema, '', depth);
    const values = this.#of(further as JsonSchema, name, depth + 1);
    return fc.dictionary(keys as Arbitrary<string>, values, {
      maxKeys: maxItems,
      noNullPrototype: true,
    });
  }
}

function only<T>(fields: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => names.includes(name)));
}

const numberOf = (value: unknown, otherwise: number): number =>
  typeof value === 'number' ? value : otherwise;

function inRange(schema: JsonSchema, word: number): boolean {
  const min = numberOf(schema['minimum'], -Infinity);
  return word >= min && word <= numberOf(schema['maximum'], Infinity);
}

function fitsText(schema: JsonSchema, word: string): boolean {
  const { pattern } = schema;
  if (typeof pattern === 'string' && !new RegExp(pattern, 'u').test(word)) return false;
  const min = numberOf(schema['minLength'], 0);
  return word.length >= min && word.length <= numberOf(schema['maxLength'], Infinity);
}

function textOf(schema: JsonSchema): Arbitrary<string> {
  const { pattern } = schema;
  if (typeof pattern === 'string') return fc.stringMatching(new RegExp(pattern));
  const minLength = numberOf(schema['minLength'], 0);
  const most = numberOf(schema['maxLength'], maxLength);
  const usual = fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(most, maxLength) });
  const fitting = usual.filter((text) => text.length >= minLength && text.length <= most);
  const ends = fc.constantFrom('x'.repeat(minLength), 'x'.repeat(Math.min(most, 2_048)));
  return fc.oneof({ weight: 6, arbitrary: fitting }, { weight: 1, arbitrary: ends });
}

function integerOf(schema: JsonSchema): Arbitrary<number> {
  const min = numberOf(schema['minimum'], Number.MIN_SAFE_INTEGER);
  const max = numberOf(schema['maximum'], Number.MAX_SAFE_INTEGER);
  const near = fc.integer({ min, max: Math.min(max, min + 100) });
  return fc.oneof(
    near,
    fc.maxSafeInteger().map((n) => clamp(n, min, max)),
  );
}

const clamp = (n: number, min: number, max: number): number => Math.min(Math.max(n, min), max);
