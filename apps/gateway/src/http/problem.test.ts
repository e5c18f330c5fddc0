import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { errorCodes, parseErrorHelp, SkeinError } from '@skein/contracts';
import { errorsPage } from './pages';
import { problemSchema, toProblem, toSkeinError } from './problem';

describe('problem', () => {
  it('takes status and title from the table, and the facts along', () => {
    const error = new SkeinError('address_taken', '10.1.0.5 has a holder', {
      field: 'addresses.0',
      facts: { holder: 'e1' },
    });
    expect(toProblem(error, 'r1')).toEqual({
      type: '/docs/errors#address_taken',
      title: 'The address has a holder',
      status: 409,
      code: 'address_taken',
      detail: '10.1.0.5 has a holder',
      field: 'addresses.0',
      requestId: 'r1',
      holder: 'e1',
    });
  });

  it('lets no fact stand in place of a member of its own', () => {
    const error = new SkeinError('internal', 'broken', { facts: { status: 200, code: 'fine' } });
    expect(toProblem(error)).toMatchObject({ status: 500, code: 'internal' });
  });

  it.each(Object.keys(errorCodes))('has a valid form for %s', (code) => {
    const problem = toProblem(new SkeinError(code as keyof typeof errorCodes, 'x'));
    expect(problemSchema.safeParse(problem).success).toBe(true);
    expect(problem.status).toBeGreaterThanOrEqual(400);
  });

  it.each([
    [{ code: 'FST_ERR_CTP_BODY_TOO_LARGE', statusCode: 413, message: 'm' }, 'payload_too_large'],
    [
      { code: 'FST_ERR_CTP_INVALID_MEDIA_TYPE', statusCode: 415, message: 'm' },
      'unsupported_media_type',
    ],
    [{ status: 404, message: 'm' }, 'route_not_found'],
    [{ statusCode: 400, message: 'm' }, 'invalid_request'],
    [new Error('m'), 'internal'],
    ['m', 'internal'],
  ])('reads what the framework throws: %j', (thrown, code) => {
    expect(toSkeinError(thrown)).toMatchObject({ code, message: 'm' });
  });
});

describe('docs/errors.md', () => {
  const markdown = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');
  const help = parseErrorHelp(markdown);

  it('explains every code of the table, in its order, and no other', () => {
    expect(help.map(({ code }) => code)).toEqual(Object.keys(errorCodes));
  });

  it('has a section for nothing without cause and remedy', () => {
    expect(markdown.match(/^### /gm)).toHaveLength(help.length);
  });

  it.each(help)('says of $code what to do', ({ code, cause, remedy }) => {
    expect(cause).toMatch(/\.$/);
    expect(remedy).toMatch(/\.$/);
    const isRetryable = errorCodes[code as keyof typeof errorCodes].retryable;
    expect(/Retryable/.test(cause)).toBe(isRetryable);
  });

  it('is shown by the page of errors', () => {
    const html = errorsPage(help);
    expect(html).toContain('<dt id="pool_exhausted">');
    expect(html).toContain('Every address of the network is held or reserved.');
  });
});
