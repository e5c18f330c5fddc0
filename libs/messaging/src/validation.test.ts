import { describe, expect, it } from '@jest/globals';
import { SkeinError, transactionRequestSchema } from '@skein/contracts';
import { z } from 'zod';
import { parseBody } from './validation';

function faultOf(schema: z.ZodType, body: unknown): SkeinError {
  try {
    parseBody(schema, body, 'The request');
  } catch (thrown) {
    if (thrown instanceof SkeinError) return thrown;
  }
  throw new Error('expected a fault');
}

describe('parseBody', () => {
  it('gives what the schema makes of the body', () => {
    expect(parseBody(z.strictObject({ limit: z.int().default(10) }), {}, 'The request')).toEqual({
      limit: 10,
    });
  });

  it.each([
    ['an index in a path', { success: [{ type: 'put', key: 'k' }] }, 'success.0.value', /missing/],
    ['an unknown kind', { success: [{ type: 'swap' }] }, 'success.0.type', /./],
    [
      'a branch of a union',
      { compare: [{ key: 'k', target: 'version', operator: '=', value: true }] },
      'compare.0.value',
      /expected/,
    ],
    ['an unknown field', { sucess: [] }, 'sucess', /no such field/],
    ['no object at all', 7, undefined, /^The request: expected object, received number/],
  ] as const)('names %s', (_what, body, field, message) => {
    const fault = faultOf(transactionRequestSchema, body);
    expect(fault).toMatchObject({ code: 'invalid_request', field });
    expect(fault.message).toMatch(message);
  });

  it('brings further faults along, up to a limit', () => {
    const fields = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`f${n}`, z.string()]));
    const fault = faultOf(z.strictObject(fields), {});
    expect(fault.field).toBe('f0');
    expect(fault.facts['faults']).toHaveLength(10);
  });

  it('refuses a body that is nested deeper than the stack', () => {
    let body: object = { compare: [], success: [], failure: [] };
    for (let depth = 0; depth < 20_000; depth += 1) {
      body = { compare: [], success: [{ type: 'txn', ...body }], failure: [] };
    }
    const fault = faultOf(transactionRequestSchema, body);
    expect(fault).toMatchObject({ code: 'invalid_request' });
    expect(fault.message).toMatch(/nested too deeply/);
  });
});
