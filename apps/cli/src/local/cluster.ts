// `up`, `down` and `status`: the local cluster that stays.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import {
  isAlive,
  listRuns,
  LocalCluster,
  memoryOf,
  runsDir,
  sweep,
  tracingIn,
} from '@skein/local-cluster';
import { createProgress } from '../demo/progress';
import { counted } from '../output/units';
import { pageLink } from './page-link';

export const localName = 'local';
/** Its data are of another shape. */
const singleName = 'single';

export async function up(options: {
  home: string;
  path: string;
  hosts?: number;
  single?: boolean;
  port: number;
  natsPort: number;
  /** May name a collector of traces. */
  environment: Readonly<Record<string, string | undefined>>;
}): Promise<void> {
  const { single = false } = options;
  const { hosts = single ? 1 : 3 } = options;
  const managers = single ? 1 : 3;
  const from = performance.now();
  const progress = createProgress();
  let cluster: LocalCluster;
  const task = progress.begin(
    single
      ? 'A cluster starts: NATS, and all else in one process'
      : `A cluster starts: NATS, three managers, services, ${counted(hosts, 'host')}`,
  );
  try {
    cluster = await LocalCluster.start({
      home: options.home,
      path: options.path,
      name: single ? singleName : localName,
      hosts,
      managers,
      ...(single ? { single } : {}),
      httpPort: options.port,
      natsPort: options.natsPort,
      orAnyPort: false,
      attached: false,
      ephemeral: false,
      restart: true,
      tracing: tracingIn(options.environment),
      progress: (step) => task.detail(step),
    });
    const size = await sizeOf(cluster);
    cluster.detach();
    const { natsUrl, natsCreds } = cluster.record;
    task.succeed(`gateway on ${cluster.url}, NATS on ${natsUrl} with --creds ${natsCreds}`);
    progress.note(`${size}, started in ${((performance.now() - from) / 1_000).toFixed(1)} s`);
  } catch (error) {
    task.fail((error as Error).message);
    throw error;
  }
  progress.note(
    './skein container add a --host h1 --network web   attaches something to a network',
  );
  progress.note('./skein status   ./skein down');
  progress.note(`the page, with its token: ${pageLink(cluster)}`);
}

/** What the kernel says that it holds of the machine's memory; what is shared counts by its share. */
async function sizeOf({ control, record }: LocalCluster): Promise<string> {
  const { processes } = await control.call('status', {});
  const kib = new Map(processes.map(({ name, proportionalKib }) => [name, proportionalKib]));
  kib.set('supervisor', memoryOf(record.supervisor.pid).proportionalKib);
  const all = [...kib.values()].reduce((sum, each) => sum + each, 0);
  const named = [...kib].map(([name, each]) => `${name} ${mib(each)}`);
  return kib.size > 4 ? `${mib(all)} of memory` : `${mib(all)} of memory (${named.join(', ')})`;
}

const mib = (kib: number): string => `${Math.round(kib / 1_024)} MiB`;

export async function down(options: { home: string; purge: boolean }): Promise<void> {
  const { ended, removed } = await sweep(options.home, { keepRunning: false });
  for (const name of options.purge ? [localName, singleName] : [])
    rmSync(join(runsDir(options.home), name), { recursive: true, force: true });
  const purged = options.purge ? '; its data is gone' : '';
  const parts = [
    ...ended.map((name) => `ended ${name}`),
    ...removed.map((dir) => `removed what ${dir.split('/').at(-1)} left`),
  ];
  process.stdout.write(
    `${parts.length === 0 ? 'nothing was running' : parts.join('\n')}${purged}\n`,
  );
}

export async function status(options: { home: string; json: boolean }): Promise<void> {
  const runs = [];
  for (const { record } of listRuns(options.home)) {
    if (record === null || !isAlive(record.supervisor)) continue;
    const cluster = await LocalCluster.find(options.home, record.name).catch(() => null);
    // One that starts or ends just now has no processes to tell of.
    const seen = await cluster?.control.call('status', {}).catch(() => null);
    runs.push({ ...record, ...(seen ?? { processes: [], containers: [] }) });
    cluster?.detach();
  }
  if (options.json) {
    process.stdout.write(`${JSON.stringify(runs, null, 2)}\n`);
    return;
  }
  if (runs.length === 0) process.stdout.write('no local cluster runs; start one with ./skein up\n');
  for (const run of runs) {
    process.stdout.write(`${run.name}  ${run.url}  data ${run.dataDir}\n`);
    const table = new Table({
      head: ['PROCESS', 'STATE', 'PID', 'RESTARTS', 'MEMORY'],
      style: { head: [], border: [] },
    });
    for (const one of run.processes) {
      const memory = `${Math.round(one.residentKib / 1024)} MiB`;
      table.push([
        one.name,
        one.running ? 'running' : 'stopped',
        one.pid ?? '–',
        one.restarts,
        memory,
      ]);
    }
    process.stdout.write(`${table.toString()}\n`);
    if (run.containers.length > 0)
      process.stdout.write(`containers: ${run.containers.join(', ')}\n`);
  }
}
