// Runs every scenario file and compares what its commands print with what the file says.
// SKEIN_REWRITE=1 writes the files anew; read the difference before keeping it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { runScenario } from './commands';

const folder = new URL('../../scenarios/', import.meta.url).pathname;

describe('scenario', () => {
  it.each(readdirSync(folder).filter((name) => name.endsWith('.scenario')))('%s', (name) => {
    const path = `${folder}${name}`;
    const text = readFileSync(path, 'utf8');
    const given = runScenario(text);
    if (process.env['SKEIN_REWRITE'] === '1') writeFileSync(path, given);
    else expect(given).toBe(text);
  });
});
