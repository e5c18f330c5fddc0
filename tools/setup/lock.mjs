// One set-up at a time in a clone. The kernel holds the lock for set-up and for the programs that it started, so it is
// free again when the last of them has ended, however that came.
import { spawnSync } from 'node:child_process';
import { openSync, statSync } from 'node:fs';
import { handDown, onPath, run } from './process.mjs';

/** Runs `work` under the lock; not at all if another set-up finished it meanwhile. */
export async function withLock(path, doneFile, work) {
  const startedAt = Date.now();
  const fd = openSync(path, 'a');
  handDown(fd);
  if (onPath('flock') !== null && !locksAtOnce(fd)) {
    process.stderr.write('… waiting for another set-up of this clone\n');
    await run('flock', ['3']);
    if (changedAt(doneFile) > startedAt) return;
  }
  await work();
}

/** `flock` locks the open file that it shares with this process. */
function locksAtOnce(fd) {
  const { status } = spawnSync('flock', ['--nonblock', '3'], {
    stdio: ['ignore', 'ignore', 'ignore', fd],
  });
  return status === 0;
}

function changedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? 0;
}
