import { describe, expect, it } from '@jest/globals';
import { commonSchema, parseConfiguration } from './configuration';
import { collectorOf } from './traces';

describe('the collector of traces', () => {
  it.each([
    [{}, undefined],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, undefined],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }, 'http://c:4318/v1/traces'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c/otlp/' }, 'https://c/otlp/v1/traces'],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c/in' }, 'http://c/in'],
    [
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318',
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://t/in',
      },
      'http://t/in',
    ],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_SDK_DISABLED: 'true' }, undefined],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_TRACES_EXPORTER: 'none' }, undefined],
  ])('of %j is %s', (environment, collector) => {
    expect(collectorOf(parseConfiguration(commonSchema, environment))).toBe(collector);
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'c:4318' }],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'nowhere' }],
    [{ OTEL_TRACES_SAMPLER: 'sometimes' }],
  ])('of %j is a fault that is told', (environment) => {
    expect(() => parseConfiguration(commonSchema, environment)).toThrow('OTEL_');
  });
});
