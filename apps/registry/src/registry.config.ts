// The registry's own configuration: SKEIN_REPLICA_ID, SKEIN_DATA_DIR, …

import { idSchema } from '@skein/contracts';
import { defaultHostLeaseMs, type StandingToken } from '@skein/registry';
import { jsonText, wholeNumber } from '@skein/service-boot';
import { z } from 'zod';

const maxStandingTokens = 1_024;
const standingTokenSchema = z.strictObject({
  id: idSchema,
  digest: z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 digest in hexadecimal'),
  host: idSchema.optional(),
  uses: z.int().min(1).max(1_000).optional(),
  declares: z.literal(true).optional(),
});

export const registryConfigSchema = z.object({
  /** Tells this replica from others; listed by NATS and written into the activation's key. */
  replicaId: idSchema,

  /** Holds `registry.db`, the readable history. */
  dataDir: z.string().default('.skein/registry'),
  /** How long no host is cut off after this replica became the active one. */
  holdDownMs: wholeNumber({ min: 0, max: 600_000 }).default(3_000),
  /** How long a host is taken for alive after its last heartbeat that was answered; a longer time makes `fence` slower. */
  hostLeaseMs: wholeNumber({ min: 1_000, max: 600_000 }).default(defaultHostLeaseMs),
  /** A replica that died is replaced after this time. */
  activationTtlMs: wholeNumber({ min: 500, max: 60_000 }).default(2_500),

  /** File with the seed that signs hosts. Without it and `natsAccount` no host can join, and any is registered. */
  hostSigningKey: z.string().optional(),
  /** Public key of the NATS account that hosts become users of. */
  natsAccount: z.string().optional(),
  /** A removed host's credential ends after this time at the latest; others are renewed at half of it. */
  credentialTtlMs: wholeNumber({ min: 2_000, max: 86_400_000 }).default(3_600_000),
  /** JSON: `[{"id": "t1", "digest": "<SHA-256 of the secret>", "host": "h1"}]`, tokens that are there from the start; without `host`, with `uses`; `"declares": true`: their engines may make networks. */
  joinTokens: jsonText()
    .pipe(z.array(standingTokenSchema).max(maxStandingTokens))
    .optional() as z.ZodType<StandingToken[] | undefined, string | undefined>,
});
export type RegistryConfig = Readonly<z.output<typeof registryConfigSchema>>;
