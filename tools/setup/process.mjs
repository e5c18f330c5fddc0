// How set-up runs other programs and shows its steps. Whatever ends set-up ends the programs that it started.
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

export const root = new URL('../..', import.meta.url).pathname.replace(/\/$/, '');
export const setupFolder = join(root, '.skein', 'setup');

/** A failure that its message explains. */
export class SetupError extends Error {}

export const isFile = (path) => existsSync(path) && statSync(path).isFile();

export function onPath(program) {
  const folders = `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`.split(':');
  return folders.map((folder) => join(folder, program)).find(isFile) ?? null;
}

const running = new Set();
let heldFile = 'ignore';

/** An open file that every program gets as its fourth: its lock holds until the last of them has ended. */
export function handDown(fd) {
  heldFile = fd;
}

process.on('exit', () => {
  for (const child of running) {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // Ended meanwhile.
    }
  }
});
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
]) {
  process.on(signal, () => {
    process.stderr.write('\nset-up was interrupted; run it again to go on\n');
    process.exit(code);
  });
}

/** Runs a command; its output is kept and shown only if it fails. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      // A process group of its own, so that its children can be ended with it.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', heldFile],
      ...options,
    });
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    if (child.pid !== undefined) running.add(child);
    child.on('error', (error) => reject(new SetupError(`can't run ${command}: ${error.message}`)));
    child.on('close', (code, signal) => {
      running.delete(child);
      const text = Buffer.concat(output).toString();
      if (code === 0) resolve(text);
      else reject(new SetupError(explain([command, ...args].join(' '), signal ?? code, text)));
    });
  });
}

const unreachable =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|E?SOCKET_?TIMEOUT)\b/i;

function explain(line, how, text) {
  const network = unreachable.exec(text)?.[1];
  if (network !== undefined && line.startsWith('npm ci')) {
    return `npm can't reach its registry (${network}). The first set-up downloads the dependencies; connect and run it again.`;
  }
  return `${line} ended with ${how}\n${shorten(text)}`;
}

/** Reasons stand at the start or at the end of what a program says. */
function shorten(text) {
  const lines = text.trim().split('\n');
  if (lines.length <= 40) return lines.join('\n');
  return [...lines.slice(0, 15), '…', ...lines.slice(-25)].join('\n');
}

const isTerminal = process.stderr.isTTY === true;
const frames = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
const active = new Set();
let frame = 0;
let timer = null;

/** On a terminal one line shows the steps that run; each leaves a line when it is done. */
function draw() {
  const line = `${frames[frame++ % frames.length]} ${[...active].join(', ')}`;
  process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`);
}

/** One visible step: shown while it runs, with its time when it is done. */
export async function step(title, work) {
  const started = Date.now();
  const leave = (line) => {
    active.delete(title);
    process.stderr.write(`${isTerminal ? '\r\x1b[K' : ''}${line}\n`);
    if (active.size === 0) {
      clearInterval(timer);
      timer = null;
    }
  };
  active.add(title);
  if (isTerminal) timer ??= setInterval(draw, 80);
  try {
    const note = await work();
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    leave(`✔ ${title}${note ? `: ${note}` : ''} (${seconds} s)`);
  } catch (error) {
    leave(`✘ ${title}`);
    throw error;
  }
}
