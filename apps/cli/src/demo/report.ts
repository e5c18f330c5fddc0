// What the demo says at its end: one entry a step with what was observed, and the figures of the run.

import { arch, cpus, release, totalmem } from 'node:os';
import type { ProcessStatus } from '@skein/local-cluster';

export interface Observation {
  /** One line for people: what was seen, never what was intended. */
  readonly observed: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface StepReport extends Partial<Observation> {
  readonly id: string;
  readonly title: string;
  readonly outcome: 'held' | 'failed' | 'not reached';
  readonly durationMs: number;
  readonly error?: string;
}

/** Figures that steps note down while they run. */
export interface Figures {
  /** Leader killed with -9 → the next attach answered. */
  failoverMs?: number;
  pingsLost?: number;
  duplicateAddresses?: number;
  repairs?: number;
  /** Attach sent → first ping answered from another host. */
  attachToReachableMs?: number;
}

export interface DemoReport {
  readonly ok: boolean;
  readonly startMs: number;
  readonly totalMs: number;
  readonly steps: readonly StepReport[];
  readonly figures: Figures;
  readonly memory: {
    readonly residentMib: number;
    readonly proportionalMib: number;
    readonly processes: readonly ProcessStatus[];
  };
  readonly machine: { cpus: number; memoryMib: number; kernel: string; arch: string; node: string };
}

const mib = (kib: number) => Math.round(kib / 1024);

export function memoryReport(processes: readonly ProcessStatus[]): DemoReport['memory'] {
  const sum = (field: 'residentKib' | 'proportionalKib') =>
    mib(processes.reduce((total, process) => total + process[field], 0));
  return { residentMib: sum('residentKib'), proportionalMib: sum('proportionalKib'), processes };
}

export function machineReport(): DemoReport['machine'] {
  return {
    cpus: cpus().length,
    memoryMib: Math.round(totalmem() / 2 ** 20),
    kernel: release(),
    arch: arch(),
    node: process.versions.node,
  };
}

/** The closing summary, a line a figure. */
export function summaryLines(report: DemoReport): string[] {
  const { figures, memory, steps } = report;
  const held = steps.filter((step) => step.outcome === 'held').length;
  const line = (label: string, value: string) => `  ${label.padEnd(44)} ${value}`;
  const ms = (value: number | undefined) => (value === undefined ? '–' : `${Math.round(value)} ms`);
  const count = (value: number | undefined) => (value === undefined ? '–' : String(value));
  return [
    `${held} of ${steps.length} steps held in ${(report.totalMs / 1000).toFixed(1)} s (start ${(report.startMs / 1000).toFixed(1)} s)`,
    line('leader killed → next attach', ms(figures.failoverMs)),
    line('attach → reachable from another host', ms(figures.attachToReachableMs)),
    line('pings lost', count(figures.pingsLost)),
    line('duplicate addresses', count(figures.duplicateAddresses)),
    line('repairs of the row deleted by hand', count(figures.repairs)),
    line(
      `memory of ${memory.processes.length} processes`,
      `${memory.residentMib} MiB resident (${memory.proportionalMib} MiB without double counting)`,
    ),
  ];
}
