// A file of keys that changes under a running agent, also into something that is none.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemTime } from '@skein/time';
import { GossipKeyFile, gossipKeysOf } from './gossip-keys';

const one = Buffer.alloc(32, 1).toString('base64');
const other = Buffer.alloc(16, 2).toString('base64');
const nothing = (): void => undefined;
const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skein-keys-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('gossip keys', () => {
  it.each([
    [`${one}\n`, [one]],
    [`\n ${one} \n${other}`, [one, other]],
    ['', null],
    [`${one}\nnot a key`, null],
    [Buffer.alloc(20).toString('base64'), null],
  ])('of %j are %j', (text, keys) => expect(gossipKeysOf(text)).toEqual(keys));

  it('change with their file, and stay where it holds none', () => {
    const path = join(folder, 'keys');
    const told: (readonly string[])[] = [];
    const file = new GossipKeyFile({
      path,
      time: systemTime,
      logger,
      onKeys: (keys) => told.push(keys),
    });
    writeFileSync(path, one);
    expect(file.start()).toEqual([one]);
    file.look();
    writeFileSync(path, `${one}\n${other}\n`);
    file.look();
    file.look();
    writeFileSync(path, '');
    file.look();
    rmSync(path);
    file.look();
    writeFileSync(path, other);
    file.look();
    file.stop();
    expect(told).toEqual([[one, other], [other]]);
  });

  it('are demanded at the start', () => {
    const path = join(folder, 'keys');
    writeFileSync(path, 'none');
    const file = new GossipKeyFile({ path, time: systemTime, logger, onKeys: nothing });
    expect(() => file.start()).toThrow('holds no gossip keys');
  });
});
