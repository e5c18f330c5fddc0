import { describe, expect, it } from '@jest/globals';
import { makeProgram } from '../program';
import { completionScript } from './completion';
import { breakText, failedTest } from './sabotage';
import { add, noTotals, repeatCommand, type SeedResult } from './simulate';

const program = await makeProgram();
type Command = typeof program;

function leaves(command: Command): Command[] {
  if (command.commands.length === 0) return [command];
  return command.commands.flatMap(leaves);
}

describe('commands', () => {
  it.each(leaves(program).map((command) => ({ name: command.name(), command })))(
    '$name describes itself and its options',
    ({ command }) => {
      const isHidden = (command as Command & { _hidden?: boolean })._hidden === true;
      if (!isHidden) expect(command.description()).not.toBe('');
      for (const option of command.options) {
        if (!isHidden) expect(option.description).not.toBe('');
      }
    },
  );
});

describe('completion', () => {
  it('knows nouns, verbs and options of each', () => {
    const script = completionScript(program, 'bash');
    expect(script).toMatch(/^ {4}"network"\) words="create list show delete add-subnet addresses/m);
    expect(script).toMatch(/^ {4}"network create"\) words=".*--subnet/m);
    expect(script).toMatch(/^ {4}"network ls"\) words=".*--watch/m);
    expect(script).toMatch(/^ {4}"verify"\) words="consensus system gateway/m);
    expect(script).not.toContain('simulate-part');
  });

  it('is made for each shell', () => {
    expect(completionScript(program, 'zsh')).toContain('compdef _skein skein');
    expect(completionScript(program, 'fish')).toContain(
      `complete -c skein -f -n 'test "$(__skein_path)" = "network"' -a create`,
    );
  });
});

describe('sabotage', () => {
  it('changes a text that is there once, and only then', () => {
    const change = { find: 'a > b', replace: 'a >= b' };
    expect(breakText('if (a > b) go();', change)).toBe('if (a >= b) go();');
    expect(breakText('nothing', change)).toBeUndefined();
    expect(breakText('a > b; a > b', change)).toBeUndefined();
  });

  it('puts a replacement in as it is written', () => {
    expect(breakText('x', { find: 'x', replace: '$&$1' })).toBe('$&$1');
  });

  it('names the test that failed', () => {
    const output = 'FAIL fast libs/raft/x.test.ts\n  ● follower › votes once\n\n    expect(…)';
    expect(failedTest(output)).toBe('follower › votes once');
    expect(failedTest('FAIL fast libs/raft/x.test.ts')).toBe('FAIL fast libs/raft/x.test.ts');
  });
});

describe('simulate', () => {
  const result = (seed: number, violations: unknown[] = []): SeedResult => ({
    seed,
    steps: 10,
    faults: 2,
    faultsByKind: { crash: 2 },
    simulatedMs: 1_000,
    violations,
  });

  it('adds up and keeps the seeds that failed', () => {
    const totals = [result(1), result(2, ['broken']), result(3)].reduce(add, noTotals);
    expect(totals).toMatchObject({ seeds: 3, steps: 30, faults: 6, simulatedMs: 3_000 });
    expect(totals.failed.map(({ seed }) => seed)).toEqual([2]);
  });

  it('prints the command that repeats a seed', () => {
    expect(repeatCommand('raft', 42, undefined)).toBe('./skein simulate raft --seed 42');
    expect(repeatCommand('raft', 42, 'stale-reads')).toBe(
      './skein simulate raft --seed 42 --plant stale-reads',
    );
  });
});
