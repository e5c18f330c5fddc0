// The SQLite log under the contract of a durable log, in both kinds of thread, and what only SQLite can get wrong: damage,
// foreign directories, two writers, promises that the file does not keep.

import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { build } from 'esbuild';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { encodeConfiguration } from '@skein/raft';
import { openRaftLog } from './raft-log';
import { entry, logWrite, raftLogContract, WrittenLog, type OpenLogIn } from './raft-log-contract';
import { RaftLogError } from './raft-log-error';
import { isAtLeast, logFileName } from './schema';

const root = join(import.meta.dirname, '../../..');
const configuration = { incoming: ['r1'], outgoing: [], learners: [] };
const owner = { clusterId: 'c1', replicaId: 'r1' };

function opener(worker: () => URL | null, who = owner): OpenLogIn {
  return (directory, onDurable) =>
    openRaftLog({
      ...who,
      directory,
      configuration,
      worker: worker(),
      onDurable,
      onFailure: (error) => {
        throw error;
      },
    });
}
const inThread = opener(() => null);

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
raftLogContract(
  'SQLite in a worker',
  opener(() => pathToFileURL(join(buildDirectory, 'raft-log-worker.mjs'))),
);

describe('SQLite log', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'skein-raft-sqlite-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const fill = async (who = owner) => {
    const log = await WrittenLog.open(
      opener(() => null, who),
      directory,
    );
    const hardState = { term: 1, vote: 'r1', commit: 3 };
    await log.write(
      logWrite(
        [1, 2, 3, 4, 5].map((index) => entry(index, 1)),
        { hardState },
      ),
    );
    await log.close();
  };
  const tamper = (sql: string) => {
    const database = new Database(join(directory, logFileName));
    database.exec(sql);
    database.close();
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

  it.each([
    ['a changed byte', "UPDATE entries SET data = x'00' WHERE log_index = 3", 3],
    ['a changed term', 'UPDATE entries SET term = 2 WHERE log_index = 2', 2],
    ['a missing entry', 'DELETE FROM entries WHERE log_index = 4', 4],
    ['a missing first entry', 'DELETE FROM entries WHERE log_index = 1', 1],
    ['a missing committed tail', 'DELETE FROM entries WHERE log_index >= 3', 3],
    [
      'an entry in another’s place',
      'UPDATE entries SET data = (SELECT data FROM entries WHERE log_index = 5), crc = (SELECT crc FROM entries WHERE log_index = 5) WHERE log_index = 4',
      4,
    ],
  ])('refuses to open over %s and says from where on', async (_what, sql, corruptFrom) => {
    await fill();
    tamper(sql);
    const error = await refusal();
    expect(error).toMatchObject({ code: 'log_corrupt', corruptFrom });
    expect(error.message).toContain('new id');
    const count = new Database(join(directory, logFileName), { readonly: true });
    expect(count.prepare('SELECT count(*) FROM entries').pluck().get()).toBeGreaterThan(1);
    count.close();
  });

  it('refuses the directory of another replica or cluster', async () => {
    await fill();
    const other = opener(() => null, { clusterId: 'c1', replicaId: 'r2' });
    expect(await refusal(other)).toMatchObject({ code: 'foreign_directory' });
    const foreign = opener(() => null, { clusterId: 'c2', replicaId: 'r1' });
    expect(await refusal(foreign)).toMatchObject({ code: 'foreign_directory' });
  });

  it('refuses a directory that is open', async () => {
    const log = await WrittenLog.open(inThread, directory);
    expect(await refusal()).toMatchObject({ code: 'directory_in_use' });
    await log.close();
  });

  it('refuses a schema of a later release', async () => {
    await fill();
    tamper("UPDATE meta SET value = '2' WHERE name = 'schema_version'");
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

  it('restores the configuration that the last such entry sets', async () => {
    const log = await WrittenLog.open(inThread, directory);
    expect(log.restored.configuration).toEqual(configuration);
    const changed = { incoming: ['r1', 'r2'], outgoing: [], learners: ['r3'] };
    const data = encodeConfiguration(changed);
    await log.write(logWrite([{ index: 1, term: 1, kind: 'configuration', data }, entry(2, 1)]));
    await log.close();
    const again = await WrittenLog.open(inThread, directory);
    expect(again.restored.configuration).toEqual(changed);
    await again.close();
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
