// Runs every test that this machine can run: the fast ring in parallel, then whole-system tests, two at a time where they bear it.
// Names what can't run here and why, and ends with the plain line `N passed, N failed, N skipped`.
//
// With `--retry`, or in CI, up to three files of the system ring that failed are run once more, by themselves: real processes on a
// machine that does other things too are at times too late for a test's patience. What passes then is told loudly as flaky, for
// somebody to mend. The fast ring is deterministic: what fails there once has failed.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
const work = mkdtempSync(join(tmpdir(), 'skein-test-'));
const given = process.argv.slice(2).filter((word) => word !== '--retry');
const retries = process.argv.includes('--retry') || process.env.CI === 'true';
const mostRetriedFiles = 3;
/**
 * Below test/: whole-system tests that bear one other beside them. Their processes live in a world, in a folder and on ports of their own;
 * they look at nothing of the machine as a whole, measure nothing, and say of no time how long it may be but in seconds. All else
 * runs alone: engines, benches, chaos, what counts what is left on the machine, and whatever is not named here.
 */
const besides = [
  'authority/',
  'consensus/(consensus|damage|encryption|growth|links|lost-directory|members|replica|rolling)\\.',
  'dashboard/dashboard\\.',
  'docs/',
  'gateway/(?!fuzz\\.)',
  'ipam/',
  'messaging/',
  'registry/',
  'shells/',
  'stack/',
];
const slowestShown = 10;

/** What Jest found out, a file each; one without a path if it ended without a word. */
function ring(name, args, flags) {
  const outputFile = join(work, 'ring.json');
  rmSync(outputFile, { force: true });
  const run = spawnSync(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--no-warnings',
      jest,
      ...args,
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
  if (!existsSync(outputFile)) {
    const text = `${name}: Jest ended with ${run.status ?? run.signal}`;
    return [{ path: null, seconds: 0, tests: [], failures: new Map([[text, text]]) }];
  }
  return JSON.parse(readFileSync(outputFile, 'utf8')).testResults.map(resultOf);
}

/** A file that could not even be loaded has no tests to count, and is a failure all the same. */
function resultOf({ name, startTime, endTime, status, message, assertionResults: tests }) {
  const failed = tests.filter((one) => one.status === 'failed');
  const failures = new Map(failed.map((one) => [one.fullName, one.failureMessages.join('\n')]));
  const path = relative(root, name);
  if (status === 'failed' && failures.size === 0) failures.set(path, message);
  return { path, seconds: (endTime - startTime) / 1_000, tests, failures };
}

const hasFailed = ({ failures }) => failures.size > 0;

/** Each file's last word, and by name what failed before and did not again. */
function runAgain(files) {
  const flaky = new Map();
  const again = files.map((file) => {
    if (!hasFailed(file)) return file;
    console.log(`failed, and is run once more: ${file.path}`);
    const [second] = ring('system', ['--runTestsByPath', file.path], systemFlags);
    if (second === undefined) return file;
    for (const [test, text] of file.failures) if (passedIn(second, test)) flaky.set(test, text);
    // What failed and is not there any more, or was left out, has not passed.
    for (const [test, text] of file.failures)
      if (!flaky.has(test) && !second.failures.has(test)) second.failures.set(test, text);
    return { ...second, seconds: file.seconds + second.seconds };
  });
  return { files: again, flaky };
}

/** By its name, or a file that was not loaded at first by its path. */
const passedIn = ({ path, tests, failures }, test) =>
  test === path
    ? failures.size === 0 && tests.length > 0
    : !failures.has(test) &&
      tests.some(({ fullName, status }) => fullName === test && status === 'passed');

const indented = (text) => text.replaceAll(/^/gm, '    ');
const systemFlags = ['--runInBand', '--forceExit'];
const placeOf = (path) => path.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
/** Takes the place of what the project leaves out, which is no system test either. */
const leavingOut = (pattern) =>
  [`^${placeOf(root)}/${pattern}`, '/test/repository/'].map(
    (each) => `--testPathIgnorePatterns=${each}`,
  );
const named = `test/(?:${besides.join('|')})`;

try {
  const fast = ring('fast', given, ['--maxWorkers=2']);
  const first = [
    ...ring('system', given, ['--maxWorkers=2', '--forceExit', ...leavingOut(`(?!${named})`)]),
    ...ring('system', given, [...systemFlags, ...leavingOut(named)]),
  ];
  const failed = first.filter(hasFailed);
  const isRunAgain =
    retries && failed.length <= mostRetriedFiles && failed.every(({ path }) => path !== null);
  const { files: system, flaky } = isRunAgain
    ? runAgain(first)
    : { files: first, flaky: new Map() };
  const files = [...fast, ...system];
  const tests = files.flatMap((file) => file.tests);
  const skipped = tests.filter(({ status }) => status === 'pending' || status === 'todo');
  for (const { fullName } of skipped) console.log(`not run here: ${fullName}`);
  for (const { path, failures } of files)
    if (path === null) for (const text of failures.keys()) console.log(text);
  for (const [test, text] of flaky) console.log(`flaky: ${test}\n${indented(text)}`);
  for (const { path, seconds } of files
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, slowestShown))
    console.log(`${seconds.toFixed(1).padStart(7)} s  ${path}`);
  const passed = tests.filter(({ status }) => status === 'passed').length;
  const failures = files.reduce((sum, file) => sum + file.failures.size, 0);
  console.log(`${passed} passed, ${failures} failed, ${skipped.length} skipped`);
  process.exitCode = failures === 0 && passed > 0 ? 0 : 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
