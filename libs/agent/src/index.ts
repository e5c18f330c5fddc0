// The public face: what an agent decides, with its host behind ports.

export { Duty, heartbeatMs, type DutyOptions } from './duty';
export { HostLease, type Moment } from './lease';
export { LeaseGuard, type LeaseGuardOptions } from './lease-guard';
export type { Guard, GuardRenewal, Kernel, KernelFault, Names } from './ports';
export {
  Prober,
  probeEveryMs,
  type OpenProbeSocket,
  type ProberOptions,
  type ProbeSocket,
} from './prober';
export { Programmer, type ProgramReply, type ProgrammerOptions } from './programmer';
export { Reconciler, type EndpointFault, type Look, type ReconcilerOptions } from './reconciler';
export type { Push } from './share-intake';
export { statusRows } from './status-rows';
