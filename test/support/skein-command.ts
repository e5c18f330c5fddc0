// Runs `./skein` of this clone as a person would, and lets a test wait for words in its progress.

import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

export const home = join(import.meta.dirname, '..', '..');

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class SkeinCommand {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  #stdout = '';
  #stderr = '';
  readonly #waiting: { words: string; resolve: () => void }[] = [];

  constructor(...args: string[]) {
    this.child = spawn(join(home, 'skein'), args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout?.on('data', (chunk: Buffer) => void (this.#stdout += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString();
      for (const { words, resolve } of this.#waiting) if (this.#stderr.includes(words)) resolve();
    });
    this.finished = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        for (const { resolve: wake } of this.#waiting) wake();
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  /** Resolves when the progress has said `words`; rejects if the command ended without. */
  async says(words: string): Promise<void> {
    if (!this.#stderr.includes(words)) {
      await new Promise<void>((resolve) => this.#waiting.push({ words, resolve }));
    }
    if (!this.#stderr.includes(words))
      throw new Error(`ended without saying '${words}':\n${this.#stderr}`);
  }
}

export function skein(...args: string[]): Promise<Finished> {
  return new SkeinCommand(...args).finished;
}
