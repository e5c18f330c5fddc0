// From a schema's complaint to an error that names the field and says what was expected. One fault leads; the others,
// up to a limit, come along as facts.

import { SkeinError } from '@skein/contracts';
import type { z } from 'zod';

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
  throw requestFault(parsed.error.issues, what);
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

function requestFault(issues: readonly Issue[], what: string): SkeinError {
  const faults = issues.flatMap((issue) => faultsOf(issue, [])).slice(0, maxFaults);
  const first = faults[0] ?? { field: '', message: 'does not fit its schema' };
  const subject = first.field === '' ? what : `Field '${first.field}'`;
  return new SkeinError('invalid_request', `${subject}: ${first.message}`, {
    ...(first.field === '' ? {} : { field: first.field }),
    facts: faults.length > 1 ? { faults } : {},
  });
}

function faultsOf(issue: Issue, prefix: readonly PropertyKey[]): Fault[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: join([...path, key]),
      message: 'there is no such field',
    }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    return closestBranch(issue.errors).flatMap((inner) => faultsOf(inner, path));
  }
  const field = join(path);
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) {
    return [{ field, message: `missing, expected ${issue.expected}` }];
  }
  return [{ field, message: issue.message.replace(/^(Invalid input|Too (big|small)): /, '') }];
}

/** Of a union's alternatives, the one that the body came furthest into. */
function closestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] {
  const depth = (issues: readonly Issue[]): number =>
    Math.max(0, ...issues.map((issue) => issue.path.length));
  return branches.reduce(
    (best, branch) => (depth(branch) > depth(best) ? branch : best),
    branches[0] ?? [],
  );
}

function join(path: readonly PropertyKey[]): string {
  return path.map(String).join('.');
}
