// The commands with which a cluster and its hosts come to trust each other: the authority's keys, join tokens.

import type { Command } from 'commander';
import { count, door } from './door';

/** `host`: the group of commands on hosts. */
export function registerJoinCommands(program: Command, host: Command): void {
  const token = host.command('token').description('tokens with which new hosts join');
  const load = () => import('./commands/host-token');
  door(
    token
      .command('create')
      .description('make a token; it is shown this once')
      .option('--host <id>', 'for this host alone, also if it had joined before')
      .option('--ttl <duration>', 'how long it can be used: 30m, 12h, 2d; default 1h')
      .option('--uses <n>', 'how many hosts can join with it; default 1', count),
    async () => (await load()).create,
    ['skein host token create --host h4', 'skein host token create --uses 20 --ttl 12h'],
  );
  door(
    token.command('list').alias('ls').description('list tokens and what is left of them'),
    async () => (await load()).list,
    ['skein host token list'],
  );
  door(
    token.command('revoke <id>').description('end a token; hosts that have joined stay'),
    async () => (await load()).revoke,
    ['skein host token revoke 4kz0w1qd'],
  );
  program
    .command('authority')
    .description("a cluster's keys on NATS")
    .command('create <folder>')
    .description('make keys, or keep those that are there, and write all that is signed with them')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  skein authority create /etc/skein/authority')
    .action(async (folder: string, options: { json?: boolean }) => {
      const { create } = await import('./commands/authority');
      await create(folder, { json: options.json ?? false });
    });
}
