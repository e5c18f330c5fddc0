// The commands on tokens of people and programs.

import { Option, type Command } from 'commander';
import { count, door, listDoor, yes } from './door';

export function registerTokenCommands(program: Command): void {
  const token = program.command('token').description('tokens for people and programs');
  const load = () => import('./commands/token');
  door(
    token
      .command('create <name>')
      .description('make a token; it is shown this once')
      .addOption(
        new Option('--role <role>', 'what it may do: look, change networks, or everything')
          .choices(['viewer', 'operator', 'admin'])
          .default('viewer'),
      )
      .option('--ttl <duration>', 'how long it can be used: 30m, 12h, 90d; default: until revoked')
      .option('--rate <n>', 'requests a second that it may ask at most', count)
      .option('--max-body <bytes>', 'largest body that it may send: 4096, 64KiB'),
    async () => (await load()).create,
    ['skein token create ci --role operator --ttl 90d', 'skein token create wallboard --rate 20'],
  );
  listDoor(
    token.command('list').alias('ls').description('list tokens, and when each was last used'),
    async () => (await load()).list,
    ['skein token list'],
  );
  door(
    yes(token.command('revoke <id>').alias('rm').description('end a token at once')),
    async () => (await load()).revoke,
    ['skein token revoke k7q2mzra --yes'],
  );
}
