// ETags and If-Match. A tag is the revision of the one resource that an answer shows. A write's If-Match travels to whoever
// commits it, and is compared in that transaction; a read's is compared with what was read.

import { ifRevisionsField, SkeinError } from '@skein/contracts';
import type { FastifyRequest } from 'fastify';
import type { Route } from './route';

const maxTags = 16;

export function etag(revision: number): string {
  return `"${revision}"`;
}

export function etags(header: string): string[] {
  return header.split(',').map((each) => each.trim().replace(/^W\//, ''));
}

/** Tags that are no revision match nothing, as RFC 9110 has it. */
export function preconditionOf(header: string | undefined): { ifRevisions?: number[] } {
  if (header === undefined || header.trim() === '*') return {};
  const tags = etags(header);
  if (tags.length > maxTags) {
    throw invalid(`If-Match takes ${maxTags} tags at most`);
  }
  const revisions = tags.flatMap((tag) => /^"(\d{1,15})"$/.exec(tag)?.[1] ?? []);
  return { ifRevisions: revisions.map(Number) };
}

/** A condition that nobody would look at is refused, not passed over. */
export function refuseIdlePrecondition(route: Route, request: FastifyRequest): void {
  if (route.method === 'GET' || request.headers['if-match'] === undefined) return;
  if (route.errors.includes('precondition_failed')) return;
  throw invalid('This request takes no If-Match');
}

/** For a read. Throws `precondition_failed`. */
export function demandTag(header: string | undefined, current: string): void {
  if (header === undefined || header.trim() === '*' || etags(header).includes(current)) return;
  const revision = Number(current.slice(1, -1));
  throw new SkeinError('precondition_failed', `The resource has revision ${revision}`, {
    field: 'If-Match',
    facts: { revision },
  });
}

/** A service names its own field; here it is a header. For `catch`. */
export function nameHeader(thrown: unknown): never {
  if (!(thrown instanceof SkeinError) || thrown.field !== ifRevisionsField) throw thrown;
  const { code, message, facts, cause } = thrown;
  throw new SkeinError(code, message, { field: 'If-Match', facts, cause });
}

function invalid(message: string): SkeinError {
  return new SkeinError('invalid_request', message, { field: 'If-Match' });
}
