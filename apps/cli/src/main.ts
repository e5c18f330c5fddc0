// The `skein` command: thin over the gateway. Parses, runs, and turns a failure into a message and an exit code.

import { CommanderError } from 'commander';
import { makeProgram } from './program';

const usageExit = 2;

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader such as `head` has left.
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const program = await makeProgram();
program.exitOverride();
for (const command of descendants(program)) command.exitOverride();

try {
  await program.parseAsync(process.argv);
} catch (thrown) {
  if (thrown instanceof CommanderError) {
    process.exitCode = thrown.exitCode === 0 ? 0 : usageExit;
  } else {
    const { reportFailure } = await import('./output/failure');
    process.exitCode = reportFailure(thrown, process.argv.includes('--json'));
  }
}

function descendants(command: typeof program): (typeof program)[] {
  return command.commands.flatMap((child) => [child, ...descendants(child)]);
}
