// The commands of those who look after a cluster: its managers, its store, its leases.

import { Argument, Option, type Command } from 'commander';
import type { RestoreOptions } from './commands/restore';
import { count, door, listDoor, repeat, seconds, yes, type Options } from './door';

export function registerOperatorCommands(program: Command): void {
  cluster(program);
  kv(program);
  lease(program);
}

const waiting = (command: Command): Command =>
  command.option('--wait <seconds>', 'how long to wait for it to catch up', seconds, 120);

function cluster(program: Command): void {
  const group = program.command('cluster').description('the managers and who of them leads');
  const load = () => import('./commands/cluster');
  door(
    group
      .command('status')
      .description('show how the managers fare, as their leader sees them')
      .option('-w, --watch [seconds]', 'show it again and again, each second unless told otherwise')
      .option('--local [replicas]', 'as each replica sees itself; works without a leader'),
    async () => (await load()).status,
    [
      'skein cluster status',
      'skein cluster status --watch',
      'skein cluster status --local m1,m2,m3',
    ],
  );
  door(
    group.command('members').description('show who votes, who listens, how far each has come'),
    async () => (await load()).members,
    ['skein cluster members'],
  );
  door(
    group
      .command('transfer [member]')
      .description('hand leadership to another manager, or to the one furthest ahead'),
    async () => (await load()).transfer,
    ['skein cluster transfer m2'],
  );
  memberCommands(group);
  safekeeping(group);
  const alarms = group.command('alarms').description('what is wrong with the store');
  door(
    alarms
      .command('list', { isDefault: true })
      .description('show the alarms, and how full the store is'),
    async () => (await load()).alarms,
    ['skein cluster alarms'],
  );
  door(
    alarms
      .command('clear <alarm>')
      .description('lower an alarm: nospace or corrupt; it comes back if its cause is still there')
      .option('--replica <id>', 'the replica that it is about'),
    async () => (await load()).clearAlarm,
    ['skein cluster alarms clear nospace'],
  );
  door(
    group
      .command('quota [size]')
      .description("show how large the store may grow, or set it; 'none' takes the limit away"),
    async () => (await load()).quota,
    ['skein cluster quota', 'skein cluster quota 2GiB', 'skein cluster quota none'],
  );
}

function memberCommands(group: Command): void {
  const load = () => import('./commands/members');
  door(
    waiting(
      group
        .command('add <name>')
        .description(
          'take a new manager in: as a learner, then, once it has caught up, as a voter; on a local cluster it is started too',
        )
        .option('--no-promote', 'leave it a learner'),
    ),
    async () => (await load()).add,
    ['skein cluster add m4', 'skein cluster add m4 --no-promote'],
  );
  door(
    waiting(
      group
        .command('promote <member>')
        .description('give a learner a vote, as soon as it has caught up'),
    ),
    async () => (await load()).promote,
    ['skein cluster promote m4'],
  );
  door(
    group.command('demote <member>').description('take a voter its vote; it goes on as a learner'),
    async () => (await load()).demote,
    ['skein cluster demote m2'],
  );
  door(
    yes(
      group
        .command('remove <member>')
        .alias('rm')
        .description('drop a manager; on a local cluster its process ends and its data goes too'),
    ),
    async () => (await load()).remove,
    ['skein cluster remove m1 --yes'],
  );
}

