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
      /: has to be text or a number$/,
    ],
    ['an unknown field', { sucess: [] }, 'sucess', /no such field/],
    ['no object at all', 7, undefined, /^The request: has to be an object, not a number$/],
  ] as const)('names %s', (_what, body, field, message) => {
    const fault = faultOf(transactionRequestSchema, body);
    expect(fault).toMatchObject({ code: 'invalid_request', field });
    expect(fault.message).toMatch(message);
  });

  it.each([
    [{ success: 'put' }, "'success': has to be a list, not text"],
    [{ success: ['put k v'] }, "'success.0': has to be an object, not text"],
    [{ success: [{ key: 'k' }] }, "'success.0.type': missing, one of put, delete, range, txn"],
    [{ success: [{ type: 'get' }] }, "'success.0.type': 'get' is none of put, delete, range, txn"],
    [{ success: [{ type: 'put', key: 'k' }] }, "'success.0.value': missing, has to be text"],
    [
      { compare: [{ key: 'k', target: 'version', operator: '==', value: 0 }] },
      "'compare.0.operator': '==' is none of =, !=, <, >",
    ],
    [
      { success: [{ type: 'range', key: 'k', limit: -1 }] },
      "'success.0.limit': has to be at least 0",
    ],
    [
      { success: [{ type: 'range', key: 'k', limit: 1.5 }] },
      "'success.0.limit': has to be a whole number",
    ],
  ])('says of %j what is wrong in plain words', (body, message) => {
    expect(faultOf(transactionRequestSchema, body).message).toBe(`Field ${message}`);
  });

  it("leaves a schema's own words as they are", () => {
    const schema = z.strictObject({ id: z.string().regex(/^a/, 'expected an a in front') });
    expect(faultOf(schema, { id: 'b' }).message).toBe("Field 'id': expected an a in front");
  });

  it.each([
    [z.array(z.int()).min(2), [1], 'has to have at least 2 entries'],
    [z.string().max(3), 'long', 'has to have at most 3 characters'],
    [z.number().gt(0), 0, 'has to be more than 0'],
    [z.literal('yes'), 'no', 'has to be yes'],
    [z.union([z.literal(1), z.string()]), true, 'has to be 1'],
    [z.boolean(), null, 'has to be true or false, not null'],
  ])('says of a bound or a kind what it is', (schema, body, message) => {
    expect(faultOf(schema, body).message).toBe(`The request: ${message}`);
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
