// The managers of the local cluster behind a gateway, if it is one: who they are, and starting or ending one of them.

import { isAlive, listRuns, LocalCluster } from '@skein/local-cluster';

const prefix = 'consensus-';

/** The local cluster of this clone whose gateway listens at `url`; undefined if it is none of ours. */
export async function localCluster(url: string): Promise<LocalCluster | undefined> {
  const home = process.env['SKEIN_HOME'] ?? process.cwd();
  for (const { record } of listRuns(home)) {
    if (record === null || record.url !== url || !isAlive(record.supervisor)) continue;
    const found = await LocalCluster.find(home, record.name).catch(() => null);
    if (found !== null) return found;
  }
  return undefined;
}

/** Ids of the managers that this machine runs for the cluster, whether they live or not. */
export async function localManagers(url: string): Promise<string[] | undefined> {
  const cluster = await localCluster(url);
  if (cluster === undefined) return undefined;
  try {
    const { processes } = await cluster.control.call('status', {});
    return processes.flatMap(({ name }) =>
      name.startsWith(prefix) ? [name.slice(prefix.length)] : [],
    );
  } finally {
    cluster.detach();
  }
}

/** Starts a new manager beside the others; resolves when it is ready to be talked to. */
export async function startManager(cluster: LocalCluster, id: string): Promise<void> {
  await cluster.control.call('addManager', { id });
}

/** Ends a manager for good: its process, its place in the layout and its data. */
export async function dropManager(cluster: LocalCluster, id: string): Promise<boolean> {
  const { removed } = await cluster.control.call('removeManager', { id });
  return removed;
}
