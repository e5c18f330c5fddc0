// Where what a service does for a request is told as part of a trace: to the collector that the environment names. Otherwise nothing is
// followed, and the packages for it are not even loaded.

import type { Messenger } from '@skein/messaging';
import { openTraces } from '@skein/traces';
import type { CommonConfiguration } from './configuration';
import type { ServiceLogger } from './logging';

interface TracesParts {
  readonly common: CommonConfiguration;
  readonly messenger: Messenger;
  readonly logger: ServiceLogger;
  readonly version: string;
  /** Which replica, or host, it is. */
  readonly instance: string | undefined;
}

/** The answer ends it, and sends what is left. */
export async function startTraces(
  name: string,
  { common, messenger, logger, version, instance }: TracesParts,
): Promise<() => Promise<void>> {
  const url = collectorOf(common);
  if (url === undefined) return () => Promise.resolve();
  const traces = await openTraces({
    serviceName: `skein-${name}`,
    givenName: common.OTEL_SERVICE_NAME,
    ...{ version, instance, url },
    onFault: (fault) => {
      if (fault === undefined) logger.info({ url }, 'traces are sent again');
      else logger.warn({ url, fault }, 'traces are lost');
    },
  });
  messenger.follow(traces);
  logger.info({ url }, 'traces are sent');
  return async () => {
    messenger.follow(undefined);
    await traces.close();
  };
}

/** As the specification has it: the one for traces is taken as it is, the one for all is added to. */
export function collectorOf(common: CommonConfiguration): string | undefined {
  if (common.OTEL_SDK_DISABLED || common.OTEL_TRACES_EXPORTER === 'none') return undefined;
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own } = common;
  if (own !== undefined || base === undefined) return own;
  return `${base.replace(/\/+$/, '')}/v1/traces`;
}
