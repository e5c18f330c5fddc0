// How a proof on a real cluster is run for people: a seed, a bar, steps told as they come, and an end in order upon a signal.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SkeinError } from '@skein/contracts';
import { searchPath } from '@skein/local-cluster';
import pc from 'picocolors';
import { Output } from '../output/output';

export interface ProofOptions {
  readonly home: string;
  readonly path: string;
  readonly seconds: number;
  readonly seed?: number | undefined;
  readonly json: boolean;
}

/** What a run is given, and whom it tells how far it is. */
export interface ProofRun {
  readonly home: string;
  readonly path: string;
  readonly seconds: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly step: (text: string) => void;
  /** A lesser step. */
  readonly detail: (text: string) => void;
  readonly at: (done: number, total: number, detail: string) => void;
}

const maxSeed = 1_000_000;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** `of`: what the seconds are of. Sets exit code 1 if a proof failed, 130 if it was called off. */
export async function runProof<Report extends { readonly passed: boolean }>(
  of: string,
  options: ProofOptions,
  run: (run: ProofRun) => Promise<Report>,
  textOf: (out: Output, report: Report) => string,
): Promise<void> {
  const { home, path, seconds, json } = options;
  if (!existsSync(join(home, 'dist', 'cli.js')))
    throw new SkeinError('unavailable', 'dist/ is not built; run ./skein setup');
  const out = new Output(json);
  // Also with --json, which leaves standard error to people.
  const note = (text: string) => void process.stderr.write(`${text}\n`);
  const seed = options.seed ?? Math.floor(Math.random() * maxSeed);
  const calling = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void =>
    calling.abort(new SkeinError('unavailable', `called off by ${signal}`));
  for (const signal of signals) process.on(signal, onSignal);
  const bar = out.bar(of);
  const told = (text: string): void => {
    bar.end();
    note(text);
  };
  try {
    note(pc.dim(`seed ${seed}, ${seconds} s of ${of}`));
    const report = await run({
      home,
      path: searchPath(home, path),
      seconds,
      seed,
      signal: calling.signal,
      step: (text) => told(`${pc.cyan('●')} ${text}`),
      detail: (text) => told(`  ${pc.dim(text)}`),
      at: (done, total, detail) => bar.at(done, total, detail),
    });
    bar.end();
    out.show(report, (shown) => textOf(out, shown));
    if (!report.passed) process.exitCode = 1;
  } catch (thrown) {
    bar.end();
    if (!calling.signal.aborted) throw thrown;
    note('called off; nothing of it is left');
    process.exitCode = 130;
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}
