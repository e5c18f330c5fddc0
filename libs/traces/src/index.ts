// The public face: requests followed through the services as traces of OpenTelemetry.

import type { Traces, TracesOptions } from './traces';
export type { Traces, TracesOptions } from './traces';

/** The packages behind it are loaded where somebody is to be told of traces, and not before. */
export async function openTraces(options: TracesOptions): Promise<Traces> {
  const { OpenTelemetry } = await import('./open-telemetry');
  return new OpenTelemetry(options);
}
