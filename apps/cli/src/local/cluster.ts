// `up`, `down` and `status`: the local cluster that stays.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import { isAlive, listRuns, LocalCluster, runsDir, sweep } from '@skein/local-cluster';
import { createProgress } from '../demo/progress';
import { pageLink } from './page-link';

export const localName = 'local';

export async function up(options: {
  home: string;
  path: string;
  hosts: number;
  port: number;
  natsPort: number;
}): Promise<void> {
  const progress = createProgress();
  let cluster: LocalCluster;
  const task = progress.begin(
    `A cluster starts: NATS, three managers, services, ${options.hosts} hosts`,
  );
  try {
    cluster = await LocalCluster.start({
      home: options.home,
      path: options.path,
      name: localName,
      hosts: options.hosts,
      managers: 3,
      httpPort: options.port,
      natsPort: options.natsPort,
      orAnyPort: false,
      attached: false,
      ephemeral: false,
      restart: true,
      progress: (step) => task.detail(step),
    });
    cluster.detach();
    const { natsUrl, natsCreds } = cluster.record;
    task.succeed(`gateway on ${cluster.url}, NATS on ${natsUrl} with --creds ${natsCreds}`);
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

export async function down(options: { home: string; purge: boolean }): Promise<void> {
  const { ended, removed } = await sweep(options.home, { keepRunning: false });
  if (options.purge)
    rmSync(join(runsDir(options.home), localName), { recursive: true, force: true });
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
