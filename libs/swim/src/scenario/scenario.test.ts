// Runs every file of scenarios/ and compares the text that it gives. SKEIN_REWRITE=1 writes the files anew instead; read
// the difference before keeping it.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { runScript } from './script';

const folder = new URL('../../scenarios/', import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith('.scenario'));

describe('scenario', () => {
  it('has files', () => {
    expect(files.length).toBeGreaterThan(10);
  });

  it.each(files)('%s', (file) => {
    const path = new URL(file, folder);
    const text = readFileSync(path, 'utf8');
    const given = runScript(text);
    if (process.env['SKEIN_REWRITE'] === '1') writeFileSync(path, given);
    else expect(given).toBe(text);
  });
});
