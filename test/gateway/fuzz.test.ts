// The gateway of a whole cluster under generated requests, good and bad; `skein verify gateway` does the same for longer.
// SKEIN_FUZZ_SEED and SKEIN_FUZZ_SECONDS make other runs.

import { beforeAll, describe, expect, it } from '@jest/globals';
import { verifyGateway, type GatewayReport } from '@skein/fuzz';
import { searchPath } from '@skein/local-cluster';
import { home } from '../support/skein-command';

const seed = Number(process.env['SKEIN_FUZZ_SEED'] ?? 7);
const seconds = Number(process.env['SKEIN_FUZZ_SECONDS'] ?? 15);

let report: GatewayReport;

beforeAll(
  async () => {
    report = await verifyGateway({
      home,
      path: searchPath(home, process.env['PATH'] ?? ''),
      seconds,
      seed,
      step: () => undefined,
      at: () => undefined,
      signal: new AbortController().signal,
    });
  },
  (seconds + 300) * 1_000,
);

describe(`a gateway that is asked for anything (seed ${seed})`, () => {
  it('gives no answer that its document does not promise', () => {
    expect(report.findings).toEqual([]);
  });

  it('was asked for every operation, in every way', () => {
    expect(report.requests).toBeGreaterThan(seconds * 20);
    expect(Object.keys(report.operations).length).toBeGreaterThan(50);
    expect(Object.keys(report.kinds).length).toBe(16);
  });

  it('leaves a cluster behind that is as well as before', () => {
    expect(report.proofs.filter(({ held }) => !held)).toEqual([]);
  });
});
