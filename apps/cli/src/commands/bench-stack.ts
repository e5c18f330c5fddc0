// skein bench addresses, skein bench resync: measure a whole cluster, print figures, goals and what each process had to do.

import { resolve } from 'node:path';
import { addressGroups, benchAddresses, benchResync, type StackReport } from '@skein/bench';
import { Output } from '../output/output';
import { counted } from '../output/units';
import { cells, machineLine, type BenchOptions } from './bench';

export async function benchStack(
  what: 'addresses' | 'resync',
  options: BenchOptions,
): Promise<void> {
  const { home, path, json, quick = false, profile } = options;
  const out = new Output(json);
  const parts = {
    home,
    path,
    progress: (text: string): void => void process.stderr.write(`${text}\n`),
    ...(profile === undefined ? {} : { profileDir: resolve(profile) }),
  };
  const rounds = options.rounds ?? (quick ? 1 : 3);
  const report =
    what === 'resync'
      ? await benchResync({ ...parts, rounds, endpoints: quick ? 1_000 : 10_000 })
      : await benchAddresses({
          ...parts,
          plan: {
            rounds,
            // Ten processes compile what has become hot: a seventh of all work in the first seconds.
            warmUpMs: quick ? 300 : 2_000,
            durationMs: (options.duration ?? (quick ? 1 : 5)) * 1_000,
            only: options.only ?? addressGroups,
          },
        });
  out.show(report, (shown) => reportText(shown, out));
}

function reportText({ machine, hosts, rows, costs, failures }: StackReport, out: Output): string {
  const figures = out.table(
    ['what', 'measure', 'skein', 'goal', ''],
    rows.map((row, at) => cells(row, rows[at - 1], false)),
    'nothing was measured',
  );
  const names = [...new Set(costs.flatMap(({ us }) => Object.keys(us)))].sort();
  const spent = out.table(
    ['processor time each, µs', ...costs.map(({ figure }) => figure)],
    [
      ...names.map((name) => [name, ...costs.map(({ us }) => String(Math.round(us[name] ?? 0)))]),
      ['all', ...costs.map(({ totalUs }) => String(Math.round(totalUs)))],
    ],
    'nothing was measured',
  );
  const stage = `three managers, ${hosts} hosts; everything, the client too, shares this machine`;
  const foot = failures === 0 ? stage : `${stage}; ${counted(failures, 'request')} failed`;
  return `${machineLine(machine)}\n\n${figures}\n\n${spent}\n\n${foot}`;
}
