// Configuration of one replica. Times are chosen for a local network: a leader that dies is replaced within half a second.

import { idSchema } from '@skein/contracts';
import { replicaDefaults } from '@skein/replica';
import { commaList, wholeNumber } from '@skein/service-boot';
import { z } from 'zod';

const number = (fallback: number, bounds: { min: number; max: number }) =>
  z.string().default(String(fallback)).pipe(wholeNumber(bounds));

export const consensusSchema = z
  .object({
    clusterId: idSchema.default('skein'),
    replicaId: idSchema,
    /** All voters of a new cluster, this replica among them. Once the log holds a configuration, that one counts. */
    voters: commaList().pipe(z.array(idSchema)),
    /** A replica that is to be added to a cluster that exists: it knows no voters and waits for the leader. */
    join: z.stringbool().default(false),
    dataDir: z.string().min(1),
    tickMs: number(25, { min: 5, max: 1_000 }),
    /** Ticks without a leader before a campaign; drawn from this to its double. */
    electionTicks: number(replicaDefaults.electionTicks, { min: 4, max: 100 }),
    heartbeatTicks: number(replicaDefaults.heartbeatTicks, { min: 1, max: 50 }),
    /** Readiness to lead; 0 never campaigns by itself. */
    priority: number(replicaDefaults.priority, { min: 0, max: 100 }),
    /** The leader may answer reads of level `lease` alone for nearly an election timeout. The same on every replica. */
    leaseReads: z.stringbool().default(true),
    /** A log write that takes longer makes a leader step down. */
    diskStallMs: number(replicaDefaults.diskStallMs, { min: 50, max: 60_000 }),
    /** Revisions whose events and old values are kept at least; compaction starts at the double. */
    historyRevisions: number(replicaDefaults.historyRevisions, { min: 10, max: 10_000_000 }),
    /** History that is older goes as well; 0: age does not matter. */
    historyMs: number(replicaDefaults.historyMs, { min: 0, max: 86_400_000 * 366 }),
    /** Log since the last snapshot after which the next is taken, in entries and in bytes. */
    snapshotEntries: number(replicaDefaults.snapshotEntries, { min: 10, max: 100_000_000 }),
    snapshotBytes: number(replicaDefaults.snapshotBytes, { min: 64 * 1_024, max: 2 ** 40 }),
    /** Entries before a snapshot that stay for followers that are a little behind. */
    trailingEntries: number(replicaDefaults.trailingEntries, { min: 0, max: 10_000_000 }),
    /** Every learner votes as soon as it has caught up. */
    autoPromote: z.stringbool().default(false),
    /** The newest cluster protocol version that is offered; lower than the program's own for tests of mixed versions. */
    protocolMax: number(replicaDefaults.protocolMax, { min: 1, max: replicaDefaults.protocolMax }),
    /** `keyfile`: encrypted with a key that lies in a file; `locked`: with one that an operator gives after each start. */
    encryption: z.enum(['off', 'keyfile', 'locked']).default('off'),
    /** Default: `raft-log.key` in the data directory. Made if it is not there. */
    keyFile: z.string().min(1).optional(),
  })
  .refine(({ join, voters }) => join || voters.length > 0, {
    path: ['voters'],
    message: 'missing, unless SKEIN_JOIN is set',
  });
export type ConsensusConfiguration = Readonly<z.output<typeof consensusSchema>>;
