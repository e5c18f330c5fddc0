// The public face: what an agent decides, with its host behind ports.

export { Duty, heartbeatMs, type DutyOptions } from './duty';
export type { Kernel, KernelFault, Names } from './ports';
export { Programmer, type ProgramReply, type ProgrammerOptions } from './programmer';
export { Reconciler, type EndpointFault, type Look, type ReconcilerOptions } from './reconciler';
export type { Push } from './share-intake';
export { statusRows } from './status-rows';
