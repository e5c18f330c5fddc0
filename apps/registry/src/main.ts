// Hosts, networks and endpoints: feeds each agent its share of the committed state and keeps the readable history.

import { service } from '@skein/service-boot';
import { registryConfigSchema } from './registry.config';
import { RegistryModule } from './registry.module';

export const start = await service(import.meta.url, {
  name: 'registry',
  description: 'Hosts, networks and endpoints, and their history.',
  configSchema: registryConfigSchema,
  instanceId: (config) => config.replicaId,
  module: (config, messenger, logger, _transport, meter) =>
    RegistryModule.of({ config, messenger, logger, meter }),
});
