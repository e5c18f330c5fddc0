// The SQLite log under the contract of a durable log, in both kinds of thread, and what only SQLite can get wrong: damage,
// foreign directories, two writers, promises that the file does not keep.

import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { build } from 'esbuild';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { crc32 } from 'node:zlib';
import { encodeConfiguration } from '@skein/raft';
import { openRaftLog } from './raft-log';
import { raftLogContract } from './raft-log-contract';
import { readSidecar, writeSidecar } from './identity';
import { RaftLogError } from './raft-log-error';
import { isAtLeast, logFileName } from './schema';
import { snapshotContract } from './snapshot-contract';
import { configuration, entry, logWrite, owner, sqliteLog, WrittenLog } from './written-log';

const root = join(import.meta.dirname, '../../..');

const inThread = sqliteLog();

let buildDirectory: string;
beforeAll(async () => {
  buildDirectory = mkdtempSync(join(tmpdir(), 'skein-raft-worker-'));
  symlinkSync(join(root, 'node_modules'), join(buildDirectory, 'node_modules'));
  await build({
    absWorkingDir: root,
    entryPoints: { 'raft-log-worker': 'libs/raft-sqlite/src/log-worker.ts' },
    outdir: buildDirectory,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    outExtension: { '.js': '.mjs' },
    logLevel: 'error',
  });
});
afterAll(() => rmSync(buildDirectory, { recursive: true, force: true }));

raftLogContract('SQLite in the caller’s thread', inThread);
snapshotContract('SQLite in the caller’s thread', inThread);
const inWorker = sqliteLog({
  worker: () => pathToFileURL(join(buildDirectory, 'raft-log-worker.mjs')),
});
raftLogContract('SQLite in a worker', inWorker);
snapshotContract('SQLite in a worker', inWorker);

describe('SQLite log', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'skein-raft-sqlite-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const fill = async (who = owner) => {
    const log = await WrittenLog.open(sqliteLog({ owner: who }), directory);
    const hardState = { term: 1, vote: 'r1', commit: 3 };
    await log.write(
      logWrite(
        [1, 2, 3, 4, 5].map((index) => entry(index, 1)),
        { hardState },
      ),
    );
    await log.close();
  };
  const refusal = async (openIn = inThread): Promise<RaftLogError> => {
    try {
      const log = await WrittenLog.open(openIn, directory);
      await log.close();
    } catch (thrown) {
      if (thrown instanceof RaftLogError) return thrown;
    }
    throw new Error('it opened');
  };

  it('refuses the directory of another replica or cluster', async () => {
    await fill();
    const other = sqliteLog({ owner: { clusterId: 'c1', replicaId: 'r2' } });
    expect(await refusal(other)).toMatchObject({ code: 'foreign_directory' });
    const foreign = sqliteLog({ owner: { clusterId: 'c2', replicaId: 'r1' } });
    expect(await refusal(foreign)).toMatchObject({ code: 'foreign_directory' });
  });

  it('refuses a directory that is open', async () => {
    const log = await WrittenLog.open(inThread, directory);
    expect(await refusal()).toMatchObject({ code: 'directory_in_use' });
    await log.close();
  });

  it('refuses a schema of a later release', async () => {
    await fill();
    const identity = readSidecar(directory);
    if (identity === null) throw new Error('no identity');
    writeSidecar(directory, { ...identity, schema: 3 });
    expect(await refusal()).toMatchObject({ code: 'schema_unknown' });
  });

  it('tells a failed write once, and confirms nothing after it', async () => {
    const durable: number[] = [];
    const failures: RaftLogError[] = [];
    const failed = new Promise<void>((resolve) => {
      void openRaftLog({
        ...owner,
        directory,
        configuration,
        worker: null,
        onDurable: (writes) => durable.push(...writes.map(({ id }) => id)),
        onFailure: (error) => {
          failures.push(error);
          resolve();
        },
      }).then((log) => {
        log.write(logWrite([entry(2, 1)]));
        log.write(logWrite([entry(1, 1)]));
      });
    });
    await failed;
    await Promise.resolve();
    expect(failures).toHaveLength(1);
    expect(durable).toEqual([]);
  });

  it('restores the first configuration; the core finds those of the entries', async () => {
    const log = await WrittenLog.open(inThread, directory);
    const changed = { incoming: ['r1', 'r2'], outgoing: [], learners: ['r3'] };
    const data = encodeConfiguration(changed);
    await log.write(logWrite([{ index: 1, term: 1, kind: 'configuration', data }, entry(2, 1)]));
    await log.close();
    const again = await WrittenLog.open(inThread, directory);
    expect(again.restored.configuration).toEqual(configuration);
    expect(again.restored.entries[0]).toMatchObject({ kind: 'configuration', data });
    await again.close();
  });

  it('reads a directory of the first release, and writes it anew', async () => {
    const database = new Database(join(directory, logFileName));
    database.exec(firstSchema);
    const crc = (head: string, data: string, previous: number) =>
      crc32(data, crc32(head, previous));
    const first = crc('1 1 1 ', 'one', 0);
    const insert = database.prepare('INSERT INTO entries VALUES (?, ?, ?, ?, ?)');
    insert.run(1, 1, 1, first, Buffer.from('one'));
    insert.run(2, 2, 1, crc('2 2 1 ', 'two', first), Buffer.from('two'));
    database.close();
    const log = await WrittenLog.open(inThread, directory);
    expect(log.open.repair).toBe(null);
    expect(log.restored.hardState).toEqual({ term: 2, vote: 'r1', commit: 1 });
    expect(log.restored.entries.map(({ data }) => new TextDecoder().decode(data))).toEqual([
      'one',
      'two',
    ]);
    await log.write(logWrite([entry(3, 2)]));
    await log.close();
    const again = await WrittenLog.open(inThread, directory);
    expect(again.restored.entries).toHaveLength(3);
    await again.close();
    expect(await refusal(sqliteLog({ owner: { clusterId: 'c2', replicaId: 'r1' } }))).toMatchObject(
      {
        code: 'foreign_directory',
      },
    );
  });

  it('trusts no log of the first release that ends before what it knows to be committed', async () => {
    const database = new Database(join(directory, logFileName));
    database.exec(firstSchema);
    database.close();
    const log = await WrittenLog.open(inThread, directory);
    expect(log.open.repair).toMatchObject({ lostFrom: 1 });
    expect(log.restored.hardState).toMatchObject({ commit: 0, isRecovering: true });
    await log.close();
  });

  it.each([
    ['3.51.2', false],
    ['3.51.3', true],
    ['3.53.0', true],
    ['3.9.0', false],
    ['4.0.0', true],
  ])('takes SQLite %s: %s', (version, taken) => {
    expect(isAtLeast(version, [3, 51, 3])).toBe(taken);
  });
});

const firstSchema = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE hard_state (
    only INTEGER PRIMARY KEY CHECK (only = 1), term INTEGER NOT NULL, vote TEXT, committed INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE entries (
    log_index INTEGER PRIMARY KEY, term INTEGER NOT NULL, kind INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL
  ) STRICT;
  INSERT INTO meta VALUES ('schema_version', '1'), ('cluster_id', 'c1'), ('replica_id', 'r1');
  INSERT INTO hard_state VALUES (1, 2, 'r1', 1);
`;
