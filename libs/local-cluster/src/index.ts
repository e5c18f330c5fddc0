// A whole Skein on one machine: for demos, tests and trying it out.

export { ControlClient } from './control-client';
export type { ProcessStatus, RunResult } from './control-protocol';
export { commandInWorld } from './enter';
export { unshareFlags } from './launch';
export {
  demoPrefix,
  keepLogs,
  LocalCluster,
  type StartOptions,
  sweep,
  type SweepResult,
} from './local-cluster';
export { findProgram, type Program, searchPath } from './programs';
export { clientFile, isAlive, listRuns, type RunRecord, runsDir } from './run-record';
