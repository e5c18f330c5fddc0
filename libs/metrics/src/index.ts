// The public face: what can be measured, where to tell it, and how Prometheus reads it.

import type { ServiceName } from './catalog';
import type { PrometheusMeter } from './prometheus-meter';
export { catalog, isServiceName, type Metric, type MetricEntry, type ServiceName } from './catalog';
export { measureAnswer, measureAsking, type Conversation } from './conversations';
export { listenForMetrics, type MetricsListener } from './listener';
export { silentMeter, type GaugeReading, type Labels, type Meter } from './meter';
export type { PrometheusMeter } from './prometheus-meter';

/** The library behind it is loaded when somebody is to read metrics, and not before. */
export async function openPrometheusMeter(service: ServiceName): Promise<PrometheusMeter> {
  const { PrometheusMeter: Made } = await import('./prometheus-meter');
  return new Made(service);
}
