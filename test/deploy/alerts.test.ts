// The alert rules, tried by Prometheus' own tool: they fire in the situations of alerts.test.yml and stay silent in a cluster that is well.

import { expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { home } from '../support/skein-command';
import { describeWherePossible } from '../support/where-possible';

const folder = join(home, 'deploy/observability');
const promtool = (...args: string[]) => spawnSync('promtool', args, { cwd: folder });
const lacking = promtool('--version').status === 0 ? null : 'promtool is missing';

describeWherePossible(lacking, 'deploy/observability/alerts.yml', () => {
  it.each([
    ['is taken', ['check', 'rules', 'alerts.yml']],
    [
      'fires when it should, also where nothing is told, and not before',
      ['test', 'rules', 'alerts.test.yml'],
    ],
  ])('%s', (_, args) => {
    const { status, stdout, stderr } = promtool(...args);
    expect(`${status} ${stderr.toString()}${status === 0 ? '' : stdout.toString()}`).toBe('0 ');
  });
});
