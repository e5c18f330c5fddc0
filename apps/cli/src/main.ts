// The `skein` command: thin over the gateway. Parses, runs, and turns a failure into a message and an exit code.

import { CommanderError } from 'commander';
import { isUsageFault, refuseByThrowing, usageError } from './output/usage';
import { makeProgram } from './program';

const usageExit = 2;

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader such as `head` has left.
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const json = process.argv.includes('--json');
const program = await makeProgram();
refuseByThrowing(program, json);

try {
  await program.parseAsync(process.argv);
} catch (thrown) {
  if (thrown instanceof CommanderError && !(json && isUsageFault(thrown))) {
    process.exitCode = isUsageFault(thrown) ? usageExit : 0;
  } else {
    const { reportFailure } = await import('./output/failure');
    process.exitCode = reportFailure(isUsageFault(thrown) ? usageError(thrown) : thrown, json);
  }
}
