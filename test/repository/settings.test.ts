// docs/configuration.md and the schemas have the same settings, with the same values and defaults; and the command line's and
// Compose's are those that are read there.

import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { consensusSchema } from '../../apps/consensus/src/consensus.config';
import { gatewayConfigSchema } from '../../apps/gateway/src/gateway.config';
import { hostAgentConfigSchema } from '../../apps/host-agent/src/host-agent.config';
import { ipamConfigSchema } from '../../apps/ipam/src/ipam.config';
import { registryConfigSchema } from '../../apps/registry/src/registry.config';
import { singleConfigSchema } from '../../apps/single/src/single.config';
import { commonSchema, environmentName } from '../../libs/service-boot/src/configuration';

const root = new URL('../..', import.meta.url).pathname;
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Rows of the table below a heading, as their cells. */
function rowsBelow(heading: string): string[][] {
  const [, section = ''] = read('docs/configuration.md').split(`\n## ${heading}\n`);
  const [table = ''] = section.split('\n## ');
  return [...table.matchAll(/^\| `(?:SKEIN|OTEL)_.*\|$/gm)].map(([row]) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

const bare = (cell: string | undefined): string => (cell ?? '').replaceAll('`', '');
const namesBelow = (heading: string): string[] => rowsBelow(heading).map(([name]) => bare(name));

describe.each([
  ['Every service', commonSchema],
  ['consensus', consensusSchema],
  ['ipam', ipamConfigSchema],
  ['registry', registryConfigSchema],
  ['gateway', gatewayConfigSchema],
  ['host-agent', hostAgentConfigSchema],
  ['single', singleConfigSchema],
])('docs/configuration.md, %s', (heading, schema) => {
  const fields = new Map(
    Object.entries<z.ZodType>(schema.shape).map(([field, of]) => [environmentName(field), of]),
  );

  it('names every setting, and no others', () => {
    expect(namesBelow(heading).toSorted()).toEqual([...fields.keys()].toSorted());
  });

  it.each(rowsBelow(heading).map(([name, values, fallback]) => [bare(name), values, fallback]))(
    '%s takes %s, by default %s',
    (name = '', values = '', fallback = '') => {
      const field = fields.get(name);
      const takes = (text: unknown): boolean => field?.safeParse(text).success ?? false;
      const [, least, most] = /^(\d+) to (\d+)$/.exec(values) ?? [];
      if (least !== undefined && most !== undefined) {
        const around = [Number(least) - 1, Number(least), Number(most), Number(most) + 1];
        expect(around.map((n) => takes(String(n)))).toEqual([false, true, true, false]);
      } else if (values.startsWith('`')) {
        const listed = [...values.matchAll(/`(\w+)`/g)].map(([, value]) => value);
        expect([...listed, 'otherwise'].filter(takes)).toEqual(listed);
      }
      expect(takes(undefined)).toBe(fallback !== '**needed**');
      if (fallback.startsWith('`')) {
        expect(field?.parse(undefined)).toEqual(field?.parse(bare(fallback)));
      }
    },
  );
});

describe('docs/configuration.md', () => {
  const namesIn = (text: string, pattern: RegExp): string[] =>
    [...new Set([...text.matchAll(pattern)].map(([, name = '']) => name))].toSorted();

  it('has what the command line reads', () => {
    const sources = readdirSync(join(root, 'apps/cli/src'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
      .map((path) => read(join('apps/cli/src', path)));
    const reads = namesIn(sources.join('\n'), /\b(?:env|environment)\['(SKEIN_\w+)'\]/g);
    expect(namesBelow('The command line').toSorted()).toEqual(reads);
  });

  it('has what Compose reads, with its defaults', () => {
    const text = read('deploy/docker-compose.yml');
    const reads = namesIn(text, /\$\{((?:SKEIN|OTEL)_\w+:-[^}]*)\}/g);
    const shown = rowsBelow('Compose').map(
      ([name, fallback]) => `${bare(name)}:-${bare(fallback).replace('–', '')}`,
    );
    expect(shown.toSorted()).toEqual(reads);
  });
});
