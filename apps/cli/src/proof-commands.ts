// The commands that prove something of a clone: its promises on real processes, and that its tests notice when one is broken.

import { Argument, type Command } from 'commander';
import type { Provable, VerifyOptions } from './commands/verify';
import { commas, count, repeat } from './door';

export function registerProofCommands(program: Command): void {
  program
    .command('sabotage')
    .description('break one safety rule after the other in a copy; the tests must notice each')
    .option('--only <name>', 'only this one, or this list of them; can be repeated', repeat)
    .option('--json', 'print JSON')
    .option('--no-color', 'print without colors')
    .addHelpText(
      'after',
      '\nExamples:\n  skein sabotage\n  skein sabotage --only leases --only raft-two-votes',
    )
    .action(async ({ json = false, only }: { json?: boolean; only?: string[] }) => {
      const { sabotage } = await import('./commands/sabotage');
      const home = process.env['SKEIN_HOME'] ?? process.cwd();
      await sabotage({ home, json, ...(only === undefined ? {} : { only }) });
    });
  program
    .command('verify')
    .addArgument(
      new Argument('<what>', 'what is proven').choices(['consensus', 'system', 'gateway']),
    )
    .description('prove on real processes, disks and kernels what a bad day does not break')
    .option(
      '--seconds <n>',
      'how long it lasts; 120 for consensus, 600 for system, 60 for gateway',
      count,
    )
    .option(
      '--only <proofs>',
      'consensus: of faults,old-leader,disks,damage,members,growth,encryption',
      commas,
    )
    .option('--seed <n>', 'system: the order of faults and attaches; gateway: the requests', count)
    .option('--json', 'print JSON')
    .option('--no-color', 'print without colors')
    .addHelpText(
      'after',
      '\nExamples:\n  skein verify consensus\n  skein verify consensus --only faults --seconds 600\n  skein verify system --seconds 60 --seed 7\n  skein verify gateway --seconds 30 --seed 7',
    )
    .action(async (what: Provable, options: Omit<VerifyOptions, 'home' | 'path'>) => {
      const { verify } = await import('./commands/verify');
      const home = process.env['SKEIN_HOME'] ?? process.cwd();
      await verify(what, { ...options, home, path: process.env['PATH'] ?? '' });
    });
}
