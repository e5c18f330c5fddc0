// What an operator asks of the store beside reading and writing: its history, compaction, quota, alarms, single leases.
// Served by the leader, like the rest of the store.

import { z } from 'zod';
import { alarmSchema } from './consensus';
import { defineContract } from './contract';
import { revisionSchema } from './names';
import { leaseIdSchema, leaseRecordSchema, revisionEventsSchema, spanShape } from './store';

const service = 'store';

export const maxHistoryRevisions = 1_000;

export const historyContract = defineContract({
  service,
  verb: 'history',
  description: 'Past changes of a key or a span of keys, oldest first, as far as they are kept.',
  request: z.strictObject({
    ...spanShape,
    /** First revision of interest; absent: the oldest that is kept. A compacted one is refused. */
    fromRevision: revisionSchema.optional(),
    /** Most revisions to answer; default and most: `maxHistoryRevisions`. */
    limit: z.int().min(1).max(maxHistoryRevisions).optional(),
    previous: z.boolean().optional(),
  }),
  reply: z.object({
    revision: revisionSchema,
    /** Changes up to this revision are gone. */
    compactRevision: revisionSchema,
    revisions: z.array(revisionEventsSchema),
    /** Where to go on; absent: that was all. */
    nextRevision: revisionSchema.optional(),
  }),
  idempotent: true,
});

export const compactContract = defineContract({
  service,
  verb: 'compact',
  description: 'Drops the history up to a revision. What is live stays.',
  request: z.strictObject({ revision: revisionSchema.min(1) }),
  reply: z.object({ revision: revisionSchema, compactRevision: revisionSchema }),
  idempotent: true,
});

export const alarmsContract = defineContract({
  service,
  verb: 'alarms',
  description: 'Alarms that are raised, and how full the store is.',
  request: z.strictObject({}),
  reply: z.object({
    revision: revisionSchema,
    alarms: z.array(alarmSchema),
    /** Logical size, and how large it may grow; 0: no limit. */
    bytes: z.int(),
    quotaBytes: z.int(),
  }),
  idempotent: true,
});

export const clearAlarmContract = defineContract({
  service,
  verb: 'clear-alarm',
  description: 'Lowers an alarm. It comes back by itself if its cause is still there.',
  request: alarmSchema.omit({ at: true }).strict(),
  /** `changed`: it was raised before. */
  reply: z.object({ revision: revisionSchema, changed: z.boolean() }),
  idempotent: true,
});

export const storeSettingsSchema = z.object({
  /** How large the store may grow, in bytes; 0: no limit. */
  quotaBytes: z.int().min(0),
  /** History that the leader keeps when it compacts: so many revisions, and so long a time; 0: its own default, or none. */
  historyRevisions: z.int().min(0),
  historyMs: z.int().min(0),
});
export type StoreSettings = z.output<typeof storeSettingsSchema>;

export const settingsContract = defineContract({
  service,
  verb: 'settings',
  description:
    'Settings that the store keeps in its own state, so that all replicas agree on them.',
  request: z.strictObject({}),
  reply: storeSettingsSchema.extend({ revision: revisionSchema }),
  idempotent: true,
});

export const setSettingsContract = defineContract({
  service,
  verb: 'set-settings',
  description: 'Changes settings; what is not named stays.',
  request: storeSettingsSchema.partial().strict(),
  reply: storeSettingsSchema.extend({ revision: revisionSchema }),
  idempotent: true,
});

export const leaseTimeToLiveContract = defineContract({
  service,
  verb: 'lease-time-to-live',
  description: 'One lease: how long it still lives, and with `keys` what hangs on it.',
  request: z.strictObject({ lease: leaseIdSchema, keys: z.boolean().optional() }),
  reply: leaseRecordSchema.extend({ attached: z.array(z.string()).optional() }),
  idempotent: true,
});

export const watchProgressContract = defineContract({
  service,
  verb: 'watch-progress',
  description:
    'Has a progress message sent to a watch at once: all up to its revision has been delivered.',
  request: z.strictObject({ watch: z.string().min(1).max(64) }),
  reply: z.object({ revision: revisionSchema }),
  idempotent: true,
});
