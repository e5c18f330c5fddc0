// The registry's own configuration: SKEIN_REPLICA_ID, SKEIN_DATA_DIR, …

import { idSchema } from '@skein/contracts';
import { wholeNumber } from '@skein/service-boot';
import { z } from 'zod';

export const registryConfigSchema = z.object({
  /** Tells this replica from others; listed by NATS and written into the activation's key. */
  replicaId: idSchema,

  /** Holds `registry.db`, the readable history. */
  dataDir: z.string().default('.skein/registry'),
  /** How long no host is cut off after this replica became the active one. */
  holdDownMs: wholeNumber({ min: 0, max: 600_000 }).default(3_000),
  /** A replica that died is replaced after this time. */
  activationTtlMs: wholeNumber({ min: 500, max: 60_000 }).default(2_500),
});
export type RegistryConfig = Readonly<z.output<typeof registryConfigSchema>>;
