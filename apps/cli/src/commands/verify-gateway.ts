// skein verify gateway: generated requests to a real cluster's gateway, good and bad, and the proof that each answer is one that its
// OpenAPI document promises. The run itself is libs/fuzz.

import { verifyGateway, type Finding, type GatewayReport, type Proof } from '@skein/fuzz';
import pc from 'picocolors';
import type { Output } from '../output/output';
import { counted } from '../output/units';
import { runProof, type ProofOptions } from './verify-run';

export function verifyGatewayCommand(options: ProofOptions): Promise<void> {
  return runProof('requests', options, verifyGateway, reportText);
}

function reportText(out: Output, report: GatewayReport): string {
  const { operations, kinds, figures, findings, proofs, seed, seconds } = report;
  const statuses = Object.entries(operations).map(([name, counts]) => {
    const all = Object.values(counts).reduce((sum, times) => sum + times, 0);
    const each = Object.entries(counts).map(([status, times]) => `${status}×${times}`);
    return [name, String(all), each.join(' ')];
  });
  const counts = (of: Readonly<Record<string, number>>) =>
    Object.entries(of).map(([name, value]) => [name, String(value)]);
  return [
    out.table(['operation', 'requests', 'answers'], statuses, 'nothing was asked'),
    out.table(['kind of request', 'times'], counts(kinds), 'nothing was asked'),
    out.table(['figure', 'value'], counts(figures), 'nothing was measured'),
    ...findings.map(findingText),
    proofs.map(proofText).join('\n'),
    report.passed
      ? pc.green(`✔ ${report.requests} requests, 0 unexpected answers (seed ${seed}, ${seconds} s)`)
      : pc.red(
          `✘ ${findings.length} kinds of unexpected answers; repeat with --seed ${seed} --seconds ${seconds}`,
        ),
  ].join('\n\n');
}

function findingText({ operation, kind, fault, times, index, curl, answer }: Finding): string {
  const where = pc.dim(`(${kind}, request ${index}, ${counted(times, 'time')})`);
  return [
    `${pc.red('✘')} ${operation}: ${fault} ${where}`,
    `  ${curl}`,
    pc.dim(`  ${answer}`),
  ].join('\n');
}

function proofText({ name, held, against }: Proof): string {
  const mark = held ? pc.green('✔') : pc.red('✘');
  return [`${mark} ${name}`, ...against.map((each) => `    ${each}`)].join('\n');
}
