// Every command, its arguments and its help. What a command does is loaded when it runs, so that help is quick.

import { Argument, Command } from 'commander';
import { count, door, listDoor, label, milliseconds, repeat, seconds, yes } from './door';
import { registerAgentCommands } from './agent-commands';
import { registerBenchCommands } from './bench-commands';
import { registerJoinCommands } from './join-commands';
import { registerProofCommands } from './proof-commands';
import { registerOperatorCommands } from './operator-commands';
import { registerTokenCommands } from './token-commands';
import { registerServiceCommands } from './service-commands';
import { registerSimulateCommands } from './simulate-commands';

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
  registerServiceCommands(program);
  hosts(program);
  registerTokenCommands(program);
  registerAgentCommands(program);
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
      .option('--reserve <name=address>', 'keep an address of the first subnet; repeatable', label)
      .option('--ipv4', 'with an IPv4 subnet, from the default pools if none is given')
      .option('--ipv6', 'with an IPv6 subnet, from the default pools if none is given')
      .option('--allow-overlap', 'its subnets may overlap what others have: it never meets them')
      .option('--vni <n>', 'VXLAN network identifier', count)
      .option('--mtu <bytes>', 'MTU of its interfaces', count)
      .option('--internal', 'no way out of the network')
      .option('--multicast', 'broadcast and multicast reach members on other hosts too')
      .option('--on-host-loss <policy>', 'keep or fence the addresses of a lost host')
      .option('--label <name=value>', 'a label; can be repeated', label),
    async () => (await load()).create,
    [
      'skein network create web',
      'skein network create both --ipv4 --ipv6',
      'skein network create db --subnet 10.9.0.0/24 --reserve printer=10.9.0.9',
    ],
  );
  listDoor(
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
    yes(
      network
        .command('delete <network>')
        .alias('rm')
        .description('delete a network without endpoints')
        .option('--force', 'also release its endpoints on hosts that are down'),
    ),
    async () => (await load()).remove,
    ['skein network delete web --yes'],
  );
  door(
    network
      .command('add-subnet <network> <cidr>')
      .description('add a subnet to a network that is in use')
      .option('--range <cidr>', 'give out addresses of this part only')
      .option('--gateway <address>', 'its gateway')
      .option('--reserve <name=address>', 'keep an address of it; repeatable', label),
    async () => (await load()).addSubnet,
    ['skein network add-subnet web 10.10.0.0/24'],
  );
  listDoor(
    network.command('addresses <network>').description('show how full it is, and who holds what'),
    async () => (await load()).addresses,
    ['skein network addresses web'],
  );
  listDoor(
    network.command('exclusions').description('show which prefixes no network may have'),
    async () => (await load()).exclusions,
    ['skein network exclusions'],
  );
  door(
    network
      .command('exclude <cidr>')
      .description('keep a prefix from all networks to come')
      .option('--reason <text>', 'why, for whoever asks for it'),
    async () => (await load()).exclude,
    ["skein network exclude 10.9.0.0/16 --reason 'the office'"],
  );
  door(
    network.command('include <cidr>').description('let networks have an excluded prefix again'),
    async () => (await load()).include,
    ['skein network include 10.9.0.0/16'],
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
      .option('--family <ipv4|ipv6>', 'an address of this family only; can be repeated', repeat)
      .option('--mac <mac>', 'a static MAC address')
      .option('--alias <name>', 'another name; can be repeated', repeat)
      .option('--service <name>', 'service that it is a backend of')
      .option('--label <name=value>', 'a label; can be repeated', label)
      .option('--wait <ms>', 'how long to wait for the hosts to program it', milliseconds);
  const attachExamples = [
    'skein attach web --host h1 --name a --netns /run/netns/a',
    'skein attach web --host h2 --address 10.1.0.20',
  ];
  const detach = (command: Command): Command =>
    yes(command).option('--wait <ms>', 'how long to wait for the hosts to forget it', milliseconds);
  const doAttach = async () => (await load()).attach;
  const doDetach = async () => (await load()).detach;

  door(
    attach(endpoint.command('create <network>').description('attach an endpoint')),
    doAttach,
    attachExamples,
  );
  listDoor(
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
    ['skein endpoint delete web a --yes'],
  );
  door(
    attach(program.command('attach <network>').description('attach an endpoint to a network')),
    doAttach,
    attachExamples,
  );
  door(
    detach(program.command('detach <network> <endpoint>').description('detach an endpoint')),
    doDetach,
    ['skein detach web a --yes'],
  );
}

