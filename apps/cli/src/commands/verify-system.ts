// skein verify system: a whole cluster on the real kernel under faults of every kind, and the proof that nothing came of them.
// Shows what is done while it is done, and judges by the report; the run itself is libs/chaos.

import { runChaos, type ChaosReport, type Proof } from '@skein/chaos';
import pc from 'picocolors';
import type { Output } from '../output/output';
import { runProof, type ProofOptions, type ProofRun } from './verify-run';

export function verifySystem(options: ProofOptions): Promise<void> {
  const chaos = (run: ProofRun) => runChaos({ ...run, fault: run.detail });
  return runProof('faults', options, chaos, reportText);
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
