// Runs on every host, in its network namespace: programs the kernel with what the registry pushes, reports what it did.

import { service } from '@skein/service-boot';
import { hostAgentConfigSchema } from './host-agent.config';
import { HostAgentModule } from './host-agent.module';
import { identify } from './identity/identify';

export const start = await service(import.meta.url, {
  name: 'host-agent',
  description: 'Programs one host: networks, rows and names.',
  configSchema: hostAgentConfigSchema,
  instance: (config) => config.hostId,
  instanceId: (config) => config.hostId,
  identify,
  module: (config, messenger, logger, _transport, meter) =>
    HostAgentModule.of(config, { messenger, logger, meter }),
});
