// skein verify system: a whole cluster on the real kernel under faults of every kind, and the proof that nothing came of them.
// Shows what is done while it is done, and judges by the report; the run itself is libs/chaos.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runChaos, type ChaosReport, type Proof } from '@skein/chaos';
import { SkeinError } from '@skein/contracts';
import { searchPath } from '@skein/local-cluster';
import pc from 'picocolors';
import { Output } from '../output/output';

export interface VerifySystemOptions {
  readonly home: string;
  readonly path: string;
  readonly seconds: number;
  /** Absent: one by chance; the report tells it. */
  readonly seed?: number | undefined;
  readonly json: boolean;
}

const maxSeed = 1_000_000;

/** Sets exit code 1 if a proof failed, 130 if it was called off. */
export async function verifySystem(options: VerifySystemOptions): Promise<void> {
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
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  const bar = out.bar('faults');
  try {
    note(pc.dim(`seed ${seed}, ${seconds} s of faults`));
    const report = await runChaos({
      home,
      path: searchPath(home, path),
      seconds,
      seed,
      signal: calling.signal,
      step: (text) => {
        bar.end();
        note(`${pc.cyan('●')} ${text}`);
      },
      fault: (text) => {
        bar.end();
        note(`  ${pc.dim(text)}`);
      },
      at: (done, total, detail) => bar.at(done, total, detail),
    });
    bar.end();
    out.show(report, (told) => reportText(out, told));
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

function reportText(out: Output, report: ChaosReport): string {
  const counts = (of: Readonly<Record<string, number>>) =>
    Object.entries(of).map(([name, value]) => [name, String(value)]);
  const pings = Object.entries(report.pings).map(([name, { sent, answered, lost }]) => [
    name,
    String(sent),
    String(answered),
    String(lost),
  ]);
  return [
    out.table(['fault', 'times'], counts(report.faults), 'no faults'),
    out.table(['clients were told', 'times'], counts(report.outcomes), 'nothing was asked'),
    out.table(['pings', 'sent', 'answered', 'lost'], pings, 'no pings'),
    out.table(['figure', 'value'], counts(report.figures), 'nothing was measured'),
    silenceText(out, report.silence),
    ...report.proofs.map(proofText),
    report.passed
      ? pc.green(`✔ every proof holds (seed ${report.seed}, ${report.seconds} s)`)
      : pc.red(`✘ a proof has failed; repeat with --seed ${report.seed}`),
  ].join('\n\n');
}

function silenceText(out: Output, { fromMs, ms, told }: ChaosReport['silence']): string {
  const rows = Object.entries(told).map(([what, times]) => [what, String(times)]);
  const [length, from] = [ms, fromMs].map((value) => (value / 1_000).toFixed(1));
  const title = `longest without an attach though services were up: ${length} s, from ${from} s on`;
  return `${title}\n${out.table(['clients were told meanwhile', 'times'], rows, 'nothing')}`;
}

function proofText({ name, held, evidence, against }: Proof): string {
  const mark = held ? pc.green('✔') : pc.red('✘');
  const lines = against.map((each) => `    ${each}`);
  return [`${mark} ${name}`, `  ${pc.dim(evidence)}`, ...lines].join('\n');
}
