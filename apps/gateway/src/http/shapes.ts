// Shapes that many routes share: path and query parameters arrive as text and leave as what the contracts want.

import { referenceSchema } from '@skein/contracts';
import { z } from 'zod';

export const noParams = z.strictObject({});
export const noQuery = z.strictObject({});

/** A whole number in a query. */
export function queryInteger(bounds: { min: number; max: number }, description: string) {
  return z
    .string()
    .regex(/^\d{1,15}$/, 'expected a whole number')
    .transform(Number)
    .pipe(z.int().min(bounds.min).max(bounds.max))
    .meta({
      description,
      override: { type: 'integer', pattern: undefined, minimum: bounds.min, maximum: bounds.max },
    });
}

export function queryFlag(description: string) {
  return z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .meta({ description, override: { type: 'boolean', enum: undefined } });
}

export const pageQuery = {
  limit: queryInteger({ min: 1, max: 1_000 }, 'Most items of one page.').optional(),
  cursor: z.string().min(1).max(256).optional().meta({ description: 'From the previous page.' }),
};

export const waitQuery = {
  wait: queryInteger(
    { min: 0, max: 30_000 },
    'How long to wait, in milliseconds, for the hosts to program the change. Default 3000.',
  ).optional(),
};

export const networkParam = referenceSchema.meta({
  description: 'Name or id of a network.',
  example: 'web',
});
export const endpointParam = referenceSchema.meta({
  description: 'Name or id of an endpoint.',
  example: 'a',
});
export const hostParam = referenceSchema.meta({
  description: 'Name or id of a host.',
  example: 'h1',
});

export const maxRevision = Number.MAX_SAFE_INTEGER;

/** Drops what is undefined: contracts know absent fields only. */
export function present<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
