// What a service measures, and where Prometheus reads it: on a port of its own, if it is given one. Otherwise nothing is measured, and
// the library for it is not even loaded.

import type { Messenger } from '@skein/messaging';
import {
  isServiceName,
  listenForMetrics,
  measureAnswer,
  measureAsking,
  openPrometheusMeter,
  silentMeter,
  type Meter,
  type ServiceName,
} from '@skein/metrics';
import type { CommonConfiguration } from './configuration';
import type { ServiceLogger } from './logging';

interface MetricsParts {
  readonly common: CommonConfiguration;
  readonly messenger: Messenger;
  readonly logger: ServiceLogger;
}

export async function startMetrics(
  { name, meter: own }: { readonly name: string; readonly meter?: (() => Meter) | undefined },
  { common, messenger, logger }: MetricsParts,
): Promise<{ meter: Meter; close: () => Promise<void> }> {
  const { metricsPort: port, metricsAddress: address } = common;
  if (!isServiceName(name) || (own === undefined && port === undefined)) {
    return { meter: silentMeter, close: () => Promise.resolve() };
  }
  if (own !== undefined || port === undefined) {
    const meter = own?.() ?? silentMeter;
    measureConversations(name, meter, messenger);
    return { meter, close: () => Promise.resolve() };
  }
  const meter = await openPrometheusMeter(name);
  measureConversations(name, meter, messenger);
  const listener = await listenForMetrics(meter, { address, port });
  logger.info({ address, port: listener.port }, 'metrics are served');
  return { meter, close: () => listener.close() };
}

function measureConversations(name: ServiceName, meter: Meter, messenger: Messenger): void {
  meter.gauge('natsConnected', () => (messenger.connected ? 1 : 0));
  messenger.observe({
    answered: (contract, ms, code) => measureAnswer(meter, name, { contract, ms, code }),
    asked: (contract, ms, code) => measureAsking(meter, name, { contract, ms, code }),
  });
}
