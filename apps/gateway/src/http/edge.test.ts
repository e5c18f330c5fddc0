import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { roles, type HistoryEvent } from '@skein/contracts';
import { formatEvents, wholeRevisions } from './event-feed';
import { parseJson } from './json';
import { authenticator, authorize } from './tokens';

const event = (revision: number, position = 0): HistoryEvent => ({
  revision,
  position,
  at: 0,
  type: 'host.up',
  subject: 'h1',
  body: {},
});

describe('wholeRevisions', () => {
  it('takes a page that is not full as it is and goes on behind it', () => {
    const page = [event(3), event(4)];
    expect(wholeRevisions(page, 3, 1)).toEqual({ events: page, resumeAt: 5 });
  });

  it('leaves the last revision of a full page for the next one', () => {
    const page = [event(3), event(4, 0), event(4, 1)];
    expect(wholeRevisions(page, 3, 1)).toEqual({ events: [event(3)], resumeAt: 4 });
  });

  it('gets past a revision that fills a page alone', () => {
    const page = [event(4, 0), event(4, 1)];
    expect(wholeRevisions(page, 2, 4)).toEqual({ events: page, resumeAt: 5 });
  });

  it('stays where it is while there is nothing', () => {
    expect(wholeRevisions([], 2, 9)).toEqual({ events: [], resumeAt: 9 });
  });
});

describe('formatEvents', () => {
  it('gives an id to the last event of each revision only', () => {
    const ids = formatEvents([event(3, 0), event(3, 1), event(4)]).match(/^(id: \d+|data)/gm);
    expect(ids).toEqual(['data', 'id: 3', 'data', 'id: 4', 'data']);
  });
});

describe('authenticator', () => {
  const digest = createHash('sha256').update('secret').digest('hex');
  const authenticate = authenticator([{ token: digest, role: 'operator', name: 'ci' }]);

  it('knows the bearer of a token by its digest', () => {
    expect(authenticate('Bearer secret')).toMatchObject({ role: 'operator', name: 'ci' });
    expect(authenticate('bearer secret')).toMatchObject({ role: 'operator', name: 'ci' });
  });

  it.each([undefined, '', 'secret', 'Basic secret', 'Bearer other', `Bearer ${digest}`])(
    'refuses %p',
    (header) => {
      expect(() => authenticate(header)).toThrow(
        expect.objectContaining({ code: 'unauthenticated' }),
      );
    },
  );
});

describe('authorize', () => {
  it.each(roles.flatMap((has, i) => roles.map((needs, j) => ({ has, needs, may: i >= j }))))(
    'lets $has do what needs $needs: $may',
    ({ has, needs, may }) => {
      const act = () => authorize({ id: 't', name: 'x', role: has }, needs);
      if (may) expect(act).not.toThrow();
      else expect(act).toThrow(expect.objectContaining({ code: 'forbidden' }));
    },
  );
});

describe('parseJson', () => {
  it('takes nothing as no body', () => {
    expect(parseJson(' \n')).toBeUndefined();
  });

  it('refuses a member that reaches a prototype, at any depth', () => {
    expect(() => parseJson('{"labels":{"__proto__":"x"}}')).toThrow(/__proto__/);
  });
});
