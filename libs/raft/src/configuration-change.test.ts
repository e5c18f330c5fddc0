// Tables of changes of members, each named after the table of etcd-io/raft that tells the same story,
// and what holds for all of them: the majorities before and after a step always meet.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isJoint, isPlain, leaveJoint, nextConfiguration } from './configuration-change';
import type { Configuration, ConfigurationChange } from './types';

/** `a b | a c / d > e *`: incoming, outgoing, learners, learnersNext, and `*` for leaving by itself. */
function parse(text: string): Configuration {
  const [, incoming = '', outgoing = '', learners = '', next = '', star] =
    /^([^|/>*]*)(?:\|([^/>*]*))?(?:\/([^>*]*))?(?:>([^*]*))?(\*)?$/.exec(text) ?? [];
  const names = (list: string | undefined): string[] =>
    (list ?? '').split(' ').filter((id) => id !== '');
  return {
    incoming: names(incoming),
    outgoing: names(outgoing),
    learners: names(learners),
    ...(names(next).length > 0 ? { learnersNext: names(next) } : null),
    ...(star === undefined ? null : { autoLeave: true }),
  };
}

function show({
  incoming,
  outgoing,
  learners,
  learnersNext = [],
  autoLeave,
}: Configuration): string {
  const part = (mark: string, ids: readonly string[]): string[] =>
    ids.length === 0 ? [] : [mark, ...ids];
  const star = autoLeave === true ? ['*'] : [];
  return [
    ...incoming,
    ...part('|', outgoing),
    ...part('/', learners),
    ...part('>', learnersNext),
    ...star,
  ].join(' ');
}

/** `auto a b / c`, `implicit …`, `explicit …` or `leave`. */
function change(text: string): ConfigurationChange {
  if (text === 'leave') return { kind: 'leave' };
  const [mode = 'auto', ...rest] = text.split(' ');
  const { incoming, learners } = parse(rest.join(' '));
  const modes = ['auto', 'implicit', 'explicit'] as const;
  const named = modes.find((each) => each === mode);
  return { kind: 'set', voters: incoming, learners, ...(named && { mode: named }) };
}

function apply(before: string, wish: string): string {
  const result = nextConfiguration(parse(before), change(wish));
  return 'code' in result ? result.code : show(result.configuration);
}

const invalid = 'invalid_configuration';
const busy = 'change_in_progress';
const table = (rows: readonly (readonly [string, string, string])[]): void => {
  it.each(rows)('from [%s], %s gives [%s]', (before, wish, after) => {
    expect(apply(before, wish)).toBe(after);
  });
};

describe('joint_autoleave', () => {
  table([
    ['a', 'implicit a b c', 'a b c | a *'],
    ['a', 'auto a b c', 'a b c | a *'],
    ['a', 'explicit a b c', 'a b c | a'],
    ['a', 'explicit a b', 'a b | a'],
    ['a b c | a *', 'leave', 'a b c'],
    ['a b c | a *', 'explicit a b', busy],
  ]);
});

describe('joint_idempotency', () => {
  table([
    ['a', 'implicit a', 'a | a *'],
    ['a | a *', 'leave', 'a'],
    ['a b', 'implicit a', 'a | a b *'],
    ['a / b', 'implicit a / b', 'a | a / b *'],
    ['a b', 'auto b a', 'a b'],
  ]);
});

describe('joint_learners_next', () => {
  table([
    ['a b', 'explicit a / b', 'a | a b > b'],
    ['a | a b > b', 'leave', 'a / b'],
    ['a b c', 'implicit a d / b e', 'a d | a b c / e > b *'],
    ['a d | a b c / e > b *', 'leave', 'a d / b e'],
    ['a / b', 'explicit a b', 'a b | a'],
  ]);
});

describe('joint_safety', () => {
  table([
    ['a', 'leave', invalid],
    ['a b | a', 'explicit a b c', busy],
    ['a b | a', 'auto a b', busy],
    ['a b | a', 'auto', invalid],
    ['a b c', 'auto', invalid],
    ['a b c', 'implicit / a', invalid],
    ['a b | a', 'leave', 'a b'],
    ['a b', 'leave', invalid],
  ]);
});

