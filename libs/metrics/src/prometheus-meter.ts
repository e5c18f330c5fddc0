// A meter that Prometheus can read: the metrics of one service, as the catalog has them, and those of its process.

import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import {
  catalog,
  durationBuckets,
  type Metric,
  type MetricEntry,
  type ServiceName,
} from './catalog';
import type { GaugeReading, Labels, Meter } from './meter';

export class PrometheusMeter implements Meter {
  readonly #registry = new Registry();
  readonly #service: ServiceName;
  readonly #histograms = new Map<Metric, Histogram>();

  constructor(service: ServiceName) {
    this.#service = service;
    collectDefaultMetrics({ register: this.#registry });
    for (const metric of Object.keys(catalog) as Metric[]) {
      const entry: MetricEntry = catalog[metric];
      if (entry.type !== 'histogram' || !entry.services.includes(service)) continue;
      const { name, help, labels } = entry;
      this.#histograms.set(
        metric,
        new Histogram({
          name,
          help,
          labelNames: [...labels],
          buckets: durationBuckets,
          registers: [this.#registry],
        }),
      );
    }
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  observe(metric: Metric, seconds: number, labels: Labels = {}): void {
    const histogram = this.#histograms.get(metric);
    if (histogram === undefined) throw new Error(`${this.#service} has no histogram '${metric}'`);
    histogram.observe(labels, seconds);
  }

  gauge(metric: Metric, read: () => GaugeReading | Promise<GaugeReading>): void {
    const entry: MetricEntry = catalog[metric];
    if (entry.type !== 'gauge' || !entry.services.includes(this.#service)) {
      throw new Error(`${this.#service} has no gauge '${metric}'`);
    }
    const { name, help, labels } = entry;
    new Gauge({
      name,
      help,
      labelNames: [...labels],
      registers: [this.#registry],
      async collect() {
        this.reset();
        const reading = await Promise.resolve()
          .then(read)
          .catch(() => (labels.length === 0 ? NaN : []));
        if (typeof reading === 'number') this.set(reading);
        else for (const [of, value] of reading) this.set({ ...of }, value);
      },
    });
  }
}
