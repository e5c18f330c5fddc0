// Containers that call out who they are, many times a second, and one on a third host that writes down whom it hears and when.
// All clocks are the machine's one, so that what was heard can be put in order with what was committed.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Stack } from '../support/stack';

const port = 7_007;
const runLimitMs = 300_000;

export interface Heard {
  readonly at: number;
  readonly who: string;
  readonly from: string;
}

/** Calls from whatever address the container has, and goes on when it has none for a while. */
export function callOut(stack: Stack, container: string, who: string, to: string): void {
  const program = `const s=require('dgram').createSocket('udp4');s.on('error',()=>{});
    setInterval(()=>s.send('${who}',${port},'${to}',()=>{}),25);`;
  start(stack, container, program);
}

export function listen(stack: Stack, container: string, file: string): void {
  const program = `const fs=require('fs');const s=require('dgram').createSocket('udp4');
    s.on('message',(m,r)=>fs.appendFileSync('${file}',Date.now()+' '+m+' '+r.address+'\\n'));
    s.bind(${port});`;
  start(stack, container, program);
}

function start(stack: Stack, container: string, program: string): void {
  const argv = [process.execPath, '-e', program];
  // Ends with the cluster.
  stack.cluster.control
    .call('run', { container, argv, timeoutMs: runLimitMs })
    .catch(() => undefined);
}

export function heardIn(file: string): Heard[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => {
    const [at, who = '', from = ''] = line.split(' ');
    return { at: Number(at), who, from };
  });
}

export const lastAt = (heard: readonly Heard[], who: string): number =>
  heard.findLast((each) => each.who === who)?.at ?? 0;

export const firstAt = (heard: readonly Heard[], who: string): number =>
  heard.find((each) => each.who === who)?.at ?? Infinity;

export async function until<Result>(
  what: string,
  look: () => Promise<Result | undefined | false> | Result | undefined | false,
  limitMs = 30_000,
): Promise<Result> {
  const limit = performance.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > limit) throw new Error(`waited in vain until ${what}`);
    await delay(25);
  }
}

/** Resolves once `who` was heard that many times from now on: time passes in what is seen, not on a clock. */
export async function heardAgain(file: string, who: string, times: number): Promise<void> {
  const count = () => heardIn(file).filter((each) => each.who === who).length;
  const before = count();
  await until(`${who} is heard ${times} times more`, () => count() >= before + times);
}

/**
 * A stand-in for `nft` that waits on h1 while the file `hold` is there: what it was told to write was computed before. It notes
 * in `held` that it waits, and in `written` that it has gone on.
 */
export function slowNft(folder: string, real: string): string {
  const at = (name: string) => join(folder, name);
  return `#!/bin/sh
if [ "$SKEIN_HOST_ID" = h1 ] && [ "$1" = -f ] && [ -e ${at('hold')} ]; then
  cat > ${at('rules')}.$$
  touch ${at('held')}
  while [ -e ${at('hold')} ]; do sleep 0.05; done
  ${real} -f ${at('rules')}.$$
  code=$?
  echo $code > ${at('written')}
  exit $code
fi
exec ${real} "$@"
`;
}