describe('simple_idempotency', () => {
  table([
    ['a', 'auto a', 'a'],
    ['a b', 'auto a b', 'a b'],
    ['a / b', 'auto a / b', 'a / b'],
    ['a', 'auto a / b', 'a / b'],
    ['a / b', 'auto a', 'a'],
  ]);
});

describe('simple_promote_demote', () => {
  table([
    ['a b c', 'auto a b / c', 'a b / c'],
    ['a b / c', 'auto a b c', 'a b c'],
    ['a b c / d', 'auto a b / c d', 'a b / c d'],
    ['a b / c d', 'auto a b c d', 'a b c d | a b *'],
  ]);
});

describe('simple_safety', () => {
  table([
    ['a', 'auto', invalid],
    ['a b', 'auto / a b', invalid],
    ['a b', 'auto a', 'a'],
    // More than one voter differs: no simple step, whatever comes and goes.
    ['a b', 'auto a c', 'a c | a b *'],
    ['a b c', 'auto a', 'a | a b c *'],
    ['a', 'auto b', 'b | a *'],
    ['a b c', 'auto a / b', 'a | a b c > b *'],
  ]);
});

describe('update', () => {
  table([
    ['a b / c', 'auto a b / c', 'a b / c'],
    ['b a', 'auto b a', 'a b'],
  ]);
});

describe('zero', () => {
  it.each([
    ['an empty voter', [''], []],
    ['an empty learner', ['a'], ['']],
    ['a voter twice', ['a', 'a'], []],
    ['a voter that learns', ['a', 'b'], ['b']],
    ['a name of 256 bytes', ['ä'.repeat(128)], []],
    ['no voter at all', [], ['a']],
  ])('refuses %s', (_name, voters, learners) => {
    const result = nextConfiguration(parse('a'), { kind: 'set', voters, learners });
    expect(result).toEqual({ code: invalid });
    expect(isPlain({ incoming: voters, outgoing: [], learners })).toBe(false);
  });
});

describe('any change', () => {
  const some = fc.uniqueArray(fc.constantFrom(...'abcdefg'), { minLength: 1, maxLength: 5 });
  const mode = fc.constantFrom('auto', 'implicit', 'explicit');

  it('goes through configurations whose majorities always meet, to the wish', () => {
    fc.assert(
      fc.property(some, some, some, mode, (before, voters, others, how) => {
        const current = { incoming: before.sort(), outgoing: [], learners: [] };
        const learners = others.filter((id) => !voters.includes(id));
        const result = nextConfiguration(current, { kind: 'set', voters, learners, mode: how });
        if ('code' in result) throw new Error(result.code);
        const first = result.configuration;
        expect(doMajoritiesMeet(current, first)).toBe(true);
        const last = isJoint(first) ? leaveJoint(first) : first;
        expect(doMajoritiesMeet(first, last)).toBe(true);
        expect(last).toEqual({
          incoming: [...voters].sort(),
          outgoing: [],
          learners: [...learners].sort(),
        });
        for (const id of first.learners) expect(first.outgoing).not.toContain(id);
      }),
    );
  });
});

/** Whether no two disjoint sets of members are each a quorum, one of either configuration. */
function doMajoritiesMeet(one: Configuration, other: Configuration): boolean {
  const all = [
    ...new Set([...one.incoming, ...one.outgoing, ...other.incoming, ...other.outgoing]),
  ];
  for (let bits = 0; bits < 2 ** all.length; bits += 1) {
    const inside = all.filter((_, i) => (bits >> i) % 2 === 1);
    const outside = all.filter((id) => !inside.includes(id));
    if (isQuorum(one, inside) && isQuorum(other, outside)) return false;
  }
  return true;
}

function isQuorum({ incoming, outgoing }: Configuration, ids: readonly string[]): boolean {
  const isMajority = (voters: readonly string[]): boolean =>
    voters.length === 0 || 2 * voters.filter((id) => ids.includes(id)).length > voters.length;
  return isMajority(incoming) && isMajority(outgoing);
}
