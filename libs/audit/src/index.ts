// The public face: what an audit compares, what it finds and how it puts right what is safe to put right.

export { auditStateOf, type AuditedNetwork, type AuditState } from './audit-state';
export type { AuditLimits } from './addresses';
export { auditFindings } from './find';
export {
  confirmed,
  findingKinds,
  findingId,
  type Finding,
  type FindingKind,
  type Repair,
} from './finding';
export { actorFindings, beliefsOf, kernelFindings, type KernelBelief } from './beliefs';
export {
  Auditor,
  betweenLooksMs,
  type ActorBelief,
  type AuditorOptions,
  type AuditReport,
  type AuditWish,
} from './auditor';
