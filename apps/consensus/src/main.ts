// Starts one replica of the cluster: a Raft member with its log, and the store while it leads.

import { service } from '@skein/service-boot';
import { consensusSchema } from './consensus.config';
import { ConsensusModule, startReplica } from './consensus.module';

export const start = await service(import.meta.url, {
  name: 'consensus',
  description: 'Replicated key-value store on Raft.',
  configSchema: consensusSchema,
  module: (config, messenger, logger, transport, meter) =>
    ConsensusModule.create(config, { messenger, logger, transport, meter }),
  start: startReplica,
  instance: ({ replicaId }) => replicaId,
  instanceId: ({ replicaId }) => replicaId,
});
