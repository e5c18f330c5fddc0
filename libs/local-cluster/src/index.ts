// A whole Skein on one machine: for demos, tests and trying it out.

export { ServiceProcess, type ServiceProcessOptions } from './child-process';
export { ControlClient } from './control-client';
export type { ProcessStatus, RunResult } from './control-protocol';
export { commandInWorld } from './enter';
export { unshareFlags } from './launch';
export { createLayout, type LocalLayout } from './layout';
export {
  demoPrefix,
  keepLogs,
  LocalCluster,
  type StartOptions,
  sweep,
  type SweepResult,
} from './local-cluster';
export { memoryOf } from './memory';
export { natsConfiguration } from './nats-configuration';
export { findProgram, type Program, searchPath } from './programs';
export { clientFile, isAlive, listRuns, type RunRecord, runsDir } from './run-record';
export { processList, type ProcessSpec } from './service-list';
