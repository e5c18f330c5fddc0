// Where services tell how they fare. Who is not listened to counts nothing and costs nothing.

import type { Metric } from './catalog';

export type Labels = Readonly<Record<string, string>>;

export interface Meter {
  /** One duration of a histogram, in seconds. */
  observe(metric: Metric, seconds: number, labels?: Labels): void;
  /** A gauge is read when somebody looks; if it throws, that look shows that there is no number. */
  gauge(metric: Metric, read: () => GaugeReading | Promise<GaugeReading>): void;
}

/** One value, or one for each set of labels. */
export type GaugeReading = number | readonly (readonly [Labels, number])[];

export const silentMeter: Meter = { observe: () => undefined, gauge: () => undefined };
