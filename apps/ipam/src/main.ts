// Hands out subnets and addresses: one actor a network, committed through the store before anybody hears of them.

import { service } from '@skein/service-boot';
import { ipamConfigSchema } from './ipam.config';
import { IpamModule } from './ipam.module';

export const start = await service(import.meta.url, {
  name: 'ipam',
  description: 'Subnets and addresses of networks.',
  configSchema: ipamConfigSchema,
  instanceId: (config) => config.replicaId,
  module: (config, messenger, logger, transport) =>
    IpamModule.of({ config, messenger, logger, transport }),
});
