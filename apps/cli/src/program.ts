// Every command, its arguments and its help. What a command does is loaded when it runs, so that help is quick.

import { Argument, Command, Option } from 'commander';
import { count, door, label, repeat, type Options } from './door';
import { registerOperatorCommands } from './operator-commands';

const commas = (text: string): string[] => text.split(',').map((part) => part.trim());

export async function makeProgram(): Promise<Command> {
  const program = new Command('skein')
    .description('Overlay networks that span container hosts.')
    .version('0.1.0', '-v, --version')
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .helpCommand(false)
    .addHelpText(
      'after',
      '\nThe gateway is found by SKEIN_URL and SKEIN_TOKEN, else by .skein/client.json here or in a folder above.',
    );
  const { registerLocalCommands } = await import('./local/commands');
  registerLocalCommands(program);
  networks(program);
  endpoints(program);
  hosts(program);
  history(program);
  registerOperatorCommands(program);
  machine(program);
  return program;
}

function networks(program: Command): void {
  const network = program.command('network').description('networks and their subnets');
  const load = () => import('./commands/network');
  door(
    network
      .command('create <name>')
      .description('create a network; without a subnet it gets one from the default pools')
      .option('--subnet <cidr>', 'a subnet, IPv4 or IPv6; more than one makes several', repeat)
      .option('--range <cidr>', 'give out addresses of this part of the first subnet only')
      .option('--gateway <address>', "the first subnet's gateway")
      .option('--vni <n>', 'VXLAN network identifier', count)
      .option('--mtu <bytes>', 'MTU of its interfaces', count)
      .option('--internal', 'no way out of the network')
      .option('--on-host-loss <policy>', 'keep or fence the addresses of a lost host')
      .option('--label <name=value>', 'a label; can be repeated', label),
    async () => (await load()).create,
    ['skein network create web', 'skein network create db --subnet 10.9.0.0/24 --subnet fd09::/64'],
  );
  door(
    network.command('list').alias('ls').description('list networks'),
    async () => (await load()).list,
    ['skein network list --json'],
  );
  door(
    network.command('show <network>').description('show one network'),
    async () => (await load()).show,
    ['skein network show web'],
  );
  door(
    network
      .command('delete <network>')
      .alias('rm')
      .description('delete a network without endpoints')
      .option('--force', 'also release its endpoints on hosts that are down')
      .option('-y, --yes', 'do not ask'),
    async () => (await load()).remove,
    ['skein network delete web --yes'],
  );
  door(
    network
      .command('add-subnet <network> <cidr>')
      .description('add a subnet to a network that is in use')
      .option('--range <cidr>', 'give out addresses of this part only')
      .option('--gateway <address>', 'its gateway'),
    async () => (await load()).addSubnet,
    ['skein network add-subnet web 10.10.0.0/24'],
  );
  door(
    network.command('addresses <network>').description('show how full it is, and who holds what'),
    async () => (await load()).addresses,
    ['skein network addresses web'],
  );
}

function endpoints(program: Command): void {
  const endpoint = program.command('endpoint').description('endpoints: who is attached where');
  const load = () => import('./commands/endpoint');
  const attach = (command: Command): Command =>
    command
      .requiredOption('--host <host>', 'host of the endpoint')
      .option('--name <name>', 'name of the endpoint; none: from its id')
      .option('--netns <path>', 'network namespace on that host to plug it into')
      .option('--interface <name>', 'name of the interface inside')
      .option('--address <address>', 'a static address; can be repeated', repeat)
      .option('--mac <mac>', 'a static MAC address')
      .option('--alias <name>', 'another name; can be repeated', repeat)
      .option('--service <name>', 'service that it is a backend of')
      .option('--label <name=value>', 'a label; can be repeated', label)
      .option('--wait <ms>', 'how long to wait for the hosts to program it', count);
  const attachExamples = [
    'skein attach web --host h1 --name a --netns /run/netns/a',
    'skein attach web --host h2 --address 10.1.0.20',
  ];
  const detach = (command: Command): Command =>
    command
      .option('-y, --yes', 'do not ask')
      .option('--wait <ms>', 'how long to wait for the hosts to forget it', count);
  const doAttach = async () => (await load()).attach;
  const doDetach = async () => (await load()).detach;

  door(
    attach(endpoint.command('create <network>').description('attach an endpoint')),
    doAttach,
    attachExamples,
  );
  door(
    endpoint
      .command('list [network]')
      .alias('ls')
      .description('list endpoints of one network or all'),
    async () => (await load()).list,
    ['skein endpoint list web'],
  );
  door(
    endpoint.command('show <network> <endpoint>').description('show one endpoint'),
    async () => (await load()).show,
    ['skein endpoint show web a'],
  );
  door(
    detach(
      endpoint
        .command('delete <network> <endpoint>')
        .alias('rm')
        .description('detach an endpoint and release its addresses'),
    ),
    doDetach,
    ['skein endpoint delete web a'],
  );
  door(
    attach(program.command('attach <network>').description('attach an endpoint to a network')),
    doAttach,
    attachExamples,
  );
  door(
    detach(program.command('detach <network> <endpoint>').description('detach an endpoint')),
    doDetach,
    ['skein detach web a'],
  );
}

function hosts(program: Command): void {
  const host = program.command('host').description('hosts and what each has programmed');
  const load = () => import('./commands/host');
  door(
    host.command('list').alias('ls').description('list hosts'),
    async () => (await load()).list,
    ['skein host list'],
  );
  door(host.command('show <host>').description('show one host'), async () => (await load()).show, [
    'skein host show h1',
  ]);
  door(
    host
      .command('delete <host>')
      .alias('rm')
      .description('remove a host that is down, releasing what it held')
      .option('-y, --yes', 'do not ask'),
    async () => (await load()).remove,
    ['skein host delete h3 --yes'],
  );
  door(
    host.command('networks <host>').description('show what it takes part in'),
    async () => (await load()).networks,
    ['skein host networks h1'],
  );
}

