// The commands that work on this machine rather than through a gateway: a local cluster, its containers, the demo, the tests.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { SkeinError } from '@skein/contracts';
import type { Command } from 'commander';

/** The clone's root, as the launcher says it. */
function homeDir(): string {
  return process.env['SKEIN_HOME'] ?? process.cwd();
}

const searchPath = () => process.env['PATH'] ?? '';

/** Reads an option's whole number within bounds; what is none is refused before anything starts. */
const wholeNumber =
  (field: string, least: number, most = Infinity) =>
  (text: string): number => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    const bounds = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
    const message = `--${field}: expected a whole number ${bounds}, not '${text}'`;
    throw new SkeinError('invalid_request', message, { field });
  };

const maxPort = 65_535;

export function registerLocalCommands(program: Command): void {
  registerDemo(program);
  registerCluster(program);
  registerContainers(program);
  program
    .command('test')
    .description('run all tests that this machine can run')
    .allowUnknownOption()
    .allowExcessArguments()
    .option('--retry', 'run up to three files of whole-system tests that failed once more')
    .addHelpText('after', '\nWhat follows is handed to Jest: ./skein test libs/raft')
    .action(async ({ retry }: { retry?: boolean }, command: Command) => {
      process.exitCode = await runProgram(process.execPath, [
        join(homeDir(), 'tools', 'test.mjs'),
        ...(retry === true ? ['--retry'] : []),
        ...command.args,
      ]);
    });
}

function registerDemo(program: Command): void {
  program
    .command('demo')
    .description('start a cluster of its own and tell the story on the real kernel')
    .option('--once', 'clean up and end after the story')
    .option('--keep', 'leave the cluster running after the story; ./skein down ends it')
    .option('--json', 'print the report as JSON')
    .action(async (options: { once?: boolean; keep?: boolean; json?: boolean }) => {
      const { runDemo } = await import('../demo/run-demo');
      process.exitCode = await runDemo({
        home: homeDir(),
        path: searchPath(),
        once: options.once ?? false,
        keep: options.keep ?? false,
        json: options.json ?? false,
      });
    });
}

function registerCluster(program: Command): void {
  program
    .command('up')
    .description('start a local cluster that stays, with its data under .skein/')
    .option(
      '--hosts <n>',
      'hosts, as network namespaces; 3 unless it is single',
      wholeNumber('hosts', 1),
    )
    .option(
      '--single',
      'one manager, one host, and all but NATS in one process: for small machines',
    )
    .option('--port <n>', "the gateway's port on 127.0.0.1", wholeNumber('port', 0, maxPort), 8480)
    .option(
      '--nats-port <n>',
      "NATS' port on 127.0.0.1",
      wholeNumber('nats-port', 0, maxPort),
      4222,
    )
    .addHelpText(
      'after',
      '\nWith OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 each request is told to that collector as a trace.',
    )
    .action(
      async (options: { hosts?: number; single?: boolean; port: number; natsPort: number }) => {
        const { up } = await import('./cluster');
        await up({ home: homeDir(), path: searchPath(), environment: process.env, ...options });
      },
    );
  program
    .command('down')
    .description('end every local cluster and demo of this clone and remove what dead ones left')
    .option('--purge', "remove the local cluster's data too")
    .action(async (options: { purge?: boolean }) => {
      const { down } = await import('./cluster');
      await down({ home: homeDir(), purge: options.purge ?? false });
    });
  program
    .command('status')
    .description('show the local clusters of this clone and their processes')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const { status } = await import('./cluster');
      await status({ home: homeDir(), json: options.json ?? false });
    });
}

function registerContainers(program: Command): void {
  const container = program
    .command('container')
    .description('bare network namespaces of the local cluster, to attach and try things in');
  container
    .command('add <name>')
    .description('make one; with --host and --network, attach it too')
    .option('--host <host>', 'host to attach it on')
    .option('--network <network>', 'network to attach it to')
    .action(async (name: string, options: { host?: string; network?: string }) => {
      const { addContainer } = await import('./containers');
      await addContainer({ home: homeDir(), name, ...options });
    });
  container
    .command('list')
    .alias('ls')
    .description('list them, and what each is attached to')
    .option('--json', 'print JSON')
    .option('--no-color', 'print without colors')
    .action(async ({ json }: { json?: boolean }) => {
      const { printContainers } = await import('./containers');
      await printContainers({ home: homeDir(), json: json ?? false });
    });
  container
    .command('remove <name>')
    .alias('rm')
    .description('remove it; its endpoint stays until it is detached')
    .action(async (name: string) => {
      const { removeContainer } = await import('./containers');
      await removeContainer({ home: homeDir(), name });
    });
  program
    .command('exec <place> [command...]')
    .description('run a program inside a container, or a host (host:h1), of the local cluster')
    .passThroughOptions()
    .addHelpText('after', '\nExamples:\n  ./skein exec a ping b\n  ./skein exec host:h1 ip -d link')
    .action(async (place: string, argv: string[]) => {
      const { commandLine } = await import('./containers');
      const line = await commandLine({ home: homeDir(), path: searchPath(), place, argv });
      const { searchPath: withTools } = await import('@skein/local-cluster');
      const env = { ...process.env, PATH: withTools(homeDir(), searchPath()) };
      process.exitCode = await runProgram(line[0] as string, line.slice(1), env);
    });
}

function runProgram(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', env });
    // The terminal sends Ctrl-C to both; the child decides what it means.
    const ignore = () => undefined;
    process.on('SIGINT', ignore);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      process.off('SIGINT', ignore);
      resolve(signal === null ? (code ?? 1) : 130);
    });
  });
}
