// The whole on real processes and the real kernel, maltreated for a short while; `skein verify system` does the same for minutes.
// SKEIN_CHAOS_SEED and SKEIN_CHAOS_SECONDS make other runs.

import { beforeAll, describe, expect, it } from '@jest/globals';
import { runChaos, type ChaosReport } from '@skein/chaos';
import { searchPath } from '@skein/local-cluster';
import { home } from '../support/skein-command';

const seed = Number(process.env['SKEIN_CHAOS_SEED'] ?? 7);
const seconds = Number(process.env['SKEIN_CHAOS_SECONDS'] ?? 40);
const isTold = process.env['SKEIN_CHAOS_SECONDS'] !== undefined;
const tell = (line: string): void => {
  if (isTold) process.stderr.write(`${line}\n`);
};

let report: ChaosReport;

beforeAll(
  async () => {
    report = await runChaos({
      home,
      path: searchPath(home, process.env['PATH'] ?? ''),
      seconds,
      seed,
      step: tell,
      fault: tell,
      at: () => undefined,
      signal: new AbortController().signal,
    });
    tell(JSON.stringify(report, null, 1));
  },
  (seconds + 300) * 1_000,
);

describe(`a whole cluster under faults of every kind (seed ${seed})`, () => {
  it('was maltreated, and did what it was asked meanwhile', () => {
    expect(report.figures['faults']).toBeGreaterThan(seconds / 6);
    expect(report.outcomes['attach ok']).toBeGreaterThan(10);
    expect(report.outcomes['detach ok']).toBeGreaterThan(0);
  });

  it('was looked at: sandboxes on two hosts asked each other while it happened', () => {
    expect(report.pings['two hosts, IPv4']?.answered).toBeGreaterThan(0);
  });

  it.each([
    'calm returns when faults stop',
    'no address has two holders, in the store, in the history, for clients or on the wire',
    'nothing leaks',
    'what was acknowledged is so',
    'the kernels hold what the store says',
    'every live pair pings at the end',
    'live containers on unharmed hosts lose no ping',
    'nothing is left of the run',
  ])('%s', (name) => {
    const found = report.proofs.find((proof) => proof.name === name);
    expect(found).toMatchObject({ held: true, against: [] });
  });
});
