// Configuration of one replica. Times are chosen for a local network: a leader that dies is replaced within half a second.

import { idSchema } from '@skein/contracts';
import { commaList, wholeNumber } from '@skein/service-boot';
import { z } from 'zod';

const milliseconds = (fallback: number, bounds: { min: number; max: number }) =>
  z.string().default(String(fallback)).pipe(wholeNumber(bounds));

export const consensusSchema = z.object({
  clusterId: idSchema.default('skein'),
  replicaId: idSchema,
  /** All voters of a new cluster, this replica among them. Once the log holds a configuration, that one counts. */
  voters: commaList().pipe(z.array(idSchema).min(1)),
  dataDir: z.string().min(1),
  tickMs: milliseconds(25, { min: 5, max: 1_000 }),
  /** Ticks without a leader before a campaign; drawn from this to its double. */
  electionTicks: milliseconds(10, { min: 4, max: 100 }),
  heartbeatTicks: milliseconds(2, { min: 1, max: 50 }),
  /** A log write that takes longer makes a leader step down. */
  diskStallMs: milliseconds(1_000, { min: 50, max: 60_000 }),
  /** Revisions whose events and old values are kept at least; compaction starts at the double. */
  historyRevisions: milliseconds(20_000, { min: 10, max: 10_000_000 }),
});
export type ConsensusConfiguration = Readonly<z.output<typeof consensusSchema>>;
