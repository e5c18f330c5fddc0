// The list of metrics is one: the catalog, what the code tells, docs/metrics.md, the dashboard and the alert rules all have the same.

import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalog, type Metric, type MetricEntry, type ServiceName } from './catalog';
import { listenForMetrics } from './listener';
import { PrometheusMeter } from './prometheus-meter';
import { measureAnswer, measureAsking } from './conversations';

const root = new URL('../../..', import.meta.url).pathname;
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const entries: readonly MetricEntry[] = Object.values(catalog);
const services: readonly ServiceName[] = ['consensus', 'ipam', 'registry', 'gateway', 'host-agent'];

/** All that a service's `/metrics` can show, as series are named. */
async function seriesOf(service: ServiceName): Promise<Set<string>> {
  const text = await new PrometheusMeter(service).text();
  const names = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '']) => name);
  return new Set(names);
}

function seriesIn(entry: MetricEntry): string[] {
  if (entry.type === 'gauge') return [entry.name];
  return ['_bucket', '_sum', '_count'].map((suffix) => entry.name + suffix);
}

describe('docs/metrics.md', () => {
  it('has the metrics of the catalog, and no others', () => {
    const rows = [...read('docs/metrics.md').matchAll(/^\| `(skein_\w+)` .*\|$/gm)];
    const shown = (entry: MetricEntry): string => {
      const { name, type, labels, services: of, help } = entry;
      const quoted = labels.map((label) => `\`${label}\``).join(', ') || '–';
      const where = of.length === services.length ? 'all' : of.join(', ');
      return `| \`${name}\` | ${type} | ${quoted} | ${where} | ${help} |`;
    };
    expect(rows.map(([row]) => row.replace(/ +/g, ' '))).toEqual(entries.map(shown));
  });
});

describe('code', () => {
  const texts = ['apps', 'libs'].flatMap(sourcesBelow);

  it.each(Object.keys(catalog) as Metric[])('tells %s somewhere', (metric) => {
    expect(texts.some((text) => text.includes(`'${metric}'`))).toBe(true);
  });

  function sourcesBelow(folder: string): string[] {
    return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
      .filter((path) => !path.endsWith('metrics/src/catalog.ts') && !path.includes('node_modules'))
      .map((path) => read(join(folder, path)));
  }
});

describe.each(['dashboard.json', 'alerts.yml'])('deploy/observability/%s', (file) => {
  it('asks for series that exist alone', async () => {
    const text = read(`deploy/observability/${file}`);
    const asked = new Set(text.match(/\b(skein|process|nodejs)_[a-z0-9_]+/g) ?? []);
    const known = new Set(entries.flatMap(seriesIn));
    for (const service of services) for (const name of await seriesOf(service)) known.add(name);
    expect(asked.size).toBeGreaterThan(5);
    expect([...asked].filter((name) => !known.has(name))).toEqual([]);
  });
});

it('the dashboard is whole: each panel has a place and a question of its own', () => {
  const { panels } = JSON.parse(read('deploy/observability/dashboard.json')) as {
    panels: { id: number; type: string; gridPos: { x: number; y: number }; targets?: object[] }[];
  };
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(new Set(panels.map(({ gridPos: { x, y } }) => `${x} ${y}`)).size).toBe(panels.length);
  for (const { type, targets } of panels) {
    if (type !== 'row') expect(targets?.length).toBeGreaterThan(0);
  }
});

describe('prometheus meter', () => {
  it('refuses what the service does not have', () => {
    const meter = new PrometheusMeter('ipam');
    expect(() => meter.observe('commitDuration', 1)).toThrow('ipam has no histogram');
    expect(() => meter.gauge('hosts', () => 1)).toThrow('ipam has no gauge');
  });

  it('turns conversations into histograms, and gauges into what they read', async () => {
    const meter = new PrometheusMeter('registry');
    const push = { contract: 'host-agent.program', ms: 20, code: 'ok' };
    measureAsking(meter, 'registry', push);
    measureAnswer(meter, 'registry', { contract: 'registry.list-hosts', ms: 1, code: 'ok' });
    meter.gauge('hosts', () => [[{ state: 'up' }, 3]]);
    meter.gauge('networks', () => Promise.reject(new Error('not now')));
    const listener = await listenForMetrics(meter, { address: '127.0.0.1', port: 0 });
    const url = `http://127.0.0.1:${listener.port}/`;
    const text = await (await fetch(`${url}metrics`)).text();
    const other = await fetch(url);
    await listener.close();
    expect(other.status).toBe(404);
    expect(text).toContain('skein_push_duration_seconds_count{code="ok"} 1');
    expect(text).toMatch(/skein_answer_duration_seconds_count{.*registry.list-hosts.*} 1/);
    expect(text).toContain('skein_hosts{state="up"} 3');
    expect(text).toMatch(/^skein_networks Nan$/im);
  });
});