function safekeeping(group: Command): void {
  const load = () => import('./commands/recover');
  door(
    group
      .command('backup [file]')
      .description(
        'write the whole store to a file, checked while it is written; - for standard output',
      )
      .option('--replica <id>', 'take it from this replica; needs no leader then'),
    async () => (await import('./commands/backup')).backup,
    ['skein cluster backup', 'skein cluster backup monday.skein-backup --replica m2'],
  );
  yes(
    group
      .command('restore <file>')
      .description(
        "make data directories from a backup: of the local cluster, which must be down, or of one replica's --data-dir",
      )
      .option('--preview', 'check the file and show what would be; change nothing')
      .option(
        '--bump <n>',
        'how far the revision is moved on, so that none comes twice',
        count,
        1_000_000,
      )
      .option('--data-dir <folder>', 'data directory of one replica, on its host')
      .option('--replica-id <id>', 'which replica that is')
      .option('--members <ids>', 'all managers of the restored cluster, separated by commas')
      .option('--cluster-id <id>', 'its id; default: as in the backup')
      .option('--epoch <n>', 'the same for all replicas; default: one more than is known', count)
      .option('--key-file <file>', 'encrypt the log with this key')
      .option('--json', 'print JSON')
      .option('--no-color', 'print without colors'),
  )
    .addHelpText(
      'after',
      `
Examples:
  skein cluster restore monday.skein-backup --preview
  ./skein down; skein cluster restore monday.skein-backup; ./skein up
  skein cluster restore monday.skein-backup --data-dir /var/lib/skein/m1 --replica-id m1 --members m1,m2,m3`,
    )
    .action(async (file: string, { json, color: _color, ...options }: Options) => {
      const { restore } = await import('./commands/restore');
      const { Output } = await import('./output/output');
      const home = process.env['SKEIN_HOME'] ?? process.cwd();
      await restore(new Output(json === true), home, file, options as unknown as RestoreOptions);
    });
  door(
    yes(
      group
        .command('recover <replica>')
        .description(
          'when a majority is lost for good: make this replica the only voter of a new epoch',
        )
        .option('--preview', 'show what it holds and what would be; change nothing')
        .option('--force', 'even if another replica is further ahead, or a leader is heard'),
    ),
    async () => (await load()).recover,
    ['skein cluster recover m2 --preview', 'skein cluster recover m2'],
  );
  door(
    group
      .command('unlock <replicas...>')
      .description('give replicas the key of their encrypted logs, after they have been started')
      .option('--key-file <file>', 'where the key is, - for standard input; else SKEIN_KEY'),
    async () => (await load()).unlock,
    ['skein cluster unlock m1 m2 m3 --key-file /root/skein.key'],
  );
  door(
    yes(
      group
        .command('rotate-key [replicas...]')
        .description('draw a new data key, or with --new-key-file lock the logs with a new key')
        .option('--all', 'all replicas')
        .option('--new-key-file <file>', 'where the new key is; it replaces the one that unlocks'),
    ),
    async () => (await load()).rotateKey,
    [
      'skein cluster rotate-key --all',
      'openssl rand -base64 32 > /root/new.key; skein cluster rotate-key --all --new-key-file /root/new.key',
    ],
  );
}

