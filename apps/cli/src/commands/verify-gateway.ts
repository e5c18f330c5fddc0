// skein verify gateway: generated requests to a real cluster's gateway, good and bad, and the proof that each answer is one that its
// OpenAPI document promises. The run itself is libs/fuzz.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SkeinError } from '@skein/contracts';
import { verifyGateway, type Finding, type GatewayReport, type Proof } from '@skein/fuzz';
import { searchPath } from '@skein/local-cluster';
import pc from 'picocolors';
import { Output } from '../output/output';

export interface VerifyGatewayCommand {
  readonly home: string;
  readonly path: string;
  readonly seconds: number;
  /** Absent: one by chance; the report tells it. */
  readonly seed?: number | undefined;
  readonly json: boolean;
}

const maxSeed = 1_000_000;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Sets exit code 1 if an answer was unexpected or a proof failed, 130 if it was called off. */
export async function verifyGatewayCommand(command: VerifyGatewayCommand): Promise<void> {
  const { home, path, seconds, json } = command;
  if (!existsSync(join(home, 'dist', 'cli.js')))
    throw new SkeinError('unavailable', 'dist/ is not built; run ./skein setup');
  const out = new Output(json);
  const note = (text: string) => void process.stderr.write(`${text}\n`);
  const seed = command.seed ?? Math.floor(Math.random() * maxSeed);
  const calling = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void =>
    calling.abort(new SkeinError('unavailable', `called off by ${signal}`));
  for (const signal of signals) process.on(signal, onSignal);
  const bar = out.bar('requests');
  try {
    note(pc.dim(`seed ${seed}, ${seconds} s of requests`));
    const report = await verifyGateway({
      home,
      path: searchPath(home, path),
      seconds,
      seed,
      signal: calling.signal,
      step: (text) => {
        bar.end();
        note(`${pc.cyan('●')} ${text}`);
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
  const where = pc.dim(`(${kind}, request ${index}, ${times} times)`);
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
