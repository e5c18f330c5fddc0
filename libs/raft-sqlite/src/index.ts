// The public face of the durable Raft log.

export { openRaftLog, RaftLog, type RaftLogOptions } from './raft-log';
export { RaftLogError, type RaftLogErrorCode } from './raft-log-error';
export { logFileName } from './schema';
