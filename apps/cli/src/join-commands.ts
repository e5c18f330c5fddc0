// The commands with which a cluster and its hosts come to trust each other: the authority's keys, join tokens.

import type { Command } from 'commander';
import { count, door, listDoor } from './door';

interface AuthorityOptions {
  readonly json?: boolean;
  readonly joinToken?: boolean;
  readonly server: readonly string[];
  readonly renew: readonly string[];
}

const list = (value: string, before: readonly string[]): string[] => [...before, value];

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
      .option('--uses <n>', 'how many hosts can join with it; default 1', count)
      .option('--declares-networks', 'their engines may make networks: docker network create'),
    async () => (await load()).create,
    ['skein host token create --host h4', 'skein host token create --uses 20 --ttl 12h'],
  );
  listDoor(
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
    .option(
      '--server <id>',
      'a NATS server that needs a TLS certificate; can be repeated',
      list,
      [],
    )
    .option('--join-token', 'a token for hosts that stands in the settings of the registry')
    .option(
      '--renew <what>',
      'make anew: admin-token, join-token, account; can be repeated',
      list,
      [],
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      [
        '\nExamples:',
        '  skein authority create /etc/skein/authority',
        '  skein authority create /etc/skein/authority --server nats-1=nats-1.example,192.0.2.1',
        '  skein authority create /etc/skein/authority --renew admin-token',
      ].join('\n'),
    )
    .action(async (folder: string, options: AuthorityOptions) => {
      const { create } = await import('./commands/authority');
      const { json = false, joinToken = false, server: servers, renew } = options;
      await create(folder, { json, joinToken, servers, renew });
    });
}
