// What the one process of a small machine takes from its environment: the environment of each of its parts.

import { jsonText } from '@skein/service-boot';
import { z } from 'zod';

/** In the order in which they need each other; they end in the reverse. */
export const partNames = ['consensus', 'ipam', 'registry', 'gateway', 'host-agent'] as const;
export type PartName = (typeof partNames)[number];

const environmentSchema = z.record(z.string(), z.string());

export const singleConfigSchema = z.object({
  /** JSON: the environment that each part would have as a process of its own. */
  parts: jsonText().pipe(z.record(z.enum(partNames), environmentSchema)),
});
