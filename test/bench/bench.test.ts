// The bench runs as a person would run it, says what it measured, and leaves nothing behind, however it ends. How fast anything
// is, is not asserted here.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { home, skein, SkeinCommand } from '../support/skein-command';

const folder = join(home, '.skein', 'bench');
const folders = () => (existsSync(folder) ? readdirSync(folder) : []);
const timeoutMs = 180_000;

/** Command lines of managers, servers and first processes of a bench of this clone. */
function processes(): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      const line = readFileSync(join('/proc', pid, 'cmdline'), 'utf8').replaceAll('\0', ' ');
      return line.includes(folder) ? [line] : [];
    } catch {
      return [];
    }
  });
}

describe('skein bench store', () => {
  it(
    'measures, prints every figure with its spread, and cleans up',
    async () => {
      const { code, stdout, stderr } = await skein(
        ...['bench', 'store', '--quick', '--only', 'puts', '--json'],
      );
      expect([code, stderr]).toEqual([0, expect.stringContaining('puts, 256 clients')]);
      const report = JSON.parse(stdout) as { rows: object[]; machine: object };
      expect(report.machine).toMatchObject({ flushUs: expect.any(Number), etcd: null });
      expect(report.rows).toContainEqual(
        expect.objectContaining({
          figure: 'puts-256',
          measure: 'rate',
          skein: expect.objectContaining({ median: expect.any(Number) }),
          peer: null,
          goal: '≥ 4×',
          met: null,
        }),
      );
      expect([folders(), processes()]).toEqual([[], []]);
    },
    timeoutMs,
  );

  it(
    'leaves nothing when it is killed',
    async () => {
      const command = new SkeinCommand('bench', 'store', '--quick', '--only', 'puts');
      await command.says('puts, 1 client');
      expect([folders(), processes()]).not.toEqual([[], []]);
      command.child.kill('SIGKILL');
      await command.finished;
      const limit = performance.now() + 20_000;
      while ((folders().length > 0 || processes().length > 0) && performance.now() < limit) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect([folders(), processes()]).toEqual([[], []]);
    },
    timeoutMs,
  );

  it(
    'names what it cannot measure',
    async () => {
      const { code, stderr } = await skein('bench', 'store', '--only', 'puts,reads');
      expect([code, stderr]).toEqual([2, expect.stringContaining("no measurement 'reads'")]);
    },
    timeoutMs,
  );
});
