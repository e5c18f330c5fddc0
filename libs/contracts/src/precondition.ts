// What a caller says that it has seen: the revisions at one of which a record must still be for a change to be made. Whoever
// compares also commits with a compare of the same revision, so that nothing can come in between.

import { z } from 'zod';
import { revisionSchema } from './names';
import { SkeinError } from './skein-error';

/** Absent: any will do. Empty: none does. */
export const ifRevisionsSchema = z.array(revisionSchema).max(16).optional();
export const ifRevisionsField = 'ifRevisions';

/** Throws `precondition_failed` unless the record is as the caller has seen it. */
export function demandRevision(revision: number, ifRevisions: readonly number[] | undefined): void {
  if (ifRevisions === undefined || ifRevisions.includes(revision)) return;
  throw new SkeinError('precondition_failed', `The resource has revision ${revision}`, {
    field: ifRevisionsField,
    facts: { revision },
  });
}
