// The only HTTP door for people: translates between REST and the services' conversations, and decides nothing.

import { openPrometheusMeter } from '@skein/metrics';
import { service } from '@skein/service-boot';
import { gatewayConfigSchema } from './gateway.config';
import { GatewayModule } from './gateway.module';
import { startHttp } from './start-http';

const meter = await openPrometheusMeter('gateway');

export const start = await service(import.meta.url, {
  name: 'gateway',
  description: 'The HTTP door: REST, event stream, metrics.',
  configSchema: gatewayConfigSchema,
  meter: () => meter,
  module: (config, messenger, logger) => GatewayModule.of(config, { messenger, logger, meter }),
  start: (module, { config, logger }) => startHttp(module, config, logger),
});