function kv(program: Command): void {
  const group = program.command('kv').description('the key-value store as it is');
  const load = () => import('./commands/kv');
  const loadHistory = () => import('./commands/kv-history');
  const sortable = ['key', 'version', 'createRevision', 'modRevision', 'value'];
  const levels = ['linearizable', 'lease', 'bounded', 'stale'];
  door(
    group
      .command('get <key>')
      .description('read a key, or all keys with a prefix')
      .option('--prefix', 'all keys that start with it')
      .option('--range-end <key>', 'all keys from it up to this one, exclusive')
      .option('--limit <n>', 'at most so many', count)
      .option('--revision <revision>', 'as of this revision', count)
      .option('--keys-only', 'print keys without values')
      .option('--count-only', 'print only how many there are')
      .addOption(new Option('--sort <by>', 'sort by this').choices(sortable))
      .addOption(new Option('--order <order>', 'the order').choices(['ascending', 'descending']))
      .option('--min-mod-revision <revision>', 'changed at this revision or later', count)
      .option('--max-mod-revision <revision>', 'changed at this revision or earlier', count)
      .option('--min-create-revision <revision>', 'created at this revision or later', count)
      .option('--max-create-revision <revision>', 'created at this revision or earlier', count)
      .addOption(new Option('--consistency <level>', 'how fresh it must be').choices(levels))
      .option('--max-staleness <duration>', 'with --consistency bounded: at most this old')
      .option('--replica <id>', 'ask this replica instead of the leader'),
    async () => (await load()).get,
    [
      'skein kv get /skein/ --prefix --keys-only',
      'skein kv get greeting --revision 12',
      'skein kv get jobs/ --prefix --sort modRevision --order descending --limit 10',
      'skein kv get greeting --replica m2 --consistency stale',
    ],
  );
  door(
    yes(
      group
        .command('put <key> <value>')
        .description('write a key; a value of - is read from standard input, as UTF-8 text')
        .option('--lease <lease>', 'it goes when this lease ends')
        .option('--keep-lease', 'leave it under the lease that it has')
        .option(
          '--if-revision <revision>',
          'only if the key has this revision; 0: is not there',
          count,
        )
        .option('--previous', 'show what was there before'),
    ),
    async () => (await load()).put,
    ['skein kv put greeting hello', 'skein kv put leader me --lease l1 --if-revision 0'],
  );
  door(
    yes(
      group
        .command('del <key>')
        .alias('rm')
        .description('delete a key, or all keys with a prefix')
        .option('--prefix', 'all keys that start with it')
        .option('--range-end <key>', 'all keys from it up to this one, exclusive')
        .option('--previous', 'show what was there'),
    ),
    async () => (await load()).del,
    ['skein kv del greeting', 'skein kv del jobs/ --prefix --yes'],
  );
  door(
    group
      .command('txn [file]')
      .description('run a transaction: as JSON, from a file or standard input, or from the options')
      .option('--if <comparison>', 'all must hold; can be repeated', repeat)
      .option('--then <operation>', 'done if they do; can be repeated', repeat)
      .option('--else <operation>', 'done if they do not; can be repeated', repeat),
    async () => (await load()).txn,
    [
      `skein kv txn --if 'version(k) = 0' --then 'put k v' --else 'get k'`,
      `echo '{"compare":[{"key":"k","target":"version","operator":"=","value":0}],`,
      `  "success":[{"type":"put","key":"k","value":"v"}]}' | skein kv txn`,
    ],
  );
  door(
    group
      .command('watch <key>')
      .description('print what happens to a key, or to all keys with a prefix, until Ctrl-C')
      .option('--prefix', 'all keys that start with it')
      .option('--from <revision>', 'from this revision on', count)
      .option('--previous', 'show what was replaced')
      .option('--progress', 'say how far it is while nothing happens')
      .addOption(new Option('--filter <kind>', 'leave these out').choices(['noput', 'nodelete'])),
    async () => (await loadHistory()).watch,
    ['skein kv watch jobs/ --prefix', 'skein kv watch greeting --from 1 --json'],
  );
  door(
    group
      .command('history <key>')
      .description('show every kept revision of a key, or of all keys with a prefix')
      .option('--prefix', 'all keys that start with it')
      .option('--from <revision>', 'from this revision on', count)
      .option('--limit <n>', 'at most so many revisions', count),
    async () => (await loadHistory()).history,
    ['skein kv history greeting', 'skein kv history jobs/ --prefix --from 100 --limit 20'],
  );
  door(
    yes(
      group
        .command('compact')
        .addArgument(new Argument('<revision>', 'the last revision to drop').argParser(count))
        .description('drop the history up to a revision; what is live stays'),
    ),
    async () => (await load()).compact,
    ['skein kv compact 1000 --yes'],
  );
}

function lease(program: Command): void {
  const group = program.command('lease').description('leases: keys that go unless somebody renews');
  const load = () => import('./commands/lease');
  door(
    group
      .command('grant <ttl>')
      .description('grant a lease for 30s, 5m or 2h; a bare number is seconds')
      .option('--name <name>', 'its name; else the store chooses one'),
    async () => (await load()).grant,
    ['skein lease grant 60s', 'skein lease grant 5m --name worker-7'],
  );
  listDoor(
    group.command('list').alias('ls').description('list leases with the time each still has'),
    async () => (await load()).list,
    ['skein lease list'],
  );
  door(
    group
      .command('show <lease>')
      .description('show how long a lease still lives')
      .option('--keys', 'and the keys under it'),
    async () => (await load()).show,
    ['skein lease show worker-7 --keys'],
  );
  door(
    group
      .command('keep-alive <lease>')
      .description('renew a lease until Ctrl-C')
      .option('--once', 'renew it a single time'),
    async () => (await load()).keepAlive,
    ['skein lease keep-alive worker-7'],
  );
  door(
    group
      .command('revoke <lease>')
      .alias('rm')
      .description('end a lease and delete the keys under it'),
    async () => (await load()).revoke,
    ['skein lease revoke worker-7'],
  );
}
