// What the gateway takes from its environment; the fields' names give the variables: `httpPort` is SKEIN_HTTP_PORT.

import { maxTokenRequestsPerSecond } from '@skein/contracts';
import { jsonText, wholeNumber } from '@skein/service-boot';
import { z } from 'zod';
import { tokenSchema, type TokenGrant } from './http/tokens';

const maxTokens = 256;

export const gatewayConfigSchema = z.object({
  httpAddress: z.string().default('127.0.0.1'),
  httpPort: wholeNumber({ min: 0, max: 65_535 }).default(8_480),
  /** Descriptor of a listening socket that was handed down; wins over address and port. */
  httpFd: wholeNumber({ min: 3, max: 1_023 }).optional(),
  /** PEM files: with both of them the gateway speaks HTTPS, and nothing else. */
  tlsCert: z.string().min(1).optional(),
  tlsKey: z.string().min(1).optional(),
  /** Of one token that has no limit of its own, on this gateway. */
  requestsPerSecond: wholeNumber({ min: 1, max: maxTokenRequestsPerSecond }).default(10_000),
  /** JSON: `[{"token": "<SHA-256>", "role": "admin", "name": "local"}]`. */
  tokens: jsonText().pipe(z.array(tokenSchema).min(1).max(maxTokens)) as z.ZodType<
    TokenGrant[],
    string
  >,
});
export type GatewayConfig = Readonly<z.output<typeof gatewayConfigSchema>>;
