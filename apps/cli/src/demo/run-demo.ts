// Runs the demo: starts a cluster of its own, tells the story with visible progress, sums up, and leaves nothing behind
// whatever ends it.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { SkeinError } from '@skein/contracts';
import { demoPrefix, findProgram, keepLogs, LocalCluster, runsDir } from '@skein/local-cluster';
import { pageLink } from '../local/page-link';
import { createProgress, type Progress } from './progress';
import {
  type DemoReport,
  machineReport,
  memoryReport,
  type StepReport,
  summaryLines,
} from './report';
import { Stage } from './stage';
import { story } from './story';

const hostCount = 3;

export interface DemoOptions {
  readonly home: string;
  readonly path: string;
  /** End after the story instead of staying up. */
  readonly once: boolean;
  readonly json: boolean;
  /** Leave the cluster running after the story, held or not; `./skein down` ends it. */
  readonly keep: boolean;
}

/** Exit code of the process: 0 if every step held. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const started = performance.now();
  const name = `${demoPrefix}${process.pid}`;
  const interrupted = interruption();
  const progress = createProgress();
  let cluster: LocalCluster | null = null;
  let kept = false;
  const starting = startCluster(name, options, progress, interrupted.aborted);
  starting.catch(() => undefined);
  try {
    cluster = await Promise.race([starting, interrupted.signal]);
    const startMs = performance.now() - started;
    const stage = new Stage(cluster, findProgram('ping', options.home, options.path));
    const steps = await Promise.race([tell(stage, progress), interrupted.signal]);
    const { processes } = await cluster.control.call('status', {});
    const report: DemoReport = {
      ok: steps.every((step) => step.outcome === 'held'),
      startMs,
      totalMs: performance.now() - started,
      steps,
      figures: stage.figures,
      memory: memoryReport(processes),
      machine: machineReport(),
    };
    print(report, options);
    if (!report.ok) {
      const logs = keepLogs(options.home, cluster.record.dataDir);
      progress.note(`what the processes said is in ${logs}`);
    }
    if (options.keep) {
      kept = true;
      cluster.detach();
      progress.note(`the cluster is kept on ${cluster.url}; ./skein down ends it`);
    } else if (!options.once && report.ok) {
      await stayUp(cluster, progress, interrupted.signal);
    }
    return report.ok ? 0 : 1;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    progress.note(`interrupted by ${error.signal}; cleaning up`);
    return 130;
  } finally {
    if (!kept) {
      cluster ??= await starting.catch(() => null);
      await cleanUp(cluster, name, options);
    }
    interrupted.dispose();
  }
}

class Interrupted extends Error {
  constructor(readonly signal: string) {
    super(`interrupted by ${signal}`);
  }
}

/** A promise that rejects at the first Ctrl-C or SIGTERM; later ones are ignored while the run cleans up. */
function interruption(): { signal: Promise<never>; aborted: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const handlers: [NodeJS.Signals, () => void][] = [];
  const signal = new Promise<never>((_, reject) => {
    for (const name of signals) {
      const interrupt = () => {
        reject(new Interrupted(name));
        controller.abort(new Interrupted(name));
      };
      handlers.push([name, interrupt]);
    }
  });
  signal.catch(() => undefined);
  for (const [name, handler] of handlers) process.on(name, handler);
  return {
    signal,
    aborted: controller.signal,
    dispose: () => {
      for (const [name, handler] of handlers) process.off(name, handler);
    },
  };
}

async function startCluster(
  name: string,
  options: DemoOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<LocalCluster> {
  const task = progress.begin('A cluster starts: NATS, three managers, services, three hosts');
  try {
    const cluster = await LocalCluster.start({
      home: options.home,
      name,
      path: options.path,
      hosts: hostCount,
      managers: 3,
      httpPort: 8480,
      natsPort: 4222,
      orAnyPort: true,
      attached: !options.keep,
      ephemeral: !options.keep,
      restart: false,
      progress: (step) => task.detail(step),
      signal,
    });
    task.succeed(`gateway on ${cluster.url}; ${hostCount} hosts are up`);
    return cluster;
  } catch (error) {
    task.fail(SkeinError.from(error).message);
    throw error;
  }
}

async function tell(stage: Stage, progress: Progress): Promise<StepReport[]> {
  const reports: StepReport[] = [];
  let failed = false;
  for (const { id, title, run } of story) {
    if (failed) {
      reports.push({ id, title, outcome: 'not reached', durationMs: 0 });
      continue;
    }
    const task = progress.begin(title);
    const began = performance.now();
    try {
      const observation = await run(stage);
      const durationMs = performance.now() - began;
      reports.push({ id, title, outcome: 'held', durationMs, ...observation });
      task.succeed(observation.observed);
    } catch (error) {
      failed = true;
      const message = error instanceof Error ? error.message : String(error);
      reports.push({
        id,
        title,
        outcome: 'failed',
        durationMs: performance.now() - began,
        error: message,
      });
      task.fail(message);
    }
  }
  return reports;
}

function print(report: DemoReport, options: DemoOptions): void {
  if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else process.stdout.write(`\n${summaryLines(report).join('\n')}\n`);
}

async function stayUp(
  cluster: LocalCluster,
  progress: Progress,
  ended: Promise<never>,
): Promise<void> {
  progress.note(`the cluster stays up on ${cluster.url}; Ctrl-C ends it`);
  progress.note(`the page, with its token: ${pageLink(cluster)}`);
  progress.note('try: ./skein network list   ./skein cluster status   ./skein host list');
  const tick = setInterval(() => undefined, 60_000);
  try {
    await ended;
  } finally {
    clearInterval(tick);
  }
}

async function cleanUp(
  cluster: LocalCluster | null,
  name: string,
  options: DemoOptions,
): Promise<void> {
  await cluster?.stop();
  rmSync(join(runsDir(options.home), name), { recursive: true, force: true });
}
