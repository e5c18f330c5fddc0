// skein verify: the proofs on real processes and disks that `skein test` runs briefly, for as long as one likes. Prints what was
// measured. Those of consensus are the tests in test/consensus, chosen and timed here; that of the system is a run of libs/chaos,
// that of the gateway one of libs/fuzz.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { SkeinError } from '@skein/contracts';
import pc from 'picocolors';
import { Output } from '../output/output';

/** What can be proven, and by which test files. */
const proofs = {
  faults: ['endurance'],
  'old-leader': ['old-leader'],
  disks: ['disk'],
  damage: ['damage'],
  members: ['rolling', 'members'],
  growth: ['growth'],
  encryption: ['encryption'],
} as const;

type Proof = keyof typeof proofs;
const names = Object.keys(proofs) as Proof[];

/** The proofs of these names; all if none are given. Throws `invalid_request` for one that there is not. */
export function proofsOf(given: readonly string[] | undefined): readonly Proof[] {
  const unknown = given?.find((name) => !names.some((each) => each === name));
  if (unknown !== undefined) {
    throw new SkeinError('invalid_request', `There is no proof '${unknown}'`, { field: 'only' });
  }
  return names.filter((name) => given?.includes(name) ?? true);
}

export interface VerifyOptions {
  readonly home: string;
  readonly path: string;
  readonly seconds?: number;
  readonly only?: readonly string[];
  readonly seed?: number;
  readonly json?: boolean;
}

const consensusSeconds = 120;
const systemSeconds = 600;
const gatewaySeconds = 60;

/** What there is a proof of. */
export type Provable = 'consensus' | 'system' | 'gateway';

/** Throws `invalid_request` for an option that belongs to the other proof. */
export async function verify(what: Provable, options: VerifyOptions): Promise<void> {
  const { home, path, seed, json = false } = options;
  const foreign = what === 'consensus' ? 'seed' : 'only';
  if (options[foreign] !== undefined) {
    throw new SkeinError('invalid_request', `verify ${what} does not take --${foreign}`, {
      field: foreign,
    });
  }
  if (what === 'system') {
    const { verifySystem } = await import('./verify-system');
    return verifySystem({ home, path, seed, json, seconds: options.seconds ?? systemSeconds });
  }
  if (what === 'gateway') {
    const { verifyGatewayCommand } = await import('./verify-gateway');
    const { seconds = gatewaySeconds } = options;
    return verifyGatewayCommand({ home, path, seed, json, seconds });
  }
  const { seconds = consensusSeconds } = options;
  return verifyConsensus({ home, json, seconds, only: proofsOf(options.only) });
}

interface ConsensusOptions {
  readonly home: string;
  readonly seconds: number;
  readonly only: readonly Proof[];
  readonly json: boolean;
}

/** Sets exit code 1 if anything failed. */
async function verifyConsensus({ home, seconds, only, json }: ConsensusOptions): Promise<void> {
  const out = new Output(json);
  const figures: Record<string, unknown>[] = [];
  const files = only.flatMap((proof) =>
    proofs[proof].map((name) => join('test', 'consensus', `${name}.test.ts`)),
  );
  const code = await run(home, files, seconds, (line) => {
    const measured = figuresIn(line);
    if (measured !== undefined) figures.push(measured);
    process.stderr.write(`${line}\n`);
  });
  const passed = code === 0;
  out.show({ passed, seconds, figures }, () => {
    const rows = figures.flatMap(({ figures: of, ...rest }) =>
      Object.entries(rest).map(([name, value]) => [String(of), name, String(value)]),
    );
    const verdict = passed ? pc.green('✔ every proof holds') : pc.red('✘ a proof has failed');
    return `${out.table(['proof', 'figure', 'value'], rows, 'nothing was measured')}\n\n${verdict}`;
  });
  if (!passed) process.exitCode = 1;
}

function run(
  home: string,
  files: readonly string[],
  seconds: number,
  onLine: (line: string) => void,
): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const args = ['tools/jest.mjs', ...files, '--runInBand', '--selectProjects', 'system'];
    const child = spawn(process.execPath, args, {
      cwd: home,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, SKEIN_ENDURANCE_S: String(seconds) },
    });
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', onLine);
    }
    child.once('error', reject);
    child.once('close', resolve);
  });
}

/** Tests tell what they measured as one line of JSON. */
export function figuresIn(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{"figures":')) return undefined;
  return JSON.parse(line) as Record<string, unknown>;
}
