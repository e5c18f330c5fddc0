import { describe, expect, it } from '@jest/globals';
import { asSeenInside, collectorOf, tracingIn } from './tracing';

describe('traces of a local cluster', () => {
  it('go nowhere unless a collector is named', () => {
    expect(tracingIn({ OTEL_TRACES_SAMPLER: 'always_on', OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toBe(
      undefined,
    );
  });

  it('take every setting along, and the way out in place of the collector', () => {
    const settings = tracingIn({
      HOME: '/root',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://[::1]:4318/otlp',
      OTEL_TRACES_SAMPLER: 'always_on',
    });
    expect(settings && collectorOf(settings)).toEqual({ host: '::1', port: 4318 });
    expect(settings && asSeenInside(settings)).toEqual({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://192.0.2.254:4318/otlp',
      OTEL_TRACES_SAMPLER: 'always_on',
    });
  });

  it('prefer the collector that is for traces alone', () => {
    const settings = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://metrics.example:4318',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces.example/in',
    };
    expect(collectorOf(settings)).toEqual({ host: 'traces.example', port: 80 });
    expect(asSeenInside(settings)).toEqual({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://192.0.2.254:4318/in',
    });
  });

  it.each(['https://traces.example', 'traces.example:4318', 'grpc://127.0.0.1:4317'])(
    'are refused where they are to go to %s',
    (endpoint) => {
      expect(() => tracingIn({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })).toThrow('http://');
    },
  );
});
