// The commands that make this machine a host and take that back. They ask no gateway.

import type { Command } from 'commander';
import { label } from './door';
import type { InstallOptions, UninstallOptions } from './commands/agent';

const examples = (lines: readonly string[]) =>
  `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;

interface Given {
  readonly json?: boolean;
  readonly dryRun?: boolean;
  readonly root: string;
}

type GivenInstall = Given &
  Omit<InstallOptions, keyof Given | 'home' | 'labels' | 'replace'> & {
    readonly label?: Record<string, string>;
    readonly replace?: boolean;
  };

const commonOf = ({ json = false, dryRun = false, root }: Given) => ({ json, dryRun, root });

const common = (command: Command): Command =>
  command
    .option('--dry-run', 'only say what would be done')
    .option('--root <folder>', 'another root than this machine’s: nothing is started there', '/')
    .option('--json', 'print JSON')
    .option('--no-color', 'print without colors');

export function registerAgentCommands(program: Command): void {
  const agent = program.command('agent').description('the agent of this machine');
  common(
    agent
      .command('install')
      .description('make this machine a host: settings, credential, unit; then start it')
      .requiredOption('--host-id <id>', 'its id for good')
      .requiredOption('--vtep <address>', 'its address on the underlay')
      .requiredOption('--nats <urls>', 'NATS servers, separated by commas')
      .requiredOption('--creds <file>', 'join.creds of the authority')
      .option('--ca <file>', 'ca.pem of the authority, where the NATS servers speak TLS')
      .option('--settings <file>', 'agent.env of the authority: the key that seals gossip')
      .option('--token <token>', 'join token; none: this host has joined before')
      .option('--label <name=value>', 'a label of the host; can be repeated', label)
      .option('--no-docker', 'leave out the door of a Docker engine')
      .option('--replace', 'overwrite files that differ and that no installation wrote')
      .option('--no-start', 'leave the agent stopped'),
  )
    .addHelpText(
      'after',
      examples([
        'skein agent install --host-id h4 --vtep 192.0.2.4 --nats nats://nats-1.example:4222 \\',
        '  --creds join.creds --ca ca.pem --settings agent.env --token skein-join-…',
        'skein agent install … --dry-run',
        'skein agent install … --root /mnt/image',
      ]),
    )
    .action(async (given: GivenInstall) => {
      const { install } = await import('./commands/agent');
      const { hostId, vtep, nats, creds, ca, settings, token, docker, start } = given;
      const { label: labels = {}, replace = false } = given;
      const home = process.env['SKEIN_HOME'] ?? process.cwd();
      const choices = { hostId, vtep, nats, creds, ca, settings, token, docker, start };
      install({ ...commonOf(given), ...choices, home, labels, replace });
    });
  common(
    agent
      .command('uninstall')
      .description('take back what install made, and say what stays')
      .option('--purge', "also the host's identity and book"),
  )
    .addHelpText('after', examples(['skein agent uninstall --dry-run', 'skein agent uninstall']))
    .action(async (given: Given & Pick<Partial<UninstallOptions>, 'purge'>) => {
      const { uninstall } = await import('./commands/agent');
      uninstall({ ...commonOf(given), purge: given.purge === true });
    });
}
