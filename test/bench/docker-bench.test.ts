// The benches beside Swarm run as a person would run them, on real engines, say what they measured, and leave nothing behind. How
// fast anything is, is not asserted here.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { lackingForEngines } from '@skein/docker-engines';
import { home, SkeinCommand } from '../support/skein-command';
import { describeWherePossible } from '../support/where-possible';

const runs = join(home, '.skein', 'run');
const ownRuns = (pid: number) =>
  existsSync(runs) ? readdirSync(runs).filter((name) => name.endsWith(`-${pid}`)) : [];
const timeoutMs = 240_000;
const spread = expect.objectContaining({ median: expect.any(Number) });

describeWherePossible(lackingForEngines(undefined, ['iperf3']), 'skein bench --vs swarm', () => {
  it(
    'dataplane: both overlays and the limits in one run, and the steps between them',
    async () => {
      const only = 'tcp-1,udp,steps';
      const args = ['dataplane', '--vs', 'swarm', '--quick', '--only', only, '--json'];
      const command = new SkeinCommand('bench', ...args);
      const { stdout, stderr } = await command.finished;
      expect(stderr).toContain('Swarm on the same engines');
      const report = JSON.parse(stdout) as { rows: object[]; steps: object[] };
      expect(report.rows).toContainEqual(
        expect.objectContaining({
          figure: 'tcp-1',
          measure: 'throughput',
          skein: spread,
          peer: spread,
          ratio: expect.any(Number),
          ratioError: expect.any(Number),
          goal: '≥ 1×',
          others: {
            'skein, plain namespaces': spread,
            "docker's bridge": spread,
            'bare veth': spread,
          },
        }),
      );
      expect(report.steps.at(-1)).toMatchObject({ step: 'skein', ofVeth: expect.any(Number) });
      expect(ownRuns(command.child.pid ?? 0)).toEqual([]);
    },
    timeoutMs,
  );

  it(
    'docker: connects of both and of a bridge, and the first ping from another host',
    async () => {
      const args = ['docker', '--vs', 'swarm', '--quick', '--only', 'warm', '--json'];
      const command = new SkeinCommand('bench', ...args);
      const { stdout, stderr } = await command.finished;
      expect(stderr).toContain('round 2, swarm');
      const report = JSON.parse(stdout) as { rows: object[] };
      const limits = { "docker's bridge": spread };
      const figure = { figure: 'warm', skein: spread, peer: spread, others: limits };
      for (const [measure, goal] of [
        ['connect', '≤ 80 ms'],
        ['first ping after it', '≤ 10 ms'],
        ['first ping after it, worst', '≤ 50 ms'],
      ]) {
        expect(report.rows).toContainEqual(expect.objectContaining({ ...figure, measure, goal }));
      }
      expect(ownRuns(command.child.pid ?? 0)).toEqual([]);
    },
    timeoutMs,
  );
});
