// A program for the tests of failing disks: writes entry after entry to a log until the disk fails, then says what it was told.
// With `--again` it frees the disk and opens the log once more, in the same process; with `--read` it only opens.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openRaftLog, type RaftLogError } from '@skein/raft-sqlite';

const [directory = '', workerPath = '', ...flags] = process.argv.slice(2);
const configuration = { incoming: ['r1'], outgoing: [], learners: [] };
const data = new Uint8Array(20_000).fill(1);
const mostEntries = 2_000;
const inFlight = 8;

function open(onDurable: (last: number) => void, onFailure: (error: RaftLogError) => void) {
  return openRaftLog({
    directory: join(directory, 'log'),
    clusterId: 'c1',
    replicaId: 'r1',
    configuration,
    worker: pathToFileURL(workerPath),
    onDurable: (writes) => onDurable(writes.at(-1)?.lastIndex ?? 0),
    onFailure,
  });
}

async function writeUntilFailure() {
  let written = 0;
  let confirmed = 0;
  let failures = 0;
  let confirmedAfterFailure = 0;
  let fail: (error: RaftLogError) => void = () => undefined;
  const failed = new Promise<RaftLogError>((resolve) => (fail = resolve));
  const log = await open(
    (last) => {
      if (failures > 0) confirmedAfterFailure += 1;
      confirmed = last;
      while (written < last + inFlight) write();
    },
    (error) => {
      failures += 1;
      fail(error);
    },
  );
  const write = () => {
    written += 1;
    const index = written;
    if (index > mostEntries) throw new Error('the disk never failed');
    const entries = [{ index, term: 1, kind: 'command' as const, data }];
    const id = index;
    const rest = { hardState: null, truncateFrom: null, lastIndex: index, lastTerm: 1, then: [] };
    log.write({ id, entries, ...rest });
  };
  while (written < inFlight) write();
  const error = await failed;
  // Writes were under way; none may be told durable any more.
  await new Promise((resolve) => setTimeout(resolve, 200));
  await log.close();
  return { confirmed, failures, confirmedAfterFailure, code: error.code, facts: error.facts };
}

async function read() {
  const log = await open(
    () => undefined,
    () => undefined,
  );
  const { entries, hardState } = log.restored;
  const isWhole = entries.every((entry, at) => {
    return entry.index === at + 1 && Buffer.compare(entry.data, data) === 0;
  });
  await log.close();
  const isRecovering = hardState.isRecovering === true;
  return { restored: entries.length, isWhole, isRecovering, repair: log.repair };
}

const told = flags.includes('--read') ? {} : await writeUntilFailure();
rmSync(join(directory, 'ballast'), { force: true });
const found = flags.includes('--again') || flags.includes('--read') ? await read() : {};
process.stdout.write(JSON.stringify({ ...told, ...found }), () => process.exit(0));
