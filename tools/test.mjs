// Runs every test that this machine can run: the fast ring in parallel, then whole-system tests one after the other. Names
// what can't run here and why, and ends with the plain line `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
const work = mkdtempSync(join(tmpdir(), 'skein-test-'));
const given = process.argv.slice(2);

function ring(name, flags) {
  const outputFile = join(work, `${name}.json`);
  const run = spawnSync(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--no-warnings',
      jest,
      ...given,
      '--selectProjects',
      name,
      '--passWithNoTests',
      '--json',
      `--outputFile=${outputFile}`,
      ...flags,
    ],
    {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, SKEIN_HOME: root },
    },
  );
  if (!existsSync(outputFile))
    return {
      passed: 0,
      failed: 1,
      skipped: 0,
      reasons: [`${name}: Jest ended with ${run.status ?? run.signal}`],
    };
  const result = JSON.parse(readFileSync(outputFile, 'utf8'));
  // A file that could not even be loaded has no tests to count, and is a failure all the same.
  const broken = result.testResults.filter(
    (file) =>
      file.status === 'failed' && file.assertionResults.every((one) => one.status !== 'failed'),
  ).length;
  const skippedTests = result.testResults.flatMap((file) =>
    file.assertionResults.filter((one) => one.status === 'pending' || one.status === 'todo'),
  );
  return {
    passed: result.numPassedTests,
    failed: result.numFailedTests + broken,
    skipped: skippedTests.length,
    reasons: skippedTests.map((one) => `not run here: ${one.fullName}`),
  };
}

try {
  const results = [
    ring('fast', ['--maxWorkers=2']),
    ring('system', ['--runInBand', '--forceExit']),
  ];
  const sum = (field) => results.reduce((total, one) => total + one[field], 0);
  for (const reason of results.flatMap((one) => one.reasons)) console.log(reason);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
  process.exitCode = sum('failed') === 0 && sum('passed') > 0 ? 0 : 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
