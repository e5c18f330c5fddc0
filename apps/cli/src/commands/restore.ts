// skein cluster restore: data directories made from a backup, for the local cluster of this clone or for one replica of any
// other. Works on files of this machine alone; gateway and managers are down.

import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SkeinError } from '@skein/contracts';
import { isAlive, listRuns, runsDir, type LocalLayout } from '@skein/local-cluster';
import { localName } from '../local/cluster';
import { epochOf, loadBackup, writeReplica, type LoadedBackup } from '../local/restore-directory';
import { fields, time } from '../output/table';
import { formatBytes } from '../output/units';
import type { Output } from '../output/output';
import { demandConsent } from '../session';
import { keyFrom } from './recover';

export interface RestoreOptions {
  readonly preview?: boolean;
  readonly yes?: boolean;
  /** How far the revision is moved on. */
  readonly bump: number;
  readonly epoch?: number;
  /** Of one replica; without it, all managers of the local cluster. */
  readonly dataDir?: string;
  readonly replicaId?: string;
  readonly members?: string;
  readonly clusterId?: string;
  readonly keyFile?: string;
}

interface Target {
  readonly clusterId: string;
  readonly members: readonly string[];
  /** Which replica goes where. */
  readonly places: readonly { readonly replicaId: string; readonly directory: string }[];
  /** Called once all directories are there. */
  readonly settle: () => void;
}

/** Asks no gateway: there is none. */
export async function restore(out: Output, home: string, file: string, options: RestoreOptions) {
  const bar = out.bar('reading the backup');
  const total = sizeOf(file);
  const loaded = await loadBackup(file, options.bump, (bytes) => bar.at(bytes, total)).finally(() =>
    bar.end(),
  );
  const target =
    options.dataDir === undefined
      ? localTarget(home)
      : replicaTarget(options.dataDir, options, loaded);
  const epoch = await epochFor(target, loaded, options.epoch);
  const plan = {
    file,
    takenAt: loaded.header.takenAt,
    fromCluster: loaded.header.clusterId,
    clusterId: target.clusterId,
    members: target.members,
    directories: target.places.map(({ directory }) => directory),
    epoch,
    backupRevision: loaded.revision,
    revision: loaded.store.status.revision,
    keys: loaded.store.status.keys,
    bytes: loaded.trailer.size,
  };
  if (options.preview === true) return out.show({ ...plan, restored: false }, planText);
  out.note(planText(plan));
  const question = `Put the state of revision ${plan.backupRevision} in place of what is there?`;
  if (!(await demandConsent(question, options.yes ?? false))) return;
  const key = options.keyFile === undefined ? undefined : keyBytes(options.keyFile);
  const { header, store } = loaded;
  for (const { replicaId, directory } of target.places) {
    const location = { clusterId: target.clusterId, replicaId, directory };
    writeReplica(location, { header, store, members: target.members, epoch, key });
  }
  target.settle();
  out.show({ ...plan, restored: true }, () => doneText(plan, options.dataDir !== undefined));
}

type Plan = Record<string, unknown> & {
  members: readonly string[];
  directories: readonly string[];
  epoch: number;
  revision: number;
  backupRevision: number;
  keys: number;
  bytes: number;
  takenAt: number;
};

function planText(plan: Plan): string {
  return fields([
    ['backup', `${plan['file']}, ${formatBytes(plan.bytes)}, checksum verified`],
    [
      'taken',
      `${time(plan.takenAt)} from ${plan['fromCluster']} at revision ${plan.backupRevision}`,
    ],
    ['keys', plan.keys],
    ['cluster', plan['clusterId'] as string],
    ['members', plan.members.join(', ')],
    ['epoch', plan.epoch],
    ['revision', `${plan.revision} from now on: revisions never go back`],
    ['directories', plan.directories.join('\n             ')],
  ]);
}

function doneText(plan: Plan, isSingle: boolean): string {
  const next = isSingle
    ? `Restore the other members from the same file with --epoch ${plan.epoch}, then start them all.`
    : 'What was there lies beside it in each directory. Start the cluster with ./skein up.';
  return `restored at revision ${plan.revision}, epoch ${plan.epoch}. ${next}`;
}

/** The cluster that `./skein up` starts; it must be down. */
function localTarget(home: string): Target {
  for (const { record } of listRuns(home)) {
    if (record?.name !== localName || !isAlive(record.supervisor)) continue;
    throw new SkeinError('replica_running', 'The local cluster runs; end it with ./skein down', {
      facts: { url: record.url },
    });
  }
  const dataDir = join(runsDir(home), localName);
  const path = join(dataDir, 'layout.json');
  if (!existsSync(path)) {
    throw new SkeinError('invalid_request', 'There is no local cluster; name a --data-dir', {
      field: 'data-dir',
      facts: { hint: './skein up makes one' },
    });
  }
  const layout = JSON.parse(readFileSync(path, 'utf8')) as LocalLayout;
  return {
    clusterId: layout.clusterId,
    members: layout.managers,
    places: layout.managers.map((id) => ({ replicaId: id, directory: join(dataDir, id) })),
    // All of them are members of the restored state from its first entry on: nobody joins.
    settle: () => writeFileSync(path, JSON.stringify({ ...layout, joined: [] }), { mode: 0o600 }),
  };
}

function replicaTarget(directory: string, options: RestoreOptions, loaded: LoadedBackup): Target {
  const { replicaId, members: listed, clusterId = loaded.header.clusterId } = options;
  if (replicaId === undefined || listed === undefined) {
    const field = replicaId === undefined ? 'replica-id' : 'members';
    throw new SkeinError('invalid_request', `--data-dir goes with --${field}`, { field });
  }
  const members = listed.split(',').map((id) => id.trim());
  if (!members.includes(replicaId)) {
    throw new SkeinError('invalid_request', `${replicaId} is not among the members`, {
      field: 'members',
    });
  }
  return { clusterId, members, places: [{ replicaId, directory }], settle: () => undefined };
}

/** Above every epoch that the backup or the directories know, so that replicas of before are not listened to. */
async function epochFor(
  { clusterId, places }: Target,
  { header }: LoadedBackup,
  wanted: number | undefined,
): Promise<number> {
  const known = [header.epoch];
  for (const { replicaId, directory } of places) {
    const epoch = await epochOf({ clusterId, replicaId, directory });
    if (epoch !== undefined) known.push(epoch);
  }
  const highest = Math.max(...known);
  if (wanted === undefined) return highest + 1;
  if (wanted > header.epoch && wanted >= highest) return wanted;
  throw new SkeinError('invalid_request', `The epoch must be above ${highest}`, {
    field: 'epoch',
    facts: { highest },
  });
}

function keyBytes(file: string): Uint8Array {
  return new Uint8Array(Buffer.from(keyFrom(file, 'key-file'), 'base64'));
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch (cause) {
    throw new SkeinError('invalid_request', `'${file}' can't be read`, { field: 'file', cause });
  }
}
