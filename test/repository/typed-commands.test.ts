// Nothing in the documents is typed by readers alone. Each line of a shell block is typed by a test (`run` and `own`: test/docs), or
// stands in the list below with what tries it; and each `skein …` anywhere is one that the command line knows, options included.

import { describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command as Parser } from 'commander';
import { makeProgram } from '../../apps/cli/src/program';
import { blocksOf, wordsOf } from '../docs/code-blocks';

const root = new URL('../..', import.meta.url).pathname;
const documents = [
  'README.md',
  ...['docs', 'docs/runbooks'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  ),
];

/** What tries a line that no document test types; or why nothing can. Lines that begin with the words on the left. */
const elsewhere: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'README.md': {
    './skein demo': 'test/demo/demo.test.ts',
    './skein test': 'not tried: it would run itself',
    './skein up --single': 'test/stack/single.test.ts',
    './skein up': 'test/docs/journeys.test.ts',
    './skein top': 'test/stack/top.test.ts',
    './skein events --follow': 'test/docs/journeys.test.ts',
    './skein down': 'test/docs/journeys.test.ts',
    './skein cluster': 'test/stack/operators.test.ts',
    './skein host remove': 'test/leases/leases.test.ts',
    './skein simulate raft': 'libs/simulation/src/raft',
    './skein simulate ipam': 'libs/simulation/src/ipam',
    './skein simulate cluster': 'libs/simulation/src/cluster',
    './skein simulate system': 'libs/simulation/src/system',
    './skein verify consensus': 'test/consensus/endurance.test.ts',
    './skein verify system': 'test/system/chaos.test.ts',
    './skein verify gateway': 'test/gateway/fuzz.test.ts',
    './skein bench docker': 'test/bench/docker-bench.test.ts',
    './skein bench': 'test/bench/bench.test.ts',
    './skein sabotage': 'test/repository/sabotage.test.ts',
    'npm run check': 'not tried: it would run itself',
  },
  'docs/compose.md': { '': 'test/deploy/compose.test.ts' },
  'docs/install.md': {
    './skein setup': 'not tried: tests run in a clone that was set up',
    'node tools/release.mjs': 'test/deploy/compose.test.ts',
    tar: 'not tried: it packs a folder',
    SKEIN_: 'test/repository/settings.test.ts',
    'cp -r deploy/systemd/.': 'test/deploy/units.test.ts',
    systemctl: 'test/deploy/units.test.ts',
    'skein agent': 'test/authority/join-a-host.test.ts',
    'skein host list': 'test/authority/join-a-host.test.ts',
  },
  'docs/nats.md': { 'nats context': 'not tried: the NATS CLI keeps it for its user' },
  'docs/runbooks/join-a-host.md': {
    'skein authority create': 'test/authority/join-a-host.test.ts',
    'skein host token revoke': 'test/authority/join-a-host.test.ts',
    'skein host list': 'test/authority/join-a-host.test.ts',
    'skein host remove': 'test/leases/leases.test.ts',
    'node dist/host-agent.js': 'test/authority/join-a-host.test.ts',
    SKEIN_: 'test/repository/settings.test.ts',
  },
  'docs/runbooks/rotate-secrets.md': { 'docker-compose': 'test/deploy/compose.test.ts' },
  'docs/traces.md': { 'OTEL_EXPORTER_OTLP_ENDPOINT=': 'test/stack/traces.test.ts' },
  'docs/runbooks/replace-a-manager.md': { 'skein cluster promote': 'test/stack/operators.test.ts' },
};

const program = await makeProgram();
const settings = readFileSync(join(root, 'docs/configuration.md'), 'utf8');

/** A command in the middle of a sentence, often without its arguments. */
const mention = /`(?:\.\/)?skein (?!setup)([a-z][^`|…]*)`/g;

/** What is wrong with a command line; empty if nothing is. */
function faultOf(words: readonly string[], parser: Parser = program): string {
  const { operands, unknown } = parser.parseOptions([...words]);
  const [verb = '', ...rest] = operands;
  const child = parser.commands.find((each) => [each.name(), ...each.aliases()].includes(verb));
  if (child !== undefined) return faultOf(words.slice(words.indexOf(verb) + 1), child);
  if (parser.commands.length > 0) return `${parser.name()} has no ${[verb, ...rest].join(' ')}`;
  if (parser.name() === 'exec' || parser.name() === 'test') return '';
  if (unknown.length > 0) return `${parser.name()} has no option ${unknown.join(' ')}`;
  const taken = parser.registeredArguments;
  const least = taken.filter(({ required }) => required).length;
  const most = taken.some(({ variadic }) => variadic) ? Number.POSITIVE_INFINITY : taken.length;
  const fits = operands.length >= least && operands.length <= most;
  return fits ? '' : `${parser.name()} takes other arguments than ${operands.join(' ')}`;
}

describe.each(documents)('%s', (document) => {
  const lines = (mark: 'run' | 'own' | '') => blocksOf(document, mark).flat();

  it('has no line that nothing tries', () => {
    const listed = Object.entries(elsewhere[document] ?? {});
    const by = ({ text }: { text: string }) => listed.find(([words]) => text.startsWith(words));
    expect(lines('').filter((line) => by(line) === undefined)).toEqual([]);
    const used = new Set(lines('').map((line) => by(line)?.[0]));
    expect(listed.filter(([words]) => !used.has(words))).toEqual([]);
    const places = listed.map(([, place]) => place).filter((place) => !place.startsWith('not '));
    expect(places.filter((place) => !existsSync(join(root, place)))).toEqual([]);
  });

  it('says nothing that the command line does not know', () => {
    const typed = (['run', 'own', ''] as const)
      .flatMap(lines)
      .flatMap(({ text }) => text.split(';').map((part) => part.trim()));
    const wrong = typed
      .filter((text) => /^(\.\/)?skein (?!setup$)/.test(text))
      .map((text) => [text, faultOf(wordsOf(text).slice(1))] as const)
      .filter(([, fault]) => fault !== '');
    expect(wrong).toEqual([]);
    const mentioned = [...readFileSync(join(root, document), 'utf8').matchAll(mention)]
      .map(([, line = '']) => [line, faultOf(wordsOf(line))] as const)
      .filter(([, fault]) => / has no /.test(fault));
    expect(mentioned).toEqual([]);
    const named = typed.flatMap((text) => /^(SKEIN_\w+)=/.exec(text)?.[1] ?? []);
    expect(named.filter((name) => !settings.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('a mistake', () => {
  it.each([
    ['a verb that is not there', 'cluster burn m1', 'cluster has no burn m1'],
    ['an option that is not there', 'host list --all', 'list has no option --all'],
    ['an argument too few', 'explain web a', 'explain takes other arguments than web a'],
    ['an argument too many', 'host show h1 h2', 'show takes other arguments than h1 h2'],
  ])('is found: %s', (_, line, fault) => {
    expect(faultOf(line.split(' '))).toBe(fault);
  });
});
