// skein simulate: seeds spread over worker processes, each seed a whole simulated cluster with all checkers. A violation prints
// the command that repeats it.

import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { SkeinError } from '@skein/contracts';
import * as simulation from '@skein/simulation';
import pc from 'picocolors';
import { Output } from '../output/output';
import { fields } from '../output/table';
import { counted } from '../output/units';

export interface SimulateOptions {
  readonly seeds?: number;
  readonly seed?: number;
  readonly plant?: string;
  /** Of one seed: says what happens, line by line. */
  readonly trace?: boolean;
  readonly json: boolean;
}

/** What is told of one seed, whatever was simulated. */
export interface SeedResult {
  readonly seed: number;
  readonly steps: number;
  readonly simulatedMs: number;
  readonly faults: number;
  readonly faultsByKind: Readonly<Record<string, number>>;
  readonly violations: readonly unknown[];
}

/** What simulators answer: some count the core's steps and their faults, some packets, stalls and kills. */
interface SimulatorResult {
  readonly steps?: number;
  readonly packets?: number;
  readonly faults?: number;
  readonly faultsByKind?: Readonly<Record<string, number>>;
  readonly stalls?: number;
  readonly killed?: readonly string[];
  readonly simulatedMs: number;
  readonly violations: readonly unknown[];
}
type Simulator = (
  seed: number,
  options: { planted?: string; onTrace?: (line: string) => void },
) => SimulatorResult | Promise<SimulatorResult>;

export interface Totals {
  readonly seeds: number;
  readonly steps: number;
  readonly faults: number;
  readonly faultsByKind: Readonly<Record<string, number>>;
  readonly simulatedMs: number;
  /** Seeds with violations, and the first of them in full. */
  readonly failures: number;
  readonly failed: readonly SeedResult[];
}

export const noTotals: Totals = {
  seeds: 0,
  steps: 0,
  faults: 0,
  faultsByKind: {},
  simulatedMs: 0,
  failures: 0,
  failed: [],
};

/** Seeds that fail after these are counted but not kept. */
const maxFailed = 20;
const maxShown = 5;
const defaultSeeds = 100;
const maxSeed = 0x7fffffff;

export async function simulate(what: string, options: SimulateOptions): Promise<void> {
  simulatorOf(what);
  checkPlant(what, options.plant);
  const first = options.seed ?? Math.floor(Math.random() * (maxSeed / 2));
  const count = options.seeds ?? (options.seed === undefined ? defaultSeeds : 1);
  const out = new Output(options.json);
  if (options.trace === true) await trace(what, first, options.plant);
  const started = performance.now();
  let totals = noTotals;
  const progress = meter(count, out);
  await spread({ what, first, count, plant: options.plant }, (result) => {
    totals = add(totals, result);
    progress.step(totals);
  });
  progress.end();
  const seconds = (performance.now() - started) / 1_000;
  const report = { what, firstSeed: first, ...totals, seconds: Number(seconds.toFixed(1)) };
  out.show(report, () => reportText(what, first, totals, seconds, options.plant));
  if (totals.failures > 0) process.exitCode = 1;
}

/** What happens under one seed, line by line, before it is run once more for the report. */
async function trace(what: string, seed: number, plant: string | undefined): Promise<void> {
  const onTrace = (line: string): void => void process.stdout.write(`${line}\n`);
  await simulatorOf(what)(seed, { onTrace, ...(plant === undefined ? {} : { planted: plant }) });
}

/** One worker's part: a line of JSON for each seed. */
export async function simulatePart(
  what: string,
  first: number,
  count: number,
  plant: string | undefined,
): Promise<void> {
  const run = simulatorOf(what);
  for (let seed = first; seed < first + count; seed += 1) {
    const result = await run(seed, plant === undefined ? {} : { planted: plant });
    process.stdout.write(`${JSON.stringify(seedResult(seed, result))}\n`);
  }
}

function seedResult(seed: number, result: SimulatorResult): SeedResult {
  return {
    seed,
    steps: result.steps ?? result.packets ?? 0,
    faults: result.faults ?? (result.stalls ?? 0) + (result.killed?.length ?? 0),
    faultsByKind: result.faultsByKind ?? {},
    simulatedMs: result.simulatedMs,
    violations: result.violations,
  };
}

export function add(totals: Totals, result: SeedResult): Totals {
  const hasFailed = result.violations.length > 0;
  return {
    seeds: totals.seeds + 1,
    steps: totals.steps + result.steps,
    faults: totals.faults + result.faults,
    faultsByKind: sumOf(totals.faultsByKind, result.faultsByKind),
    simulatedMs: totals.simulatedMs + result.simulatedMs,
    failures: totals.failures + (hasFailed ? 1 : 0),
    failed:
      hasFailed && totals.failed.length < maxFailed ? [...totals.failed, result] : totals.failed,
  };
}

function sumOf(
  one: Readonly<Record<string, number>>,
  other: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum: Record<string, number> = { ...one };
  for (const [kind, count] of Object.entries(other)) sum[kind] = (sum[kind] ?? 0) + count;
  return sum;
}

