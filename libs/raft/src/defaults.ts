// The core's limits where the driver names none. Times are in ticks; what a tick is, the driver knows.
import type { RaftConfig } from './types';

export const raftDefaults = {
  electionTicks: 10,
  heartbeatTicks: 1,
  maxMessageBytes: 256 * 1024,
  maxInflightMessages: 64,
  maxInflightBytes: 8 * 1024 * 1024,
  maxUncommittedBytes: 32 * 1024 * 1024,
  maxEntryBytes: 768 * 1024,
  maxApplyingEntries: 8192,
  priority: 50,
  maxPromotionLag: 1000,
} as const;

export type CompleteConfig = Required<Omit<RaftConfig, 'leaseMs'>> & Pick<RaftConfig, 'leaseMs'>;
