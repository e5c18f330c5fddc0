// The whole of a run: a cluster with a gateway of its own, the fuzz, and then the proof that the cluster is as well as before: everything
// runs, what was made can be taken away again, addresses are what they should be. Nothing of it stays.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseErrorHelp } from '@skein/contracts';
import { LocalCluster } from '@skein/local-cluster';
import { fuzzGateway, type FuzzOutcome } from './fuzz-gateway';
import { Steward } from './steward';
import { prepare } from './target';

export interface VerifyGatewayOptions {
  readonly home: string;
  readonly path: string;
  readonly seconds: number;
  readonly seed: number;
  readonly step: (text: string) => void;
  readonly at: (done: number, total: number, detail: string) => void;
  /** Called off: the run rejects with the signal's reason, and nothing of it is left. */
  readonly signal: AbortSignal;
}

export interface Proof {
  readonly name: string;
  readonly held: boolean;
  readonly against: readonly string[];
}

export interface GatewayReport extends FuzzOutcome {
  readonly passed: boolean;
  readonly seed: number;
  readonly seconds: number;
  readonly proofs: readonly Proof[];
  readonly figures: Readonly<Record<string, number>>;
}

/** The gateway gives up on half a request after 30 s and looks each 5 s; shorter runs do not wait for it. */
const unendingMs = 40_000;
const settleMs = 30_000;

export async function verifyGateway(options: VerifyGatewayOptions): Promise<GatewayReport> {
  const { home, path, signal, step } = options;
  const cluster = await LocalCluster.startPassing({ home, path, progress: step, signal });
  try {
    return await run(cluster, options);
  } finally {
    await cluster.stop();
  }
}

async function run(cluster: LocalCluster, options: VerifyGatewayOptions): Promise<GatewayReport> {
  const { home, seconds, seed, step, at, signal } = options;
  const help = parseErrorHelp(readFileSync(join(home, 'docs', 'errors.md'), 'utf8'));
  const target = await prepare({ url: cluster.url, token: cluster.token });
  const steward = new Steward(cluster);
  const before = await steward.memoryKib('gateway');
  step(`requests to ${target.document.operations.length} operations`);
  const outcome = await fuzzGateway({
    target,
    seconds,
    seed,
    explained: new Set(help.map(({ code }) => code)),
    unendingMs: seconds * 1_000 >= unendingMs ? unendingMs : undefined,
    at,
    signal,
  });
  step('calm: everything runs, addresses are in order, what was made can go');
  const proofs = [
    proof('every answer is one that the document promises', faultsIn(outcome)),
    proof('every process still runs', await steward.ended()),
    proof('a leader answers', await until(() => steward.unready())),
    proof('the audit of addresses finds nothing', await until(() => steward.auditFindings())),
    proof('what was made can be taken away again', await until(() => steward.clear())),
    proof('an endpoint can be attached and detached', await until(() => steward.attachFaults())),
  ];
  const figures = {
    requests: outcome.requests,
    requestsPerSecond: Math.round(outcome.requests / seconds),
    gatewayKibBefore: before,
    gatewayKibAfter: await steward.memoryKib('gateway'),
  };
  const passed = proofs.every(({ held }) => held);
  return { passed, seed, seconds, ...outcome, proofs, figures };
}

const proof = (name: string, against: readonly string[]): Proof => ({
  name,
  held: against.length === 0,
  against,
});

const faultsIn = ({ findings }: FuzzOutcome): string[] =>
  findings.map(({ operation, fault, times }) => `${operation}: ${fault} (${times} times)`);

/** What is still in the way when the time is up. */
async function until(look: () => Promise<string[]>): Promise<string[]> {
  const deadline = performance.now() + settleMs;
  for (;;) {
    const found = await look().catch((error: Error) => [error.message]);
    if (found.length === 0 || performance.now() > deadline) return found;
    await delay(500);
  }
}
