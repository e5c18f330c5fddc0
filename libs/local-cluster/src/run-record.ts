// What is written down of a local cluster, so that later commands find it and nothing of it outlives it: one folder with
// its data and a record of its outer processes.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface RunRecord {
  readonly name: string;
  readonly dataDir: string;
  /** The `unshare` process outside and its child, the supervisor; each with its start time, as pids are used again. */
  readonly outer: ProcessMark;
  readonly supervisor: ProcessMark;
  readonly url: string;
  readonly natsUrl: string;
  /** File with the credentials of people, for the NATS CLI. */
  readonly natsCreds: string;
  /** True if it runs in a user namespace of its own. */
  readonly userNamespace: boolean;
  readonly startedAt: number;
}

export interface ProcessMark {
  readonly pid: number;
  readonly startTicks: string;
}

/** Field 22 of /proc/<pid>/stat; null if there is no such process. */
export function startTicksOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

export function isAlive(mark: ProcessMark): boolean {
  return startTicksOf(mark.pid) === mark.startTicks;
}

export const runsDir = (home: string): string => join(home, '.skein', 'run');
export const clientFile = (home: string): string => join(home, '.skein', 'client.json');
const recordFile = (dataDir: string): string => join(dataDir, 'run.json');

export function writeRecord(record: RunRecord): void {
  mkdirSync(record.dataDir, { recursive: true });
  writeFileSync(recordFile(record.dataDir), JSON.stringify(record, null, 2));
}

export function readRecord(dataDir: string): RunRecord | null {
  if (!existsSync(recordFile(dataDir))) return null;
  return JSON.parse(readFileSync(recordFile(dataDir), 'utf8')) as RunRecord;
}

export function removeRecord(dataDir: string): void {
  rmSync(recordFile(dataDir), { force: true });
}

/** Every folder of a run, with its record where it has one. */
export function listRuns(home: string): { dataDir: string; record: RunRecord | null }[] {
  if (!existsSync(runsDir(home))) return [];
  return readdirSync(runsDir(home), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(runsDir(home), entry.name))
    .map((dataDir) => ({ dataDir, record: readRecord(dataDir) }));
}

export interface ClientFile {
  readonly url: string;
  readonly token: string;
  readonly natsUrl: string;
  readonly natsCreds: string;
}

export function writeClientFile(home: string, client: ClientFile): void {
  writeFileSync(clientFile(home), `${JSON.stringify(client, null, 2)}\n`, { mode: 0o600 });
}

/** Removes the client file if it still points at `url`: a later cluster may have replaced it. */
export function removeClientFile(home: string, url: string): void {
  try {
    const client = JSON.parse(readFileSync(clientFile(home), 'utf8')) as ClientFile;
    if (client.url === url) rmSync(clientFile(home), { force: true });
  } catch {
    // Not there, or not ours to judge.
  }
}

/** Removes the client file if no running cluster of this clone answers at its address. */
export function removeStaleClientFile(home: string): void {
  const running = listRuns(home).filter(
    ({ record }) => record !== null && isAlive(record.supervisor),
  );
  try {
    const client = JSON.parse(readFileSync(clientFile(home), 'utf8')) as ClientFile;
    if (running.some(({ record }) => record?.url === client.url)) return;
    rmSync(clientFile(home), { force: true });
  } catch {
    // Not there.
  }
}
