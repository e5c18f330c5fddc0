// A request before it is text: an operation and a value for each thing that it takes. Knows whether the document describes it.

import type { Random } from '@skein/simulation';
import type { Arbitraries } from './arbitrary';
import type { Operation, Parameter } from './document';

export interface Draft {
  readonly operation: Operation;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined: none. */
  readonly body: unknown;
}

const optionalShare = 0.3;
export const maxSeed = 2 ** 31 - 1;

/** A request as the document has it. */
export function draftOf(operation: Operation, random: Random, values: Arbitraries): Draft {
  const valueOf = (parameter: Parameter): string =>
    String(values.sample(parameter.schema, parameter.name, random.int(maxSeed)));
  const asked = operation.parameters.filter(
    (each) => each.in === 'path' || random.chance(each.required ? 1 : optionalShare),
  );
  const path = asked.filter((each) => each.in === 'path');
  const query = asked.filter((each) => each.in === 'query');
  const { body } = operation;
  return {
    operation,
    parameters: Object.fromEntries(path.map((each) => [each.name, valueOf(each)])),
    query: query.map((each) => [each.name, valueOf(each)] as const),
    headers: {},
    body: body === undefined ? undefined : values.sample(body, '', random.int(maxSeed)),
  };
}

/** False only if the document says that the gateway must refuse it. */
export function isDescribed({ operation, parameters, query, body }: Draft): boolean {
  const names = query.map(([name]) => name);
  if (new Set(names).size < names.length) return false;
  const byName = new Map(query);
  const known = operation.parameters.filter((each) => each.in !== 'header');
  const pathAndQueryFit = known.every((each) => {
    const text = each.in === 'path' ? parameters[each.name] : byName.get(each.name);
    byName.delete(each.name);
    return text === undefined
      ? !each.required
      : operation.takesParameter(each, readParameter(each, text));
  });
  if (!pathAndQueryFit || byName.size > 0) return false;
  if (operation.body === undefined) return true;
  return operation.takesBody(body === undefined ? {} : JSON.parse(JSON.stringify(body)));
}

function readParameter({ schema }: Parameter, text: string): unknown {
  const { type } = schema;
  if (type === 'integer' && /^\d{1,15}$/.test(text)) return Number(text);
  if (type === 'boolean' && /^(true|false)$/.test(text)) return text === 'true';
  return text;
}

/** As it goes on the wire. */
export function pathOf({ operation, parameters, query }: Draft): string {
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(wellFormed(parameters[name] ?? '')),
  );
  const pairs = query.map(([name, value]) => `${encode(name)}=${encode(value)}`);
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`;
}

const encode = (text: string): string => encodeURIComponent(wellFormed(text));
/** Half of a character has no bytes. */
const wellFormed = (text: string): string => Buffer.from(text).toString();
