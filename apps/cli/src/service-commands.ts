// The commands on services of a network.

import type { Command } from 'commander';
import { door, listDoor, label, yes } from './door';

export function registerServiceCommands(program: Command): void {
  const service = program.command('service').description('names that stand for several endpoints');
  const load = () => import('./commands/service');
  listDoor(
    service.command('list <network>').alias('ls').description('list services and their backends'),
    async () => (await load()).list,
    ['skein service list web'],
  );
  door(
    service.command('show <network> <service>').description('show one service'),
    async () => (await load()).show,
    ['skein service show web api'],
  );
  door(
    service
      .command('declare <network> <service>')
      .description('have it listed whether or not it has backends')
      .option('--label <name=value>', 'a label; can be repeated', label),
    async () => (await load()).declare,
    ['skein service declare web api'],
  );
  door(
    yes(
      service
        .command('withdraw <network> <service>')
        .alias('rm')
        .description('take the declaration of a service without backends back'),
    ),
    async () => (await load()).withdraw,
    ['skein service withdraw web api --yes'],
  );
}
