// The driver's end of the prober inside the world: orders out, reports in.

import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Holding, Probe, ProbeOrder, ProbeReport } from './probe-protocol';

/** The hidden command of the CLI that is the prober. */
export const proberCommand = 'chaos-prober';

export type Impostor = Extract<ProbeReport, { tell: 'impostor' }>;
export type Round = Extract<ProbeReport, { tell: 'round' }>;

export interface ProberEvents {
  readonly onProbes: (probes: readonly Probe[]) => void;
  readonly onImpostor: (impostor: Impostor) => void;
}

export class Prober {
  readonly #opening = new Map<string, (fault: string | undefined) => void>();
  #round: ((round: Round) => void) | null = null;

  constructor(
    private readonly child: ChildProcess,
    private readonly events: ProberEvents,
  ) {
    const input = child.stdout;
    if (input === null) throw new Error('the prober has no standard output');
    createInterface({ input }).on('line', (line) => this.#hear(JSON.parse(line) as ProbeReport));
    child.stdin?.on('error', () => undefined);
  }

  async open(sandbox: string, netns: string): Promise<void> {
    const fault = await new Promise<string | undefined>((resolve) => {
      this.#opening.set(sandbox, resolve);
      this.#order({ do: 'open', sandbox, netns });
    });
    if (fault !== undefined) throw new Error(`the prober can't enter ${sandbox}: ${fault}`);
  }

  close(sandbox: string): void {
    this.#order({ do: 'close', sandbox });
  }

  hold(sandbox: string, holding: Holding): void {
    this.#order({ do: 'hold', sandbox, holding });
  }

  release(sandbox: string): void {
    this.#order({ do: 'release', sandbox });
  }

  /** Each live pair once, repeated until it answers or `patienceMs` is over. */
  round(patienceMs: number): Promise<Round> {
    return new Promise((resolve) => {
      this.#round = resolve;
      this.#order({ do: 'round', patienceMs });
    });
  }

  #order(order: ProbeOrder): void {
    this.child.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  #hear(report: ProbeReport): void {
    switch (report.tell) {
      case 'opened':
        this.#opening.get(report.sandbox)?.(report.fault);
        this.#opening.delete(report.sandbox);
        return;
      case 'probes':
        return this.events.onProbes(report.probes);
      case 'impostor':
        return this.events.onImpostor(report);
      case 'round':
        this.#round?.(report);
        return;
    }
  }
}
