// The public face of the durable Raft log.

export {
  openRaftLog,
  RaftLog,
  type RaftLogOptions,
  type ResumePoint,
  type SnapshotPiece,
  type StoredSnapshot,
} from './raft-log';
export type { LogSize } from './log-database';
export type { LogMeta, RepairReport } from './open-database';
export { RaftLogError, type RaftLogErrorCode } from './raft-log-error';
export { createReplicaDirectory, type ReplicaContent } from './replica-directory';
export { logFileName, type LogLocation } from './schema';
