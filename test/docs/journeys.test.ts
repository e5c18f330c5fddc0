// Documents whose reader starts a cluster of his own: each is typed from its first line to its last in a fresh clone, and shows what it
// promises. What has to be true before a runbook is opened, the test makes true.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { blocksOf, type Command } from './code-blocks';
import { DocumentShell, type Typed } from './document-shell';

const patienceMs = 240_000;
let reader: DocumentShell;

beforeEach(async () => {
  reader = await DocumentShell.clone();
});

afterEach(() => reader.close(), 60_000);

async function follow(commands: readonly Command[]): Promise<void> {
  for (const { text, asks, shows } of commands) {
    const { code, said } = await reader.type(text, { agrees: asks });
    expect({ text, code, said }).toEqual({ text, code: 0, said: expect.stringContaining(shows) });
  }
}

async function typed(line: string): Promise<Typed> {
  const done = await reader.type(line);
  expect({ line, ...done }).toMatchObject({ line, code: 0 });
  return done;
}

function blocks(document: string, atLeast: number): Command[][] {
  const found = blocksOf(document, 'own');
  expect(found.flat().length).toBeGreaterThanOrEqual(atLeast);
  return found;
}

describe('docs/first-ten-minutes.md', () => {
  it(
    'shows what it says, from up to down, and events to who follows them',
    async () => {
      const [up = [], ...rest] = blocks('docs/first-ten-minutes.md', 20);
      await follow(up);
      const watching = await reader.watch('./skein events --follow');
      await follow(rest.slice(0, -1).flat());
      const happened = await watching.interrupt();
      await follow(rest.slice(-1).flat());
      expect(happened).toContain('network.created');
      expect(happened).toMatch(/endpoint\.attached .*name=b/);
    },
    patienceMs,
  );
});

describe('docs/runbooks/restore.md', () => {
  it(
    'brings a local cluster back to its backup, and makes a directory for another host',
    async () => {
      const [local = [], elsewhere = []] = blocks('docs/runbooks/restore.md', 6);
      await typed('./skein up');
      await typed('skein kv put kept yes');
      await typed('skein cluster backup monday.skein-backup');
      await typed('skein kv put wrong yes');
      await follow(local);
      expect((await typed('skein kv get kept')).said).toBe('yes\n');
      expect((await reader.type('skein kv get wrong')).code).toBe(3);
      await typed('skein kv put after yes');
      await follow(
        elsewhere.map((command) => ({
          ...command,
          text: command.text.replace('/var/lib/skein', 'another-host'),
        })),
      );
    },
    patienceMs,
  );
});

describe('docs/runbooks/lost-quorum.md', () => {
  it(
    'leads from one survivor of three to three managers again, with what was committed',
    async () => {
      await typed('./skein up');
      await typed('skein kv put kept yes');
      const { control } = await reader.cluster();
      for (const id of ['m1', 'm3']) await control.call('kill', { process: `consensus-${id}` });
      control.close();
      const { code, said } = await reader.type('skein kv put refused yes');
      expect({ code, said }).not.toMatchObject({ code: 0 });
      await follow(blocks('docs/runbooks/lost-quorum.md', 7).flat());
      expect((await typed('skein kv get kept')).said).toBe('yes\n');
      await typed('skein kv put after yes');
    },
    patienceMs,
  );
});
