// Runs Jest with the flags that its ESM support needs: `node tools/jest.mjs [paths] [--selectProjects fast]`,
// paths first, since --selectProjects takes all words that follow it.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
const run = spawnSync(
  process.execPath,
  ['--experimental-vm-modules', '--no-warnings', jest, ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
process.exit(run.status ?? 1);
