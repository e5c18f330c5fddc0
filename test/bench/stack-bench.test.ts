// The benches of a whole cluster run as a person would run them, say what they measured and what it cost whom, and leave nothing
// behind. How fast anything is, is not asserted here.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { home, skein, SkeinCommand } from '../support/skein-command';

const runs = join(home, '.skein', 'run');
const ownRuns = (pid: number) =>
  existsSync(runs) ? readdirSync(runs).filter((name) => name.endsWith(`-${pid}`)) : [];
const timeoutMs = 240_000;

interface Report {
  readonly what: string;
  readonly rows: readonly object[];
  readonly costs: readonly { readonly figure: string; readonly us: Record<string, number> }[];
  readonly failures: number;
}

describe('skein bench', () => {
  it(
    'addresses: measures attaches and addresses, and tells what each process had to do',
    async () => {
      const only = 'attaches-16,addresses-of-two';
      const command = new SkeinCommand('bench', 'addresses', '--quick', '--only', only, '--json');
      const { code, stdout } = await command.finished;
      expect(code).toBe(0);
      const report = JSON.parse(stdout) as Report;
      expect(report).toMatchObject({ what: 'addresses', failures: 0 });
      expect(report.rows).toContainEqual(
        expect.objectContaining({
          figure: 'addresses-of-two',
          measure: 'rate',
          skein: expect.objectContaining({ median: expect.any(Number) }),
          goal: '≥ 20000 per second',
        }),
      );
      const cost = report.costs.find(({ figure }) => figure === 'attaches-16');
      const names = ['agent-h1', 'client', 'consensus-m1', 'gateway', 'ipam', 'nats', 'registry'];
      expect(Object.keys(cost?.us ?? {})).toEqual(expect.arrayContaining(names));
      expect(ownRuns(command.child.pid ?? 0)).toEqual([]);
    },
    timeoutMs,
  );

  it(
    'resync: measures an agent that comes back',
    async () => {
      const { code, stdout } = await skein('bench', 'resync', '--quick', '--json');
      expect(code).toBe(0);
      const report = JSON.parse(stdout) as Report;
      for (const figure of ['empty', 'kept']) {
        expect(report.rows).toContainEqual(
          expect.objectContaining({ figure, measure: 'back to programmed', goal: '≤ 500 ms' }),
        );
      }
    },
    timeoutMs,
  );

  it(
    'names what it cannot measure',
    async () => {
      const { code, stderr } = await skein('bench', 'addresses', '--quick', '--only', 'gets');
      expect([code, stderr]).toEqual([2, expect.stringContaining("no measurement 'gets'")]);
    },
    timeoutMs,
  );
});
