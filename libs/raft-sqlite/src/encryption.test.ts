// Encryption at rest: what lies on the disk tells nothing, opens with the right key only, and can be moved to other keys.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshNonces, Keyring } from './keyring';
import { headerAt, sourceOf } from './log-story';
import { createReplicaDirectory } from './replica-directory';
import { logFileName } from './schema';
import { copyOf, entry, logWrite, owner, sqliteLog, WrittenLog } from './written-log';

const key = new Uint8Array(32).fill(1);
const otherKey = new Uint8Array(32).fill(2);
const secret = 'the secret of all secrets';

let directory: string;
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'skein-raft-encryption-'));
  directory = join(root, 'log');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const open = (withKey: Uint8Array | null, place = directory) =>
  WrittenLog.open(sqliteLog({ key: withKey }), place);

const secrets = () => new TextEncoder().encode(`${secret} `.repeat(2_000));

async function fill(log: WrittenLog): Promise<void> {
  await log.write(
    logWrite([entry(1, 1, secret), entry(2, 1, `${secret}!`)], {
      hardState: { term: 1, vote: 'r1', commit: 2 },
    }),
  );
  await log.open.saveSnapshot(headerAt(1, 1), sourceOf(secrets()));
}

/** Names of the files that hold the text as it is. */
function tellTale(place: string): string[] {
  return readdirSync(place).filter((name) => readFileSync(join(place, name)).includes(secret));
}

const texts = (log: WrittenLog) =>
  log.restored.entries.map(({ data }) => new TextDecoder().decode(data));

function keysInUse(): number[] {
  const database = new Database(join(copyOf(directory, join(root, 'looked-at')), logFileName));
  const rows = database.prepare('SELECT key FROM entry UNION SELECT key FROM chunk').pluck().all();
  database.close();
  rmSync(join(root, 'looked-at'), { recursive: true });
  return rows as number[];
}

describe('an encrypted log', () => {
  it('leaves nothing readable on the disk, and reads it back', async () => {
    const log = await open(key);
    await fill(log);
    expect(tellTale(copyOf(directory, join(root, 'copy')))).toEqual([]);
    await log.close();
    expect(tellTale(directory)).toEqual([]);
    const again = await open(key);
    expect(texts(again)).toEqual([`${secret}!`]);
    const parts: Uint8Array[] = [];
    await again.open.loadSnapshot((bytes) => parts.push(bytes));
    expect(Buffer.concat(parts).equals(secrets())).toBe(true);
    await again.close();
  });

  it.each([
    ['without its key', null],
    ['with another key', otherKey],
    ['with half a key', new Uint8Array(16)],
  ])('stays locked %s, and nothing is touched', async (_, wrong) => {
    const log = await open(key);
    await fill(log);
    await log.close();
    const files = () =>
      readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'latin1')]);
    const before = files();
    await expect(open(wrong)).rejects.toMatchObject({ code: 'locked' });
    expect(files()).toEqual(before);
    await (await open(key)).close();
  });

  it('begins on a log that was written in the plain', async () => {
    const plain = await open(null);
    await plain.write(logWrite([entry(1, 1, 'plain')]));
    await plain.close();
    const log = await open(key);
    expect(texts(log)).toEqual(['plain']);
    await log.write(logWrite([entry(2, 1, secret)]));
    await log.close();
    expect(tellTale(directory)).toEqual([]);
    await expect(open(null)).rejects.toMatchObject({ code: 'locked' });
    const again = await open(key);
    expect(texts(again)).toEqual(['plain', secret]);
    await again.close();
  });

  it('writes under a new data key after a rotation, and forgets the old one when no row needs it', async () => {
    const log = await open(key);
    await fill(log);
    await log.open.rotateDataKey();
    await log.write(logWrite([entry(3, 1, secret), entry(4, 1, secret)]));
    expect(keysInUse()).toEqual([1, 2]);
    await log.close();
    const again = await open(key);
    expect(texts(again)).toEqual([`${secret}!`, secret, secret]);
    await again.open.saveSnapshot(headerAt(3, 1), sourceOf(secrets()));
    again.open.compact(3);
    for (let waited = 0; waited < 40; waited += 1) await again.open.size();
    expect(keysInUse()).toEqual([2]);
    await again.close();
    expect(readFileSync(join(directory, 'raft-log.identity'), 'utf8')).not.toContain('"id":1');
    await (await open(key)).close();
  });

  it('changes the key that wraps all others', async () => {
    const log = await open(key);
    await fill(log);
    await log.open.changeKey(otherKey);
    await log.close();
    await expect(open(key)).rejects.toMatchObject({ code: 'locked' });
    const again = await open(otherKey);
    expect(texts(again)).toEqual([`${secret}!`]);
    await again.close();
  });

  it('never uses a nonce twice, in one run or over restarts', async () => {
    const nonces = freshNonces();
    const seen = new Set(
      Array.from({ length: 5_000 }, () => Buffer.from(nonces()).toString('hex')),
    );
    expect(seen.size).toBe(5_000);
    for (let run = 0; run < 3; run += 1) {
      const log = await open(key);
      const first = run * 3 + 1;
      await log.write(logWrite([entry(first, 1), entry(first + 1, 1), entry(first + 2, 1)]));
      await log.close();
    }
    const database = new Database(join(directory, logFileName));
    const rows = database.prepare('SELECT hex(substr(data, 1, 12)) FROM entry').pluck().all();
    database.close();
    expect(new Set(rows).size).toBe(9);
  });

  it('takes no row in another’s place, whatever the checksums say', () => {
    const keyring = Keyring.open([], key);
    const sealed = keyring.seal(() => 'entry 1 1 1', secrets());
    expect(keyring.open(1, () => 'entry 1 1 1', sealed)).toEqual(Buffer.from(secrets()));
    expect(keyring.open(1, () => 'entry 2 1 1', sealed)).toBe(null);
    expect(keyring.open(1, () => 'chunk 1 1 1', sealed)).toBe(null);
    sealed[40] = (sealed[40] ?? 0) ^ 1;
    expect(keyring.open(1, () => 'entry 1 1 1', sealed)).toBe(null);
  });
});

describe('a replica’s directory', () => {
  const content = { header: headerAt(40, 3), chunks: [secrets(), secrets()], epoch: 6 };

  it('is made from a snapshot, as if the replica had taken it', async () => {
    createReplicaDirectory({ ...owner, directory }, { ...content, encryption: { key } });
    expect(tellTale(directory)).toEqual([]);
    const log = await open(key);
    expect(log.open.repair).toBe(null);
    expect(log.open.meta.epoch).toBe(6);
    expect(log.restored).toMatchObject({
      hardState: { term: 3, vote: null, commit: 40 },
      snapshot: headerAt(40, 3),
      entries: [],
    });
    const parts: Uint8Array[] = [];
    await log.open.loadSnapshot((bytes) => parts.push(bytes));
    expect(Buffer.concat(parts)).toHaveLength(2 * secrets().length);
    await log.write(logWrite([entry(41, 4)]));
    await log.close();
  });

  it('is made where a log is only if that is to be set aside', async () => {
    const log = await open(null);
    await fill(log);
    await log.close();
    const location = { ...owner, directory };
    expect(() => createReplicaDirectory(location, content)).toThrow(/There is a log/);
    createReplicaDirectory(location, { ...content, setAside: true });
    const made = await open(null);
    expect(made.open.repair).toBe(null);
    expect(made.restored.snapshot).toEqual(headerAt(40, 3));
    await made.close();
    expect(readdirSync(directory)).toContain(`${logFileName}.damaged-1`);
  });
});
