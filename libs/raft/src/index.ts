// The Raft core's public names.
export {
  decodeConfiguration,
  decodeRaftMessage,
  encodeConfiguration,
  encodeRaftMessage,
} from './codec';
export type { CodecFault, DecodeResult } from './codec';
export { raftDefaults } from './defaults';
export { majorityValue, majorityVote, quorumValue, quorumVote } from './quorum';
export type { VoteResult } from './quorum';
export { createRaft } from './raft';
export type * from './messages';
export type * from './types';
