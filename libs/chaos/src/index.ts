// Proof of the whole on real processes and namespaces: a cluster under faults, its clients, its data plane and the audit.

export { unrestOf, until } from './audit';
export { readCommitted, type Committed } from './committed';
export { kernelFaults } from './kernel-audit';
export { proberCommand } from './prober';
export { runProber } from './prober-main';
export type { ChaosReport, Proof } from './report';
export { Rest } from './rest';
export { runChaos, type ChaosOptions } from './run';
