// The public face of a replica without its disk, network and clock.

export * from './types';
export { ReplicaCore } from './replica-core';
export {
  replicaDefaults,
  type RaftLimits,
  type ReadOptions,
  type ReplicaSettings,
  type ReplicaStart,
} from './settings';
export { epochChances, nextEpoch } from './epoch';
export { type LeaseTime } from './office';
export { originOf, originPatienceMs, startAfter, type Origin, type OriginsHeard } from './origin';
export { type Confirmation, type ReadLevel } from './read-rounds';
export { maxWaitingCharacters, maxWaitingRequests, orphanPatienceMs } from './proposals';
export { snapshotDefaults, type SnapshotPolicy } from './snapshots';
export { changePatienceMs, type MemberChange, type MembersReply } from './members';
export { standingMs } from './standings';
export { transferPatienceMs } from './transfers';