export function repeatCommand(what: string, seed: number, plant: string | undefined): string {
  return `./skein simulate ${what} --seed ${seed}${plant === undefined ? '' : ` --plant ${plant}`}`;
}

function reportText(
  what: string,
  first: number,
  totals: Totals,
  seconds: number,
  plant: string | undefined,
): string {
  const hours = totals.simulatedMs / 3_600_000;
  const summary = fields([
    ['simulated', what],
    ['seeds', `${totals.seeds}, from ${first}`],
    ['steps', totals.steps.toLocaleString('en')],
    ['faults', totals.faults.toLocaleString('en')],
    ...kindsText(totals.faultsByKind),
    ['simulated time', `${hours.toFixed(2)} h in ${seconds.toFixed(1)} s`],
    [
      'violations',
      totals.failures === 0 ? pc.green('none') : pc.red(`in ${counted(totals.failures, 'seed')}`),
    ],
  ]);
  const shown = totals.failed.toSorted((one, other) => one.seed - other.seed).slice(0, maxShown);
  const failures = shown.map((result) => {
    const reason = JSON.stringify(result.violations[0]).slice(0, 400);
    return `${pc.red('✘')} seed ${result.seed}: ${reason}\n    ${repeatCommand(what, result.seed, plant)}`;
  });
  return [summary, ...failures].join('\n');
}

/** Five kinds a line, most frequent first. */
function kindsText(faultsByKind: Readonly<Record<string, number>>): [string, string][] {
  const kinds = Object.entries(faultsByKind)
    .filter(([, count]) => count > 0)
    .sort(([, one], [, other]) => other - one)
    .map(([kind, count]) => `${kind} ${count.toLocaleString('en')}`);
  const lines = Array.from({ length: Math.ceil(kinds.length / 5) }, (_, line) =>
    kinds.slice(line * 5, line * 5 + 5).join(', '),
  );
  return lines.map((line, at) => [at === 0 ? 'by kind' : '', line]);
}

function simulatorOf(what: string): Simulator {
  const name = `simulate${what.charAt(0).toUpperCase()}${what.slice(1)}`;
  const found = (simulation as unknown as Record<string, unknown>)[name];
  if (typeof found === 'function') return found as Simulator;
  const known = Object.keys(simulation)
    .filter((each) => /^simulate[A-Z]/.test(each))
    .map((each) => each.slice('simulate'.length).toLowerCase());
  throw new SkeinError('invalid_request', `There is no simulation '${what}': ${known.join(', ')}`, {
    field: 'what',
  });
}

function checkPlant(what: string, plant: string | undefined): void {
  const plants: Record<string, readonly string[]> = {
    raft: simulation.plantedFaults,
    ipam: simulation.plantedIpamFaults,
    cluster: simulation.plantedClusterFaults,
    system: simulation.plantedSystemFaults,
  };
  const known = plants[what] ?? [];
  if (plant === undefined || known.includes(plant)) return;
  const choice = known.length === 0 ? 'nothing can be' : `known: ${known.join(', ')}`;
  throw new SkeinError('invalid_request', `'${plant}' can't be planted in ${what}; ${choice}`, {
    field: 'plant',
  });
}

interface Work {
  readonly what: string;
  readonly first: number;
  readonly count: number;
  readonly plant: string | undefined;
}

/** Equal parts, one a processor; the workers end with this process, which owns their output. */
async function spread(work: Work, each: (result: SeedResult) => void): Promise<void> {
  const workers = Math.min(work.count, Math.max(1, availableParallelism()));
  const parts = Array.from({ length: workers }, (_, index) => {
    const from = Math.floor((work.count * index) / workers);
    const to = Math.floor((work.count * (index + 1)) / workers);
    return { ...work, first: work.first + from, count: to - from };
  });
  await Promise.all(parts.map((part) => runPart(part, each)));
}

async function runPart(part: Work, each: (result: SeedResult) => void): Promise<void> {
  const args = ['simulate-part', part.what, String(part.first), String(part.count)];
  if (part.plant !== undefined) args.push('--plant', part.plant);
  const child = spawn(process.execPath, ['--no-warnings', process.argv[1] ?? '', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = (): void => void child.kill();
  process.once('exit', stop);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let last = part.first - 1;
  for await (const line of createInterface({ input: child.stdout })) {
    const result = JSON.parse(line) as SeedResult;
    last = result.seed;
    each(result);
  }
  process.off('exit', stop);
  if ((await ended) === 0) return;
  throw new SkeinError('internal', `The simulation of seed ${last + 1} ended badly`, {
    facts: { repeat: repeatCommand(part.what, last + 1, part.plant) },
  });
}

function meter(count: number, out: Output): { step(totals: Totals): void; end(): void } {
  const { stderr } = process;
  if (!stderr.isTTY || out.json) return { step: () => undefined, end: () => undefined };
  let drawn = 0;
  return {
    step: ({ seeds, failures }) => {
      if (performance.now() - drawn < 100) return;
      drawn = performance.now();
      const bad = failures === 0 ? '' : pc.red(`, ${failures} failed`);
      stderr.write(`\r\x1b[K${seeds} of ${count} seeds${bad}`);
    },
    end: () => void stderr.write('\r\x1b[K'),
  };
}
