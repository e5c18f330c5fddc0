// Completion in real shells, typed: each shell in a terminal of its own, with nobody's settings, and Tab.

import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { home } from '../support/skein-command';
import { lackingTmux, TerminalWindow } from '../support/tmux';
import { describeWherePossible } from '../support/where-possible';

let folder: string;
let window: TerminalWindow | undefined;
let gateway: Server;

/** What the gateway lists. */
const listed: Readonly<Record<string, object>> = {
  '/v1/networks': { networks: [{ name: 'web' }, { name: 'database' }] },
  '/v1/networks/web/endpoints': { endpoints: [{ name: 'north' }, { name: 'south' }] },
  '/v1/hosts': { hosts: [{ id: 'h1' }, { id: 'rack7' }] },
};

beforeAll(async () => {
  gateway = createServer((request, response) => {
    const found = listed[request.url?.split('?')[0] ?? ''];
    response.writeHead(found === undefined ? 404 : 200).end(JSON.stringify(found ?? {}));
  });
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  folder = mkdtempSync(join(tmpdir(), 'skein-shells-'));
  const program = join(folder, 'skein');
  writeFileSync(program, `#!/bin/sh\nexec node --no-warnings ${home}/dist/cli.js "$@"\n`);
  chmodSync(program, 0o755);
});

afterEach(() => {
  window?.close();
  window = undefined;
});

afterAll(() => {
  gateway.closeAllConnections();
  gateway.close();
  rmSync(folder, { recursive: true, force: true });
});

function lacking(shell: string): string | null {
  if (lackingTmux !== null) return lackingTmux;
  try {
    execFileSync('sh', ['-c', `command -v ${shell}`]);
    return null;
  } catch {
    return `${shell} is not installed`;
  }
}

const shells = [
  {
    shell: 'bash',
    start: ['bash', '--norc', '--noprofile'],
    load: 'source <(skein completion bash)',
  },
  { shell: 'zsh', start: ['zsh', '-f'], load: 'source <(skein completion zsh)' },
  { shell: 'fish', start: ['fish', '--no-config'], load: 'skein completion fish | source' },
];

/** What is typed before Tab, and what the line is after it. */
const completed: readonly (readonly [string, string])[] = [
  ['skein netw', 'skein network'],
  ['skein network crea', 'skein network create'],
  ['skein network create x --subn', 'skein network create x --subnet'],
  ['skein network ls --wat', 'skein network ls --watch'],
  ['skein host token crea', 'skein host token create'],
  ['skein verify gate', 'skein verify gateway'],
];

/** The same of names that the gateway lists. */
const named: readonly (readonly [string, string])[] = [
  ['skein network show dat', 'skein network show database'],
  ['skein detach --wait 5 web sou', 'skein detach --wait 5 web south'],
  ['skein attach web --host rac', 'skein attach web --host rack7'],
  ['skein host show --js', 'skein host show --json'],
];

async function opened(start: readonly string[], load: string, url: string) {
  window = new TerminalWindow({ columns: 120, rows: 40 }, start, {
    PATH: `${folder}:${process.env['PATH'] ?? ''}`,
    HOME: folder,
    PS1: '> ',
    SKEIN_URL: url,
  });
  window.type(`${load}; echo loaded`);
  window.press('Enter');
  await window.shows(/^loaded$/m);
  return window;
}

async function complete(shown: TerminalWindow, lines: readonly (readonly [string, string])[]) {
  for (const [typed, whole] of lines) {
    shown.type(typed);
    await shown.shows(new RegExp(`${typed}`));
    shown.press('Tab');
    await shown.shows(new RegExp(`${whole}(\\s|$)`, 'm'));
    // What was typed is taken back, not run.
    shown.press('C-u');
  }
}

const nobody = 'http://127.0.0.1:1';

for (const { shell, start, load } of shells) {
  describeWherePossible(lacking(shell), `completion in ${shell}`, () => {
    it('completes nouns, verbs, options, names that are short for others, and choices', async () => {
      await complete(await opened(start, load, nobody), completed);
    }, 120_000);

    it('completes names of networks, endpoints and hosts, as the gateway lists them', async () => {
      const { port } = gateway.address() as AddressInfo;
      await complete(await opened(start, load, `http://127.0.0.1:${port}`), named);
    }, 120_000);

    it('offers all that can follow', async () => {
      const shown = await opened(start, load, nobody);
      shown.type('skein host token ');
      shown.press('Tab');
      shown.press('Tab');
      const screen = await shown.shows(/revoke/);
      for (const word of ['create', 'list']) expect(screen).toContain(word);
      expect(screen).not.toContain('transfer');
    }, 60_000);

    it('says nothing of a gateway that is not there', async () => {
      const shown = await opened(start, load, nobody);
      shown.type('skein network show we');
      await shown.shows(/show we/);
      shown.press('Tab');
      shown.type('b --js');
      shown.press('Tab');
      const screen = await shown.shows(/^.*skein network show web --json/m);
      expect(screen).not.toContain('reached');
    }, 60_000);
  });
}
