// The commands that simulate whole clusters, and their hidden ones, which are the worker processes of those.

import type { Command } from 'commander';
import { count, type Options } from './door';

export function registerSimulateCommands(program: Command): void {
  program
    .command('simulate <what>')
    .description('simulate a cluster under faults, seed by seed, with all checkers')
    .option('--seeds <n>', 'so many seeds', count)
    .option('--seed <seed>', 'the first seed; alone: only this one', count)
    .option('--plant <fault>', 'break a rule on purpose, to see that it is noticed')
    .option('--trace', 'of one seed: print what happens')
    .option('--paper', "swim: Lifeguard's experiment, beside what its paper published")
    .option('--quick', 'with --paper: 4 and 32 stalled members, the settings that show most')
    .option('--members <n>', 'with --paper: default 128', count)
    .option('--minutes <n>', 'with --paper: simulated time of a run; default 2', count)
    .option('--json', 'print JSON')
    .option('--no-color', 'print without colors')
    .addHelpText(
      'after',
      '\nExamples:\n  skein simulate raft --seeds 1000\n  skein simulate raft --seed 42 --plant stale-reads\n  skein simulate cluster --seeds 500\n  skein simulate cluster --seed 7 --trace' +
        '\n  skein simulate swim --paper --quick\n  skein simulate swim --paper --seeds 3 --json' +
        '\n\n--paper runs five configurations and our own, 1 to 32 stalled members, three lengths of stall, four pauses' +
        '\nbetween: 864 runs of 128 members, some 25 minutes of one processor; --quick 36 runs, less than one.',
    )
    .action(async (what: string, { json = false, ...options }: Options & { json?: boolean }) => {
      if (options['paper'] === true) {
        const { simulateLifeguard } = await import('./commands/lifeguard');
        return simulateLifeguard(what, { ...options, json });
      }
      const { simulate } = await import('./commands/simulate');
      await simulate(what, { ...options, json });
    });
  program
    .command('simulate-part <what> <first> <count>', { hidden: true })
    .option('--plant <fault>')
    .action(async (what: string, first: string, seeds: string, options: { plant?: string }) => {
      const { simulatePart } = await import('./commands/simulate');
      await simulatePart(what, Number(first), Number(seeds), options.plant);
    });
  program.command('simulate-lifeguard-part', { hidden: true }).action(async () => {
    const { lifeguardPart } = await import('./commands/lifeguard');
    await lifeguardPart();
  });
}
