// skein sabotage: breaks one safety rule after the other, each in a copy of the working tree, and demands that the tests named
// for it fail. A sabotage that no test notices is a promise that nothing guards.

import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { SkeinError } from '@skein/contracts';
import pc from 'picocolors';
import { z } from 'zod';
import { Output } from '../output/output';

const sabotageSchema = z.strictObject({
  id: z.string(),
  /** File to break, from the root of the repository. */
  file: z.string(),
  find: z.string().min(1),
  replace: z.string(),
  /** The rule that is broken, in words. */
  rule: z.string(),
  /** Test files, or folders of such, that must fail. */
  caughtBy: z.union([z.string(), z.array(z.string()).min(1)]),
});
export type Sabotage = z.output<typeof sabotageSchema> & {
  /** Name of the list that it is of. */
  readonly list: string;
};

interface Outcome {
  readonly id: string;
  readonly rule: string;
  readonly outcome: 'caught' | 'missed' | 'stale';
  /** Test that failed, or why there is none. */
  readonly by: string;
}

const testLimitMs = 300_000;

export async function sabotage(options: { home: string; only?: string[]; json: boolean }) {
  const out = new Output(options.json);
  const all = await readSabotages(join(options.home, 'test', 'sabotage'));
  const chosen = choose(all, options.only);
  const copy = await mkdtemp(join(tmpdir(), 'skein-sabotage-'));
  try {
    await out.progress('copying the working tree', copyTree(options.home, copy));
    await demandHealthy(out, copy, chosen);
    const outcomes: Outcome[] = [];
    for (const each of chosen) {
      outcomes.push(await out.progress(each.rule, commit(copy, each)));
      const { outcome, id, by } = outcomes.at(-1) as Outcome;
      out.note(`${outcome === 'caught' ? pc.green('✔') : pc.red('✘')} ${id} ${outcome}: ${by}`);
    }
    report(out, outcomes);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

function report(out: Output, outcomes: readonly Outcome[]): void {
  const escaped = outcomes.filter(({ outcome }) => outcome !== 'caught').length;
  out.show({ outcomes, caught: outcomes.length - escaped, escaped }, () => {
    const shown = out.table(
      ['sabotage', 'outcome', 'rule', 'by'],
      outcomes.map(({ id, outcome, rule, by }) => [id, outcome, rule, by]),
      'nothing to sabotage',
    );
    return `${shown}\n\n${outcomes.length - escaped} caught, ${escaped} not`;
  });
  if (escaped > 0) process.exitCode = 1;
}

export async function readSabotages(folder: string): Promise<Sabotage[]> {
  const files = await readdir(folder).catch(() => []);
  const lists = files.filter((name) => name.endsWith('.json')).toSorted();
  const read = await Promise.all(
    lists.map(async (name) => {
      const text = JSON.parse(await readFile(join(folder, name), 'utf8')) as unknown;
      const parsed = z.array(sabotageSchema).safeParse(text);
      if (parsed.success)
        return parsed.data.map((each) => ({ ...each, list: basename(name, '.json') }));
      throw new SkeinError('invalid_request', `${name}: ${z.prettifyError(parsed.error)}`);
    }),
  );
  return read.flat();
}

function choose(all: readonly Sabotage[], only: readonly string[] | undefined): Sabotage[] {
  const unknown = only?.find((name) => !all.some(({ id, list }) => id === name || list === name));
  if (unknown !== undefined) {
    const lists = [...new Set(all.map(({ list }) => list))];
    const message = `There is no sabotage or list of them '${unknown}'; lists: ${lists.join(', ')}`;
    throw new SkeinError('invalid_request', message, { field: 'only', facts: { lists } });
  }
  return all.filter(({ id, list }) => only?.some((name) => id === name || list === name) ?? true);
}

/** Everything that Git knows or would add; the dependencies are shared. */
async function copyTree(home: string, copy: string): Promise<void> {
  const list = await run('git', ['ls-files', '-z', '-c', '-o', '--exclude-standard'], home);
  const files = list.output.split('\0').filter((name) => name !== '');
  if (list.code !== 0 || files.length === 0) {
    throw new SkeinError('unavailable', `Git can't list the working tree: ${list.output}`);
  }
  for (const file of new Set(files)) {
    await mkdir(dirname(join(copy, file)), { recursive: true });
    // A file that is deleted but not yet committed is listed and not there.
    await cp(join(home, file), join(copy, file), { verbatimSymlinks: true }).catch(() => undefined);
  }
  await symlink(join(home, 'node_modules'), join(copy, 'node_modules'));
  for (const folder of await generatedFolders(home)) {
    await cp(join(home, folder), join(copy, folder), { recursive: true });
  }
}

/** Generated code is ignored by Git, and needed. */
async function generatedFolders(home: string): Promise<string[]> {
  const apps = await readdir(join(home, 'apps'));
  const candidates = apps.map((app) => join('apps', app, 'src', 'generated'));
  const there = await Promise.all(
    candidates.map((folder) =>
      readdir(join(home, folder)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return candidates.filter((_, index) => there[index]);
}

/** A test that fails by itself would catch everything. */
async function demandHealthy(
  out: Output,
  copy: string,
  chosen: readonly Sabotage[],
): Promise<void> {
  const paths = [...new Set(chosen.flatMap(pathsOf))];
  if (paths.length === 0) return;
  const { code, output } = await out.progress('testing the copy as it is', test(copy, paths));
  if (code === 0) return;
  throw new SkeinError('internal', `The tests fail without any sabotage: ${failedTest(output)}`);
}

async function commit(copy: string, each: Sabotage): Promise<Outcome> {
  const { id, rule } = each;
  const target = join(copy, each.file);
  const original = await readFile(target, 'utf8').catch(() => '');
  const broken = breakText(original, each);
  if (broken === undefined) {
    return { id, rule, outcome: 'stale', by: `the text is not there exactly once in ${each.file}` };
  }
  await writeFile(target, broken);
  try {
    const { code, output } = await test(copy, pathsOf(each));
    if (code === 0) return { id, rule, outcome: 'missed', by: 'every test passes' };
    if (/^No tests found/m.test(output)) {
      return { id, rule, outcome: 'missed', by: 'Jest finds none of its tests' };
    }
    return { id, rule, outcome: 'caught', by: failedTest(output) };
  } finally {
    await writeFile(target, original);
  }
}

/** The text with its one occurrence replaced; undefined if there is none or more than one. */
export function breakText(text: string, { find, replace }: Pick<Sabotage, 'find' | 'replace'>) {
  const parts = text.split(find);
  return parts.length === 2 ? parts.join(replace) : undefined;
}

function pathsOf({ caughtBy }: Sabotage): string[] {
  return typeof caughtBy === 'string' ? [caughtBy] : caughtBy;
}

function test(copy: string, paths: readonly string[]) {
  const args = ['tools/jest.mjs', ...paths, '--selectProjects', 'fast', 'system'];
  args.push('--silent', '--bail');
  return run(process.execPath, args, copy);
}

export function failedTest(output: string): string {
  const plain = output.replace(/\x1b\[[0-9;]*m/g, '');
  const title = /^\s*● (?!Console)(.+)$/m.exec(plain)?.[1];
  if (title !== undefined) return title.trim();
  return /^FAIL .*$/m.exec(plain)?.[0] ?? 'the test run ended badly';
}

function run(program: string, args: readonly string[], cwd: string) {
  return new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (part: Buffer): void => void (output += part.toString());
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const limit = setTimeout(() => child.kill('SIGKILL'), testLimitMs);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(limit);
      resolve({ code, output });
    });
  });
}
