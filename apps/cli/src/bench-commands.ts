// What measures: the store, side by side with a peer, or a whole cluster.

import { Argument, Option, type Command } from 'commander';
import { SkeinError } from '@skein/contracts';
import { type EngineRelease, otherReleases, pathWithRelease } from '@skein/docker-engines';
import { commas, count, milliseconds, seconds, type Options } from './door';

type BenchFlags = Options & { readonly json?: boolean; readonly engine?: EngineRelease };

export function registerBenchCommands(program: Command): void {
  const home = () => process.env['SKEIN_HOME'] ?? process.cwd();
  program
    .command('bench')
    .addArgument(
      new Argument('<what>', 'what is measured').choices([
        'store',
        'addresses',
        'resync',
        'membership',
        'dataplane',
        'docker',
      ]),
    )
    .description('measure the store, side by side with a peer in one run, or a whole cluster')
    .addOption(new Option('--vs <peer>', 'measure this one too').choices(['etcd', 'serf', 'swarm']))
    .option('--quick', 'a short run, to see that it works')
    .option('--only <groups>', 'of puts,gets,… or attaches,keyed,batches,…: see below', commas)
    .option('--rounds <n>', 'rounds of each measurement', count)
    .option('--duration <seconds>', 'of one measurement', seconds)
    .option('--kills <n>', 'leaders killed, or agents', count)
    .addOption(
      new Option('--preset <timing>', "membership: the agents' gossip").choices(['lan', 'local']),
    )
    .option('--pause <ms>', 'membership: for how long an agent only pauses', milliseconds)
    .option('--containers <n>', 'docker: how many are started at once; 100', count)
    .addOption(
      new Option(
        '--engine <release>',
        "docker, dataplane: Debian's packages of it, unpacked; the machine's own Docker",
      ).choices(otherReleases),
    )
    .option('--keys <n>', 'keys in the store when it is restarted and weighed', count)
    .option('--profile <folder>', "write the managers' and the client's CPU profiles there")
    .option('--json', 'print JSON')
    .option('--no-color', 'print without colors')
    .addHelpText(
      'after',
      '\nGroups:\n  store      puts,gets,transactions,watches,failover,keys' +
        '\n  addresses  attaches,keyed,batches,detaches,addresses' +
        '\n  dataplane  tcp-1,tcp-8,udp,latency,latency-loaded,steps' +
        '\n  docker     warm,cold,lone,many' +
        '\n\ndataplane compares pairs of transfers, in an order drawn anew for each; client and server have a processor each.' +
        '\n\nExamples:\n  skein bench store --vs etcd\n  skein bench store --quick --only puts,gets --json' +
        '\n  skein bench addresses --quick\n  skein bench addresses --only attaches --profile profiles' +
        '\n  skein bench resync\n  skein bench membership --vs serf\n  skein bench dataplane --vs swarm' +
        '\n  skein bench docker --vs swarm\n  skein bench docker --vs swarm --engine docker-28',
    )
    .action(async (what: string, { json = false, engine, ...options }: BenchFlags) => {
      const own = process.env['PATH'] ?? '';
      const path = engine === undefined ? own : await pathWith(engine, what, home());
      const settings = { ...options, json, home: home(), path };
      if (what === 'store') {
        const { benchStore } = await import('./commands/bench');
        return benchStore(settings);
      }
      if (what === 'membership') {
        const { benchMembershipCommand } = await import('./commands/bench-membership');
        return benchMembershipCommand(settings);
      }
      if (what === 'docker') {
        const { benchDockerCommand } = await import('./commands/bench-docker');
        return benchDockerCommand(settings);
      }
      if (what === 'dataplane') {
        const { benchDataplaneCommand } = await import('./commands/bench-dataplane');
        return benchDataplaneCommand(settings);
      }
      const { benchStack } = await import('./commands/bench-stack');
      return benchStack(what === 'resync' ? what : 'addresses', settings);
    });
  program
    .command('bench-world <ip> <settings>', { hidden: true })
    .action(async (ip: string, settings: string) => {
      const { runWorld } = await import('@skein/bench');
      await runWorld(ip, JSON.parse(settings) as Parameters<typeof runWorld>[1]);
    });
}

async function pathWith(release: EngineRelease, what: string, home: string): Promise<string> {
  if (what !== 'docker' && what !== 'dataplane') {
    const message = `skein bench ${what} runs no Docker engines`;
    throw new SkeinError('invalid_request', message, { field: 'engine' });
  }
  const { provided } = await import('./commands/provided');
  const program = await provided(release, home);
  const path = pathWithRelease(release, home);
  if (path !== null) return path;
  throw new SkeinError('internal', `${program} is not where ${release} is looked for`);
}