function hosts(program: Command): void {
  const host = program.command('host').description('hosts and what each has programmed');
  const load = () => import('./commands/host');
  listDoor(
    host.command('list').alias('ls').description('list hosts'),
    async () => (await load()).list,
    ['skein host list'],
  );
  door(host.command('show <host>').description('show one host'), async () => (await load()).show, [
    'skein host show h1',
  ]);
  door(
    yes(
      host
        .command('remove <host>')
        .aliases(['rm', 'delete'])
        .description(
          'remove a host that is down, releasing what it held; shows that before it asks',
        )
        .option('--dry-run', 'only show what would be released'),
    ),
    async () => (await load()).remove,
    ['skein host remove h3 --dry-run', 'skein host remove h3 --yes'],
  );
  door(
    host
      .command('readmit <host>')
      .description('let a removed host come back that has not been started anew'),
    async () => (await load()).readmit,
    ['skein host readmit h3'],
  );
  door(
    host.command('drain <host>').description('let it take no new endpoints; show what it has'),
    async () => (await load()).drain,
    ['skein host drain h3'],
  );
  door(
    host.command('undrain <host>').description('let a drained host take endpoints again'),
    async () => (await load()).undrain,
    ['skein host undrain h3'],
  );
  listDoor(
    host.command('networks <host>').description('show what it takes part in'),
    async () => (await load()).networks,
    ['skein host networks h1'],
  );
  listDoor(
    host.command('matrix').description('show which host reaches which inside the overlay'),
    async () => (await import('./commands/host-matrix')).matrix,
    ['skein host matrix'],
  );
  door(
    host
      .command('traffic')
      .description('show what passes between hosts inside the overlay, counted for a moment')
      .option('--seconds <n>', 'for how long; 2', seconds),
    async () => (await import('./commands/host-traffic')).traffic,
    ['skein host traffic', 'skein host traffic --seconds 10 --json'],
  );
  registerJoinCommands(program, host);
}

function history(program: Command): void {
  const address = program.command('address').description('who holds an address, now and earlier');
  const load = () => import('./commands/address');
  door(
    address
      .command('audit')
      .description('compare what the store, the services and the kernels have')
      .option('--network <network>', 'only this network')
      .option('--repair', 'put right what is safe to put right')
      .option('--grace <ms>', 'how long an address may be held for no endpoint', milliseconds),
    async () => (await load()).audit,
    ['skein address audit', 'skein address audit --network web --repair'],
  );
  door(
    address
      .command('show <address>')
      .description('show who holds an address, since when, and who held it before')
      .option('--network <network>', 'in this network only')
      .option('--at <when>', "as of then: 14:32, '10m ago', an RFC 3339 time or a revision"),
    async () => (await load()).show,
    ['skein address show 10.1.0.2', 'skein address show 10.1.0.2 --at 14:32'],
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
    program
      .command('top')
      .description('show the cluster live: managers, hosts, networks and what happens')
      .option('--once', 'print one look and end'),
    async () => (await import('./commands/top')).top,
    ['skein top', 'skein top --once', 'skein top --json | jq .cluster.commitsPerSecond'],
  );
  door(
    program.command('doctor').description('find out what is in the way'),
    async () => (await import('./commands/doctor')).doctor,
    ['skein doctor'],
  );
  registerSimulateCommands(program);
  registerBenchCommands(program);
  registerProofCommands(program);
  program.command('chaos-prober', { hidden: true }).action(async () => {
    const { runProber } = await import('@skein/chaos');
    runProber();
  });
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .description("print a completion script; it asks the gateway for the cluster's names")
    .addHelpText('after', '\nExamples:\n  source <(skein completion bash)')
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      const { completionScript } = await import('./commands/completion');
      process.stdout.write(completionScript(program, shell));
    });
  program
    .command('names-for [words...]', { hidden: true })
    .helpOption(false)
    .passThroughOptions()
    .action(async (words: string[]) => {
      const { printNames } = await import('./commands/names');
      await printNames(program, words);
    });
}
