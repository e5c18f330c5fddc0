// A whole Skein on one machine: for demos, tests and trying it out.

export { Attendant } from './attendant';
export { ServiceProcess, type ServiceProcessOptions } from './child-process';
export { ControlClient } from './control-client';
export type { ProcessStatus, RunResult } from './control-protocol';
export { commandInWorld } from './enter';
export { unshareFlags } from './launch';
export {
  createLayout,
  type LocalLayout,
  type LocalPlace,
  managerProcess,
  placesOf,
  replicaProcess,
} from './layout';
export {
  demoPrefix,
  keepLogs,
  LocalCluster,
  type PassingOptions,
  type StartOptions,
  sweep,
  type SweepResult,
} from './local-cluster';
export { memoryOf } from './memory';
export { netnsOfContainer, underlayPort } from './network';
export { credentialsFile, writeNatsFiles } from './nats-configuration';
export { findProgram, type Program, searchPath } from './programs';
export { clientFile, isAlive, listRuns, type RunRecord, runsDir } from './run-record';
export {
  agentNetnsPrefix,
  engineProcess,
  identityDir,
  netnsOfHost,
  processList,
  type ProcessSpec,
  singleProcess,
} from './service-list';
export { tracingIn, type TracingSettings } from './tracing';
