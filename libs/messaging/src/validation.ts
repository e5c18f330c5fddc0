// From a schema's complaint to an error that names the field and says what was expected. One fault leads; the others,
// up to a limit, come along as facts.

import { SkeinError } from '@skein/contracts';
import type { z } from 'zod';
import { faultWords } from './fault-words';

interface Fault {
  readonly field: string;
  readonly message: string;
}
type Issue = z.core.$ZodIssue;

const maxFaults = 10;

/** The body as the schema reads it; throws `invalid_request`. */
export function parseBody<S extends z.ZodType>(
  schema: S,
  body: unknown,
  what: string,
): z.output<S> {
  const parsed = parse(schema, body, what);
  if (parsed.success) return parsed.data;
  throw requestFault(parsed.error.issues, body, what);
}

/** A schema that contains itself walks as deep as the body goes, which may be deeper than the stack. */
function parse<S extends z.ZodType>(schema: S, body: unknown, what: string) {
  try {
    return schema.safeParse(body);
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    throw new SkeinError('invalid_request', `${what}: nested too deeply`, { cause: thrown });
  }
}

function requestFault(issues: readonly Issue[], body: unknown, what: string): SkeinError {
  const faults = issues.flatMap((issue) => faultsOf(issue, body, [])).slice(0, maxFaults);
  const first = faults[0] ?? { field: '', message: 'does not fit its schema' };
  const subject = first.field === '' ? what : `Field '${first.field}'`;
  return new SkeinError('invalid_request', `${subject}: ${first.message}`, {
    ...(first.field === '' ? {} : { field: first.field }),
    facts: faults.length > 1 ? { faults } : {},
  });
}

function faultsOf(issue: Issue, body: unknown, prefix: readonly PropertyKey[]): Fault[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: join([...path, key]),
      message: 'there is no such field',
    }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const branch = closestBranch(issue.errors);
    if (depthOf(branch) > 0) return branch.flatMap((inner) => faultsOf(inner, body, path));
  }
  return [{ field: join(path), message: faultWords(issue, valueAt(body, path)) }];
}

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (value as Readonly<Record<PropertyKey, unknown>> | null | undefined)?.[key],
    body,
  );
}

/** Of a union's alternatives, the one that the body came furthest into. */
function closestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] {
  return branches.reduce(
    (best, branch) => (depthOf(branch) > depthOf(best) ? branch : best),
    branches[0] ?? [],
  );
}

const depthOf = (issues: readonly Issue[]): number =>
  Math.max(0, ...issues.map((issue) => issue.path.length));

function join(path: readonly PropertyKey[]): string {
  return path.map(String).join('.');
}
