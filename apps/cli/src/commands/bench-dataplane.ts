// skein bench dataplane: what crosses between two hosts, beside Swarm's overlay and the limits, and where the difference lies.

import { resolve } from 'node:path';
import { benchDataplane, dataplaneGroups, type DataplaneReport, tcpPairs } from '@skein/bench';
import { Output } from '../output/output';
import { machineLine, number, spread, type BenchOptions } from './bench';
import { demandSwarm, limitTable } from './bench-docker';

export async function benchDataplaneCommand(options: BenchOptions): Promise<void> {
  const { home, path, json, quick = false, profile, vs } = options;
  demandSwarm(vs);
  const out = new Output(json);
  const report = await benchDataplane({
    home,
    path,
    rounds: options.rounds ?? (quick ? 1 : 10),
    seconds: options.duration ?? 1,
    only: options.only ?? dataplaneGroups,
    withSwarm: vs === 'swarm',
    progress: (text) => void process.stderr.write(`${text}\n`),
    ...(profile === undefined ? {} : { profileDir: resolve(profile) }),
  });
  out.show(report, (shown) => textOf(shown, out));
  if (report.missed > 0) process.exitCode = 1;
}

function textOf(report: DataplaneReport, out: Output): string {
  const { machine, peer, rows, steps } = report;
  const figures = limitTable(rows, peer, out);
  const share = (value: number | null) => (value === null ? ' ' : `${number(value * 100)} %`);
  const gigabits = { unit: 'Gbit/s' } as const;
  const time = { unit: 'ms per Gbit' } as const;
  const account = out.table(
    [
      'step by step, TCP, 1 stream',
      'throughput',
      'processor time',
      'of veth',
      'of the step before',
    ],
    steps.map((step) => [
      step.title,
      spread(gigabits, step.throughput),
      spread(time, step.processorTime),
      share(step.ofVeth),
      share(step.ofPrevious),
    ]),
    'nothing was measured',
  );
  const parts = [figures, ...(steps.length === 0 ? [] : [account])].join('\n\n');
  return `${machineLine(machine)}\n\n${parts}\n\n${footOf(report)}`;
}

function footOf({ peer, rounds, seconds, processors }: DataplaneReport): string {
  const lines = [
    `medians (least–most) of ${rounds} rounds of ${seconds} s each, which go over the ways in an order of their own; processor time ` +
      'is that of both ends, in the kernel too: per gigabit, or per packet',
    processors === null
      ? 'client and server share a processor: there is one'
      : `client on processor ${processors[0]}, server on processor ${processors[1]}`,
  ];
  if (peer !== null) {
    const pairs = `${rounds} pairs, ${tcpPairs * rounds} of TCP, each measured one after the other`;
    lines.splice(1, 0, `ratio ±its standard error: geometric mean over ${pairs}`);
  }
  return lines.join('\n');
}