function history(program: Command): void {
  const address = program.command('address').description('who holds an address, now and earlier');
  const load = () => import('./commands/address');
  door(
    address
      .command('show <address>')
      .description('show who holds an address, since when, and who held it before')
      .option('--network <network>', 'in this network only')
      .option('--at <when>', 'at this RFC 3339 time or revision'),
    async () => (await load()).show,
    ['skein address show 10.1.0.2', 'skein address show 10.1.0.2 --at 2026-11-22T18:30:00Z'],
  );
  door(
    program
      .command('explain <network> <from> <to>')
      .description('show each step of the way from one endpoint to another'),
    async () => (await load()).explain,
    ['skein explain web a b'],
  );
  door(
    program
      .command('events')
      .description('print what has happened, and with --follow what happens')
      .option('--from <revision>', 'from this revision on', count)
      .option('--prefix <type>', 'only types that start with it, as in host.')
      .option('-f, --follow', 'go on with what happens from now on'),
    async () => (await import('./commands/events')).events,
    ['skein events --from 1', 'skein events --follow --prefix endpoint.'],
  );
}

function machine(program: Command): void {
  door(
    program.command('doctor').description('find out what is in the way'),
    async () => (await import('./commands/doctor')).doctor,
    ['skein doctor'],
  );
  program
    .command('simulate <what>')
    .description('simulate a cluster under faults, seed by seed, with all checkers')
    .option('--seeds <n>', 'so many seeds', count)
    .option('--seed <seed>', 'the first seed; alone: only this one', count)
    .option('--plant <fault>', 'break a rule on purpose, to see that it is noticed')
    .option('--trace', 'of one seed: print what happens')
    .option('--json', 'print JSON')
    .option('--no-color', 'print without colors')
    .addHelpText(
      'after',
      '\nExamples:\n  skein simulate raft --seeds 1000\n  skein simulate raft --seed 42 --plant stale-reads\n  skein simulate cluster --seeds 500\n  skein simulate cluster --seed 7 --trace',
    )
    .action(async (what: string, { json = false, ...options }: Options & { json?: boolean }) => {
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
  bench(program);
  program
    .command('sabotage')
    .description('break one safety rule after the other in a copy; the tests must notice each')
    .option('--only <id>', 'only this one; can be repeated', repeat)
    .option('--json', 'print JSON')
    .option('--no-color', 'print without colors')
    .addHelpText('after', '\nExamples:\n  skein sabotage\n  skein sabotage --only raft-vote-twice')
    .action(async ({ json = false, only }: { json?: boolean; only?: string[] }) => {
      const { sabotage } = await import('./commands/sabotage');
      const home = process.env['SKEIN_HOME'] ?? process.cwd();
      await sabotage({ home, json, ...(only === undefined ? {} : { only }) });
    });
  program
    .command('verify')
    .addArgument(new Argument('<what>', 'what is proven').choices(['consensus']))
    .description('prove on real processes and disks what a bad day does not break')
    .option('--seconds <n>', 'how long faults last', count, 120)
    .option(
      '--only <proofs>',
      'of faults,old-leader,disks,damage,members,growth,encryption',
      commas,
    )
    .option('--json', 'print JSON')
    .option('--no-color', 'print without colors')
    .addHelpText(
      'after',
      '\nExamples:\n  skein verify consensus\n  skein verify consensus --only faults --seconds 600',
    )
    .action(
      async (_: string, options: { json?: boolean; seconds: number; only?: readonly string[] }) => {
        const { verifyConsensus, proofsOf } = await import('./commands/verify');
        const home = process.env['SKEIN_HOME'] ?? process.cwd();
        const { json = false, seconds, only } = options;
        await verifyConsensus({ home, json, seconds, only: proofsOf(only) });
      },
    );
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .description('print a completion script')
    .addHelpText('after', '\nExamples:\n  source <(skein completion bash)')
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      const { completionScript } = await import('./commands/completion');
      process.stdout.write(completionScript(program, shell));
    });
}

function bench(program: Command): void {
  const home = () => process.env['SKEIN_HOME'] ?? process.cwd();
  program
    .command('bench')
    .addArgument(new Argument('<what>', 'what is measured').choices(['store']))
    .description('measure the store, side by side with a peer in one run')
    .addOption(new Option('--vs <peer>', 'measure this one too').choices(['etcd']))
    .option('--quick', 'a short run, to see that it works')
    .option('--only <groups>', 'of puts,gets,transactions,watches,failover,keys', commas)
    .option('--rounds <n>', 'rounds of each measurement', count)
    .option('--duration <seconds>', 'of one measurement', count)
    .option('--kills <n>', 'leaders killed', count)
    .option('--keys <n>', 'keys in the store when it is restarted and weighed', count)
    .option('--profile <folder>', "write the managers' and the client's CPU profiles there")
    .option('--json', 'print JSON')
    .option('--no-color', 'print without colors')
    .addHelpText(
      'after',
      '\nExamples:\n  skein bench store --vs etcd\n  skein bench store --quick --only puts,gets --json',
    )
    .action(async (_what: string, { json = false, ...options }: Options & { json?: boolean }) => {
      const { benchStore } = await import('./commands/bench');
      await benchStore({ ...options, json, home: home(), path: process.env['PATH'] ?? '' });
    });
  program
    .command('bench-world <ip> <settings>', { hidden: true })
    .action(async (ip: string, settings: string) => {
      const { runWorld } = await import('@skein/bench');
      await runWorld(ip, JSON.parse(settings) as Parameters<typeof runWorld>[1]);
    });
}
